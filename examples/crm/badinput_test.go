package main_test

import (
	"net/http"
	"strings"
	"testing"
)

// TestBadInput: each kind is answered with its status and the field to blame, and
// neither changes a record nor is heard of.
func TestBadInput(t *testing.T) {
	r := newReceiver(t, nil)
	p := start(t, newFile(t))
	id := p.create("/database/788/profiles", `{"fields":{"n":1},"interests":["a"]}`)
	sub := p.create("/profile/"+id+"/subprofiles/8550", `{"fields":{"n":1},"interests":["a"]}`)
	profile, subprofile := p.must(200, "GET", "/profile/"+id, ""), p.must(200, "GET", "/subprofile/"+sub, "")
	p.listen("/database/788", r, "/", "")
	p.listen("/collection/8550", r, "/", "")

	long := strings.Repeat("x", 256)
	deep := strings.Repeat(`[`, 100) + strings.Repeat(`]`, 100)
	targets := []struct{ method, path string }{
		{"POST", "/database/788/profiles"},
		{"POST", "/profile/" + id + "/subprofiles/8550"},
		{"PUT", "/profile/" + id},
		{"PUT", "/subprofile/" + sub},
	}
	for name, bad := range map[string]struct {
		body   string
		status int
		field  string
	}{
		"empty":             {``, 400, ""},
		"not JSON":          {`{"fields":`, 400, ""},
		"a list":            {`[]`, 400, ""},
		"null":              {`null`, 400, ""},
		"trailing":          {`{} {}`, 400, ""},
		"not UTF-8":         {"{\"fields\":{\"n\":\"\xff\"}}", 400, ""},
		"unknown":           {`{"felds":{}}`, 400, "felds"},
		"wrong case":        {`{"Fields":{}}`, 400, "Fields"},
		"fields a list":     {`{"fields":[]}`, 400, "fields"},
		"fields null":       {`{"fields":null}`, 400, "fields"},
		"fields a text":     {`{"fields":"n=2"}`, 400, "fields"},
		"nameless field":    {`{"fields":{"":2}}`, 400, "fields"},
		"too deep":          {`{"fields":{"n":` + deep + `}}`, 400, "fields.n" + strings.Repeat("[0]", 64)},
		"interests an map":  {`{"interests":{"mac":true}}`, 400, "interests"},
		"interests null":    {`{"interests":null}`, 400, "interests"},
		"interests numbers": {`{"interests":["a",1]}`, 400, "interests"},
		"message too large": {`{"fields":{"n":"` + strings.Repeat("x", 600<<10) + `"}}`, 400, ""},
		"body too large":    {`{"fields":{"n":"` + strings.Repeat("x", 1<<20) + `"}}`, 413, ""},
	} {
		t.Run(name, func(t *testing.T) {
			for _, target := range targets {
				wantError(t, p.do(target.method, target.path, bad.body), bad.status, bad.field)
			}
		})
	}

	for name, bad := range map[string]struct {
		method, path string
		status       int
		field        string
	}{
		"no such profile":       {"GET", "/profile/99", 404, ""},
		"not as it was written": {"GET", "/profile/0" + id, 404, ""},
		"signed":                {"GET", "/profile/+" + id, 404, ""},
		"a text":                {"GET", "/profile/x", 404, ""},
		"beyond 64 bits":        {"DELETE", "/profile/99999999999999999999", 404, ""},
		"no such subprofile":    {"PUT", "/subprofile/99", 404, ""},
		"no parent":             {"POST", "/profile/99/subprofiles/8550", 404, ""},
		"no such path":          {"GET", "/nothing", 404, ""},
		"root":                  {"GET", "/", 404, ""},
		"database 0":            {"POST", "/database/0/profiles", 400, "database"},
		"long database":         {"POST", "/database/" + long + "/profiles", 400, "database"},
		"damaged database":      {"POST", "/database/%FF/profiles", 400, "database"},
		"collection 0":          {"POST", "/profile/" + id + "/subprofiles/0", 400, "collection"},
		"long collection":       {"POST", "/profile/" + id + "/subprofiles/" + long, 400, "collection"},
	} {
		t.Run(name, func(t *testing.T) {
			wantError(t, p.do(bad.method, bad.path, `{"fields":{"n":2}}`), bad.status, bad.field)
		})
	}

	// Nothing is changed, and nothing is heard of but the changes that follow.
	wantSame(t, p.must(200, "GET", "/profile/"+id, ""), profile)
	wantSame(t, p.must(200, "GET", "/subprofile/"+sub, ""), subprofile)
	if next := p.create("/database/788/profiles", `{}`); next != "2" {
		t.Errorf("profile %s was created in vain", next)
	}
	if next := p.create("/profile/"+id+"/subprofiles/8550", `{}`); next != "2" {
		t.Errorf("subprofile %s was created in vain", next)
	}
	for range 2 {
		m := r.next(t)
		if got := decode(t, m.body)["action"]; got != "create" {
			t.Errorf("unexpected message: %s", m.body)
		}
	}
	r.empty(t)
}

func TestMethodNotAllowed(t *testing.T) {
	p := start(t, newFile(t))
	for _, row := range []struct{ path, allow string }{
		{"/database/788/profiles", "POST"},
		{"/profile/1", "DELETE, GET, HEAD, PUT"},
		{"/profile/1/subprofiles/8550", "POST"},
		{"/subprofile/1", "DELETE, GET, HEAD, PUT"},
	} {
		a := p.do(http.MethodPatch, row.path, `{}`)
		wantError(t, a, http.StatusMethodNotAllowed, "")
		if got := a.header.Get("Allow"); got != row.allow {
			t.Errorf("%s: Allow %q, want %q", row.path, got, row.allow)
		}
	}
}

// TestCrossOrigin: a page that somebody looks at may not write through the browser.
func TestCrossOrigin(t *testing.T) {
	p := start(t, newFile(t))
	for _, path := range []string{"/database/788/profiles", "/database/788/callbacks"} {
		request, err := http.NewRequest("POST", p.url+path, strings.NewReader(`{}`))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Origin", "https://example.com")
		a, err := p.send(request)
		if err != nil {
			t.Fatal(err)
		}
		wantError(t, a, http.StatusForbidden, "")
	}
}
