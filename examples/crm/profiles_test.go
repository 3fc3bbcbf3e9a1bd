package main_test

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestProfile(t *testing.T) {
	p := start(t, newFile(t))
	a := p.do("POST", "/database/788/profiles", `{"fields":{"company":"Apple","age":30},"interests":["mac"]}`)
	if a.status != http.StatusCreated {
		t.Fatalf("status %d: %s", a.status, a.body)
	}
	for _, name := range []string{"Location", "X-location"} {
		if got := a.header.Get(name); got != "/profile/1" {
			t.Errorf("%s is %q", name, got)
		}
	}
	created := a.object(t)

	got := p.must(200, "GET", "/profile/1", "")
	wantSame(t, got, created)
	wantRecord(t, got, `{"ID":"1","database":"788","fields":{"age":30,"company":"Apple"},"interests":["mac"]}`)
	if got["created"] != got["modified"] {
		t.Errorf("created %v, but modified %v", got["created"], got["modified"])
	}
	made, err := time.Parse(time.RFC3339, got["created"].(string))
	if age := time.Since(made); err != nil || age < 0 || age > time.Minute || made.Location() != time.UTC {
		t.Errorf("created %v (%v)", got["created"], err)
	}

	// Only what is named is changed, and null is a value.
	put := p.must(200, "PUT", "/profile/1", `{"fields":{"company":null,"city":"Delft"}}`)
	wantRecord(t, put, `{"ID":"1","database":"788","fields":{"age":30,"city":"Delft","company":null},"interests":["mac"]}`)
	if put["created"] != got["created"] {
		t.Errorf("created moved from %v to %v", got["created"], put["created"])
	}
	put = p.must(200, "PUT", "/profile/1", `{"interests":["linux","mac"]}`)
	wantRecord(t, put, `{"ID":"1","database":"788","fields":{"age":30,"city":"Delft","company":null},"interests":["linux","mac"]}`)
	put = p.must(200, "PUT", "/profile/1", `{"interests":[]}`)
	wantRecord(t, put, `{"ID":"1","database":"788","fields":{"age":30,"city":"Delft","company":null},"interests":[]}`)
	wantSame(t, p.must(200, "GET", "/profile/1", ""), put)
	wantSame(t, p.must(200, "PUT", "/profile/1", `{}`), put)
	wantSame(t, p.must(200, "PUT", "/profile/1", `{"fields":{"age":30},"interests":[]}`), put)

	a = p.do("DELETE", "/profile/1", "")
	if a.status != http.StatusOK || a.header.Get("X-deleted") != "profile 1" {
		t.Errorf("status %d, X-deleted %q", a.status, a.header.Get("X-deleted"))
	}
	for _, method := range []string{"GET", "PUT", "DELETE"} {
		wantError(t, p.do(method, "/profile/1", `{}`), http.StatusNotFound, "")
	}
}

func TestProfileBodyIsOptionalInParts(t *testing.T) {
	p := start(t, newFile(t))
	for _, body := range []string{`{}`, `{"fields":{}}`, `{"interests":[]}`, ` {"interests":[],"fields":{}} `} {
		id := p.create("/database/788/profiles", body)
		wantRecord(t, p.must(200, "GET", "/profile/"+id, ""), `{"ID":"`+id+`","database":"788","fields":{},"interests":[]}`)
	}
}

// TestFieldsAreKeptExactly: what is JSON comes back as it was sent, also after the
// process has ended.
func TestFieldsAreKeptExactly(t *testing.T) {
	file := newFile(t)
	p := start(t, file)
	const hard = `{"big":123456789012345678901234567890,"more":9007199254740993,"small":-0.10,"exponent":1E+400,
		"text":"<&>\u0000\u2028\"\\é🙂","empty":"","no":false,"null":null,"list":[1,[2,{"a":[]}]],"map":{"b":{},"a":1},
		"First name":"x","constructor":1,"__proto__":2}`
	id := p.create("/database/788/profiles", `{"fields":`+hard+`,"interests":["","é","<&>"]}`)
	want := `{"ID":"` + id + `","database":"788","fields":` + hard + `,"interests":["","é","<&>"]}`
	wantRecord(t, p.must(200, "GET", "/profile/"+id, ""), want)
	p.stop()
	wantRecord(t, start(t, file).must(200, "GET", "/profile/"+id, ""), want)
}

func TestSubprofile(t *testing.T) {
	p := start(t, newFile(t))
	parent := p.create("/database/788/profiles", `{"fields":{"name":"Ann"}}`)
	a := p.do("POST", "/profile/"+parent+"/subprofiles/8550", `{"fields":{"amount":99},"interests":["books"]}`)
	if a.status != http.StatusCreated {
		t.Fatalf("status %d: %s", a.status, a.body)
	}
	for _, name := range []string{"Location", "X-location"} {
		if got := a.header.Get(name); got != "/subprofile/1" {
			t.Errorf("%s is %q", name, got)
		}
	}
	const identity = `"ID":"1","database":"788","collection":"8550","profile":"1"`
	got := p.must(200, "GET", "/subprofile/1", "")
	wantSame(t, got, a.object(t))
	wantRecord(t, got, `{`+identity+`,"fields":{"amount":99},"interests":["books"]}`)
	put := p.must(200, "PUT", "/subprofile/1", `{"fields":{"paid":true}}`)
	wantRecord(t, put, `{`+identity+`,"fields":{"amount":99,"paid":true},"interests":["books"]}`)
	wantSame(t, p.must(200, "PUT", "/subprofile/1", `{"fields":{"paid":true}}`), put)
	wantSame(t, p.must(200, "GET", "/subprofile/1", ""), put)

	a = p.do("DELETE", "/subprofile/1", "")
	if a.status != http.StatusOK || a.header.Get("X-deleted") != "subprofile 1" {
		t.Errorf("status %d, X-deleted %q", a.status, a.header.Get("X-deleted"))
	}
	for _, method := range []string{"GET", "PUT", "DELETE"} {
		wantError(t, p.do(method, "/subprofile/1", `{}`), http.StatusNotFound, "")
	}
	p.must(200, "GET", "/profile/"+parent, "")
}

// TestIDsAreNotReused: an ID names one record for ever, whatever is deleted.
func TestIDsAreNotReused(t *testing.T) {
	p := start(t, newFile(t))
	for _, want := range []string{"1", "2", "3"} {
		id := p.create("/database/788/profiles", `{}`)
		sub := p.create("/profile/"+id+"/subprofiles/8550", `{}`)
		if id != want || sub != want {
			t.Errorf("profile %s and subprofile %s, want %s", id, sub, want)
		}
		p.must(200, "DELETE", "/profile/"+id, "")
		wantError(t, p.do("GET", "/subprofile/"+sub, ""), http.StatusNotFound, "")
	}
}

// TestOpaqueIDs: databases and collections have whatever IDs their host gives them.
func TestOpaqueIDs(t *testing.T) {
	p := start(t, newFile(t))
	for escaped, id := range map[string]string{
		"crm": "crm", "00": "00", "a%2Fb": "a/b", "%C3%A9%20%3F%25": "é ?%", "-1": "-1",
		strings.Repeat("x", 255): strings.Repeat("x", 255),
	} {
		profile := p.create("/database/"+escaped+"/profiles", `{}`)
		if got := p.must(200, "GET", "/profile/"+profile, "")["database"]; got != id {
			t.Errorf("database %q, want %q", got, id)
		}
		sub := p.create("/profile/"+profile+"/subprofiles/"+escaped, `{}`)
		if got := p.must(200, "GET", "/subprofile/"+sub, "")["collection"]; got != id {
			t.Errorf("collection %q, want %q", got, id)
		}
	}
}

// wantRecord compares a record with JSON that lacks its times.
func wantRecord(t *testing.T, got map[string]any, want string) {
	t.Helper()
	timeless := map[string]any{}
	for name, value := range got {
		if name != "created" && name != "modified" {
			timeless[name] = value
		} else if text, ok := value.(string); !ok || !strings.HasSuffix(text, "Z") {
			t.Errorf("%s is %v", name, value)
		}
	}
	if len(got) != len(timeless)+2 {
		t.Errorf("created or modified is missing: %v", got)
	}
	wantJSON(t, "the record", timeless, want)
}

func wantSame(t *testing.T, got, want map[string]any) {
	t.Helper()
	if text, expected := marshal(t, got), marshal(t, want); text != expected {
		t.Errorf("the record is\n%s\nwant\n%s", text, expected)
	}
}
