package main_test

import (
	"encoding/xml"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/ringback-dev/ringback/webhook"
)

// TestMessages follows a profile and a subprofile through their lives and compares
// every message, byte by byte.
func TestMessages(t *testing.T) {
	r := newReceiver(t, nil)
	p := start(t, newFile(t))
	p.listen("/database/788", r, "/profile", "")
	p.listen("/collection/8550", r, "/subprofile", "")

	id := p.create("/database/788/profiles", `{"fields":{"company":"Microsoft","age":30},"interests":["mac"]}`)
	first := p.must(200, "GET", "/profile/1", "")
	state := recordJSON(first, `{"age":30,"company":"Microsoft"}`, `["mac"]`)
	m := r.next(t)
	wantMessage(t, m, `{"action":"create",HEAD,"database":"788","collection":0,"trigger":"rest","profile":`+state+
		`,"parameters":{"age":30,"company":"Microsoft"}}`)
	if m.path != "/profile" {
		t.Errorf("the message went to %s", m.path)
	}

	second := p.must(200, "PUT", "/profile/"+id, `{"fields":{"company":"Apple","age":30,"big":9007199254740993}}`)
	state = recordJSON(second, `{"age":30,"big":9007199254740993,"company":"Apple"}`, `["mac"]`)
	wantMessage(t, r.next(t), `{"action":"update",HEAD,"database":"788","collection":0,"trigger":"rest","profile":`+state+
		`,"parameters":{"big":9007199254740993,"company":"Apple"},"old":{"fields":{"age":30,"company":"Microsoft"},"interests":["mac"]}}`)

	sub := p.create("/profile/"+id+"/subprofiles/8550", `{"fields":{"amount":99.50}}`)
	child := p.must(200, "GET", "/subprofile/"+sub, "")
	childState := recordJSON(child, `{"amount":99.50}`, `[]`)
	m = r.next(t)
	wantMessage(t, m, `{"action":"create",HEAD,"database":"788","collection":"8550","trigger":"rest","profile":`+state+
		`,"subprofile":`+childState+`,"parameters":{"amount":99.50}}`)
	if m.path != "/subprofile" {
		t.Errorf("the message went to %s", m.path)
	}

	child = p.must(200, "PUT", "/subprofile/"+sub, `{"fields":{"note":null},"interests":["books"]}`)
	childState = recordJSON(child, `{"amount":99.50,"note":null}`, `["books"]`)
	wantMessage(t, r.next(t), `{"action":"update",HEAD,"database":"788","collection":"8550","trigger":"rest","profile":`+state+
		`,"subprofile":`+childState+`,"parameters":{"note":null},"old":{"fields":{"amount":99.50},"interests":[]}}`)

	// A profile takes its subprofiles with it: each is told of.
	p.must(200, "DELETE", "/profile/"+id, "")
	ends := map[string]message{}
	for range 2 {
		m := r.next(t)
		ends[m.path] = m
	}
	wantMessage(t, ends["/subprofile"], `{"action":"delete",HEAD,"database":"788","collection":"8550","trigger":"rest","profile":`+state+
		`,"subprofile":`+childState+`,"parameters":{}}`)
	wantMessage(t, ends["/profile"], `{"action":"delete",HEAD,"database":"788","collection":0,"trigger":"rest","profile":`+state+
		`,"parameters":{}}`)
	if child, parent := sequence(t, ends["/subprofile"]), sequence(t, ends["/profile"]); child > parent {
		t.Errorf("the subprofile went as event %d, its profile as %d", child, parent)
	}
	r.empty(t)
}

// recordJSON writes a record as messages have it.
func recordJSON(record map[string]any, fields, interests string) string {
	return fmt.Sprintf(`{"ID":"%s","fields":%s,"interests":%s,"created":"%s","modified":"%s"}`,
		record["ID"], fields, interests, record["created"], record["modified"])
}

// wantMessage compares a JSON message with what it should be, where HEAD stands for
// timestamp, event and sequence.
func wantMessage(t *testing.T, m message, want string) {
	t.Helper()
	body := decode(t, m.body)
	stamp, err := time.Parse(time.RFC3339, fmt.Sprint(body["timestamp"]))
	if err != nil || time.Since(stamp).Abs() > time.Minute || stamp.Location() != time.UTC {
		t.Errorf("timestamp %v", body["timestamp"])
	}
	head := fmt.Sprintf(`"timestamp":"%s","event":"%s","sequence":%d`, body["timestamp"], body["event"], sequence(t, m))
	if want = strings.Replace(want, "HEAD", head, 1); string(m.body) != want {
		t.Errorf("the message is\n%s\nwant\n%s", m.body, want)
	}
}

func sequence(t *testing.T, m message) int64 {
	t.Helper()
	n, err := strconv.ParseInt(fmt.Sprint(decode(t, m.body)["sequence"]), 10, 64)
	if err != nil || n < 1 {
		t.Errorf("the sequence is no whole number: %s", m.body)
	}
	return n
}

func TestHeaders(t *testing.T) {
	r := newReceiver(t, nil)
	p := start(t, newFile(t))
	id := p.listen("/database/788", r, "/path?a=b", "")
	p.create("/database/788/profiles", `{}`)
	m := r.next(t)
	event := decode(t, m.body)["event"].(string)
	if m.method != "POST" {
		t.Errorf("method %s", m.method)
	}
	for name, want := range map[string]string{
		"Content-Type":      "application/json; charset=utf-8",
		"User-Agent":        "ringback/" + webhook.Version,
		"ringback-callback": id,
		"webhook-id":        webhook.DeliveryID(event, id),
	} {
		if got := m.header.Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	seconds, err := strconv.ParseInt(m.header.Get("webhook-timestamp"), 10, 64)
	if err != nil || time.Since(time.Unix(seconds, 0)).Abs() > time.Minute {
		t.Errorf("webhook-timestamp is %q", m.header.Get("webhook-timestamp"))
	}
}

// TestFormats: method and encoding change the form of a message, not what it says.
func TestFormats(t *testing.T) {
	r := newReceiver(t, nil)
	p := start(t, newFile(t))
	p.listen("/database/788", r, "/json", ``)
	p.listen("/database/788", r, "/xml", `,"method":"xml"`)
	p.listen("/database/788", r, "/json-form", `,"encoding":"form"`)
	p.listen("/database/788", r, "/xml-form", `,"method":"xml","encoding":"form"`)
	p.create("/database/788/profiles", `{"fields":{"First name":"Ann & Bob","none":null,"big":9007199254740993,
		"list":[1,"a"],"map":{"b":true},"odd":"\u0001"},"interests":["mac","linux"]}`)
	messages := map[string]message{}
	for range 4 {
		m := r.next(t)
		messages[m.path] = m
	}

	for path, want := range map[string]string{
		"/json":      "application/json; charset=utf-8",
		"/xml":       "application/xml; charset=utf-8",
		"/json-form": "application/x-www-form-urlencoded",
		"/xml-form":  "application/x-www-form-urlencoded",
	} {
		if got := messages[path].header.Get("Content-Type"); got != want {
			t.Errorf("%s: Content-Type %q, want %q", path, got, want)
		}
	}
	for _, format := range []string{"json", "xml"} {
		form, err := url.ParseQuery(string(messages["/"+format+"-form"].body))
		if err != nil {
			t.Fatal(err)
		}
		if len(form) != 1 || form.Get(format) != string(messages["/"+format].body) {
			t.Errorf("the form has\n%v\nwant\n%s", form, messages["/"+format].body)
		}
	}

	document := string(messages["/xml"].body)
	var tree struct {
		XMLName    xml.Name `xml:"callback"`
		Action     string   `xml:"action"`
		Event      string   `xml:"event"`
		Sequence   string   `xml:"sequence"`
		Database   string   `xml:"database"`
		Collection string   `xml:"collection"`
		Trigger    string   `xml:"trigger"`
		Profile    struct {
			ID     string `xml:"ID"`
			Fields struct {
				Name string   `xml:"First_x0020_name"`
				Big  string   `xml:"big"`
				Odd  string   `xml:"odd"`
				List []string `xml:"list>item"`
				Map  string   `xml:"map>b"`
			} `xml:"fields"`
			Interests []string `xml:"interests>interest"`
		} `xml:"profile"`
		Parameters struct {
			Name string `xml:"First_x0020_name"`
		} `xml:"parameters"`
	}
	if err := xml.Unmarshal([]byte(document), &tree); err != nil {
		t.Fatalf("%v in %s", err, document)
	}
	asJSON := decode(t, messages["/json"].body)
	for _, pair := range [][2]any{
		{tree.Action, "create"}, {tree.Database, "788"}, {tree.Collection, "0"}, {tree.Trigger, "rest"},
		{tree.Event, asJSON["event"]}, {tree.Sequence, asJSON["sequence"]}, {tree.Profile.ID, "1"},
		{tree.Profile.Fields.Name, "Ann & Bob"}, {tree.Profile.Fields.Big, "9007199254740993"},
		{tree.Profile.Fields.Odd, "\ufffd"}, {tree.Profile.Fields.List, []string{"1", "a"}},
		{tree.Profile.Fields.Map, "true"}, {tree.Profile.Interests, []string{"mac", "linux"}},
		{tree.Parameters.Name, "Ann & Bob"},
	} {
		if fmt.Sprint(pair[0]) != fmt.Sprint(pair[1]) {
			t.Errorf("got %v, want %v in %s", pair[0], pair[1], document)
		}
	}
	if !strings.Contains(document, `<none xsi:nil="true"></none>`) && !strings.Contains(document, `<none xsi:nil="true"/>`) {
		t.Errorf("null is not nil in %s", document)
	}
}
