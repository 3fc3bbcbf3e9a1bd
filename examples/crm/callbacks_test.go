package main_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// callback is what a callback looks like when only its URL was given.
const callback = `{"ID":"%s","url":"%s","expression":"","method":"json","action":"all","encoding":"body","collection":%s,"database":%s}`

// only returns the one callback in an envelope, with the properties that the
// constant callback has. Others may be added.
func only(t *testing.T, envelope map[string]any) map[string]any {
	t.Helper()
	data, ok := envelope["data"].([]any)
	if !ok || len(data) != 1 {
		t.Fatalf("no envelope with one callback: %v", envelope)
	}
	known := map[string]any{}
	for _, name := range []string{"ID", "url", "expression", "method", "action", "encoding", "collection", "database"} {
		if value, ok := data[0].(map[string]any)[name]; ok {
			known[name] = value
		}
	}
	return known
}

func TestCallbackLife(t *testing.T) {
	const target = "http://www.callback.com/script.php"
	p := start(t, newFile(t))
	a := p.do("POST", "/database/788/callbacks", `{"url":"`+target+`"}`)
	if a.status != http.StatusCreated {
		t.Fatalf("status %d: %s", a.status, a.body)
	}
	location := a.header.Get("Location")
	if location == "" || a.header.Get("X-location") != location {
		t.Errorf("Location %q, X-location %q", location, a.header.Get("X-location"))
	}
	id := strings.TrimPrefix(location, "/callback/")
	bare := fmt.Sprintf(callback, id, target, `0`, `"788"`)
	wantJSON(t, "the new callback", only(t, a.object(t)), bare)

	got := p.must(200, "GET", location, "")
	wantJSON(t, "the callback", only(t, got), bare)
	delete(got, "data")
	wantJSON(t, "its envelope", got, `{"start":0,"limit":1,"total":1}`)

	// What GET shows may be sent back; an update changes what it names.
	shown := p.do("GET", location, "")
	for _, method := range []string{"POST", "PUT"} {
		wantJSON(t, "sent back", only(t, p.must(200, method, location, string(shown.body))), bare)
		put := p.must(200, method, location, `{"ID":"9","expression":"age > 18","method":"xml","action":"update","encoding":"form"}`)
		want := strings.NewReplacer(`"expression":""`, `"expression":"age > 18"`, `"json"`, `"xml"`, `"all"`, `"update"`,
			`"encoding":"body"`, `"encoding":"form"`).Replace(bare)
		wantJSON(t, "updated", only(t, put), want)
		wantJSON(t, "updated", only(t, p.must(200, "GET", location, "")), want)
		p.must(200, method, location, `{"expression":"","method":"json","action":"all","encoding":"body","database":788,"collection":0}`)
	}
	wantError(t, p.do("PUT", location, `{"database":"789"}`), 400, "database")
	wantError(t, p.do("PUT", location, `{"collection":"1"}`), 400, "collection")

	a = p.do("DELETE", location, "")
	if a.status != http.StatusOK || a.header.Get("X-deleted") != "callback "+id {
		t.Errorf("status %d, X-deleted %q", a.status, a.header.Get("X-deleted"))
	}
	for _, method := range []string{"GET", "POST", "PUT", "DELETE"} {
		wantError(t, p.do(method, location, `{}`), http.StatusNotFound, "")
	}
}

// TestCallbackBodies: the three forms of a body make the same callback.
func TestCallbackBodies(t *testing.T) {
	p := start(t, newFile(t))
	const target, expression = "https://example.com/a?b=c&d=%20", "profile.newsletter == 'no';"
	encoded := url.QueryEscape(target)
	form := url.Values{"url": {target}, "expression": {expression}, "method": {"xml"}, "action": {"update"}}
	asJSON := `{"ID":"8","url":"` + target + `","expression":"` + expression + `","method":"xml","action":"update"}`
	for name, body := range map[string]struct{ contentType, text string }{
		"bare":           {"application/json", asJSON},
		"charset":        {"application/json; charset=utf-8", asJSON},
		"envelope":       {"application/json", `{"start":0,"limit":1,"total":1,"data":[` + asJSON + `]}`},
		"encoded URL":    {"application/json", strings.Replace(asJSON, target, encoded, 1)},
		"escaped":        {"application/json", strings.ReplaceAll(asJSON, "/", `\/`)},
		"names database": {"application/json", strings.Replace(asJSON, `{`, `{"database":"788",`, 1)},
		"form":           {"application/x-www-form-urlencoded", form.Encode()},
	} {
		t.Run(name, func(t *testing.T) {
			request, err := http.NewRequest("POST", p.url+"/database/788/callbacks?access_token=x", strings.NewReader(body.text))
			if err != nil {
				t.Fatal(err)
			}
			request.Header.Set("Content-Type", body.contentType)
			a, err := p.send(request)
			if err != nil {
				t.Fatal(err)
			}
			if a.status != http.StatusCreated {
				t.Fatalf("status %d: %s", a.status, a.body)
			}
			got := only(t, a.object(t))
			wantJSON(t, "the callback", got, fmt.Sprintf(
				`{"ID":"%s","url":"%s","expression":"%s","method":"xml","action":"update","encoding":"body","collection":0,"database":"788"}`,
				got["ID"], target, expression))
		})
	}
}

func TestCallbackList(t *testing.T) {
	p := start(t, newFile(t))
	const target = "https://example.com/"
	list := func(path string) map[string]any { t.Helper(); return p.must(200, "GET", path, "") }
	wantJSON(t, "no callbacks", list("/database/788/callbacks"), `{"start":0,"limit":100,"total":0,"data":[]}`)

	var ids []string
	for _, binding := range []string{``, `,"collection":8550`, `,"collection":"8550"`, `,"collection":0`} {
		ids = append(ids, p.create("/database/788/callbacks", `{"url":"`+target+`"`+binding+`}`))
	}
	ids = append(ids, p.create("/collection/8550/callbacks", `{"url":"`+target+`"}`))
	p.create("/database/789/callbacks", `{"url":"`+target+`"}`)

	for path, want := range map[string]struct {
		envelope string
		ids      []string
	}{
		"/database/788/callbacks":                        {`{"start":0,"limit":100,"total":4}`, ids[:4]},
		"/database/788/callbacks?limit=1":                {`{"start":0,"limit":"1","total":4}`, ids[:1]},
		"/database/788/callbacks?start=1&limit=2":        {`{"start":1,"limit":"2","total":4}`, ids[1:3]},
		"/database/788/callbacks?start=3":                {`{"start":3,"limit":100,"total":4}`, ids[3:4]},
		"/database/788/callbacks?start=99":               {`{"start":99,"limit":100,"total":4}`, nil},
		"/database/788/callbacks?total=false":            {`{"start":0,"limit":100}`, ids[:4]},
		"/database/788/callbacks?limit=1000&access_to=x": {`{"start":0,"limit":"1000","total":4}`, ids[:4]},
		"/collection/8550/callbacks":                     {`{"start":0,"limit":100,"total":3}`, []string{ids[1], ids[2], ids[4]}},
		"/database/none/callbacks":                       {`{"start":0,"limit":100,"total":0}`, nil},
	} {
		t.Run(path, func(t *testing.T) {
			got := list(path)
			var listed []string
			for _, c := range got["data"].([]any) {
				listed = append(listed, c.(map[string]any)["ID"].(string))
			}
			if fmt.Sprint(listed) != fmt.Sprint(want.ids) {
				t.Errorf("listed %v, want %v", listed, want.ids)
			}
			delete(got, "data")
			wantJSON(t, "the envelope", got, want.envelope)
		})
	}
	bound := only(t, list("/database/788/callbacks?start=1&limit=1"))
	wantJSON(t, "bound to both", bound, fmt.Sprintf(callback, ids[1], target, `"8550"`, `"788"`))
	bound = only(t, list("/collection/8550/callbacks?start=2"))
	wantJSON(t, "bound to a collection", bound, fmt.Sprintf(callback, ids[4], target, `"8550"`, `0`))
	for _, bad := range []string{"limit=0", "limit=1001", "limit=-1", "limit=x", "limit=", "start=-1", "start=1.5", "start=x"} {
		field, _, _ := strings.Cut(bad, "=")
		wantError(t, p.do("GET", "/database/788/callbacks?"+bad, ""), 400, field)
	}
}

// TestBadCallback: what is not accepted names the property and creates nothing.
func TestBadCallback(t *testing.T) {
	p := start(t, newFile(t))
	const good = `"url":"https://example.com/"`
	for body, field := range map[string]string{
		`{}`:                                                              "url",
		`{"url":""}`:                                                      "url",
		`{"url":"example.com"}`:                                           "url",
		`{"url":"/callback.php"}`:                                         "url",
		`{"url":"http:///callback.php"}`:                                  "url",
		`{"url":"ftp://example.com/"}`:                                    "url",
		`{"url":"http://a:b@example.com/"}`:                               "url",
		`{"url":"http://example.com/#x"}`:                                 "url",
		`{"url":"http://example.com:0/"}`:                                 "url",
		`{"url":1}`:                                                       "url",
		`{` + good + `,"method":"yaml"}`:                                  "method",
		`{` + good + `,"action":"upsert"}`:                                "action",
		`{` + good + `,"encoding":"zip"}`:                                 "encoding",
		`{` + good + `,"database":"789"}`:                                 "database",
		`{` + good + `,"expresion":"true"}`:                               "expresion",
		`{` + good + `,"expression":true}`:                                "expression",
		`{` + good + `,"expression":"1 +"}`:                               "expression",
		`{` + good + `,"expression":"a; b"}`:                              "expression",
		`{` + good + `,"expression":"a = 1"}`:                             "expression",
		`{` + good + `,"expression":"while(true){}"}`:                     "expression",
		`{` + good + `,"expression":"(function(){return 1})()"}`:          "expression",
		`{` + good + `,"expression":"'x'.repeat(4294967296)"}`:            "expression",
		`{` + good + `,"expression":"` + strings.Repeat("x", 4097) + `"}`: "expression",
		`{"url":"https://example.com/` + strings.Repeat("x", 2048) + `"}`: "url",
		`{"data":[]}`:                                                     "data",
		`{"data":[{` + good + `},{` + good + `}]}`:                        "data",
		`[]`: "",
		`{`:  "",
	} {
		a := p.do("POST", "/database/788/callbacks", body)
		wantError(t, a, 400, field)
		if field == "expression" && strings.Contains(body, "1 +") && !strings.Contains(string(a.body), "line 1") {
			t.Errorf("the message names no line: %s", a.body)
		}
	}
	wantError(t, p.do("POST", "/database/788/callbacks", strings.Repeat(" ", 64<<10+1)), http.StatusRequestEntityTooLarge, "")
	request, err := http.NewRequest("POST", p.url+"/database/788/callbacks", strings.NewReader(`{`+good+`}`))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "text/plain")
	a, err := p.send(request)
	if err != nil {
		t.Fatal(err)
	}
	wantError(t, a, http.StatusUnsupportedMediaType, "")
	a = p.do("PATCH", "/database/788/callbacks", `{}`)
	wantError(t, a, http.StatusMethodNotAllowed, "")
	if got := a.header.Get("Allow"); got != "GET, HEAD, POST" {
		t.Errorf("Allow %q", got)
	}
	wantJSON(t, "the list", p.must(200, "GET", "/database/788/callbacks", ""), `{"start":0,"limit":100,"total":0,"data":[]}`)
}

// TestCallbacksOutliveTheProcess: what was registered is there after a crash.
func TestCallbacksOutliveTheProcess(t *testing.T) {
	file := newFile(t)
	p := start(t, file)
	p.create("/database/788/callbacks", `{"url":"https://example.com/"}`)
	before := p.do("GET", "/database/788/callbacks", "")
	p.kill()
	after := start(t, file).do("GET", "/database/788/callbacks", "")
	if string(after.body) != string(before.body) {
		t.Errorf("after the restart\n%s\nwant\n%s", after.body, before.body)
	}
}
