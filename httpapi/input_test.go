package httpapi_test

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/ringback-dev/ringback/webhook"
)

// Bodies that are refused: each names what is to blame, and changes nothing.
func TestBadInput(t *testing.T) {
	c := newClient(t)
	const path = "/database/788/callbacks"
	id := c.create(path, `{"url":"http://example.com/","expression":"a"}`)
	before := c.get(path).body
	const ok = `"url":"http://example.com/"`
	for _, test := range []struct {
		name, body, field string
		texts             []string
	}{
		{"empty", " \r\n\t", "", []string{"empty"}},
		{"no JSON", `url=http://example.com/`, "", []string{"JSON", "byte 1"}},
		{"cut off", `{` + ok, "", []string{"JSON"}},
		{"trailing data", `{` + ok + `}{}`, "", []string{"JSON"}},
		{"trailing garbage", `{` + ok + `}x`, "", []string{"JSON"}},
		{"trailing comma", `{` + ok + `,}`, "", []string{"JSON"}},
		{"comment", `{` + ok + `/**/}`, "", []string{"JSON"}},
		{"byte order mark", "\ufeff{" + ok + `}`, "", []string{"JSON"}},
		{"raw NUL", "{\"url\":\"http://example.com/\x00\"}", "", []string{"JSON"}},
		{"list", `[{` + ok + `}]`, "", []string{"object"}},
		{"string", `"http://example.com/"`, "", []string{"object"}},
		{"number", `1e999`, "", []string{"object"}},
		{"null", `null`, "", []string{"object"}},
		{"deep nesting", strings.Repeat("[", 30000) + strings.Repeat("]", 30000), "", []string{"JSON"}},
		{"deep nesting in a property", `{"url":` + strings.Repeat(`{"a":`, 9000) + `1` + strings.Repeat("}", 9000) + `}`, "url", []string{"string"}},
		{"twice", `{` + ok + `,"method":"xml","method":"json"}`, "method", []string{"more than once"}},
		{"twice, escaped", `{` + ok + `,"\u0075rl":"http://example.org/"}`, "url", []string{"more than once"}},
		{"twice in the envelope", `{"data":[{` + ok + `}],"data":[{` + ok + `}]}`, "data", []string{"more than once"}},
		{"ID twice", `{"ID":1,"ID":2,` + ok + `}`, "ID", []string{"more than once"}},

		{"unknown", `{` + ok + `,"colour":"red"}`, "colour", []string{"url", "expression", "collection"}},
		{"mistyped", `{` + ok + `,"expresion":"a"}`, "expresion", []string{"did you mean expression"}},
		{"in capitals", `{` + ok + `,"Method":"xml"}`, "Method", []string{"did you mean method"}},
		{"url in capitals", `{"URL":"http://example.com/"}`, "URL", []string{"did you mean url"}},
		{"id", `{` + ok + `,"id":"1"}`, "id", []string{"did you mean ID"}},
		{"no name", `{` + ok + `,"":"1"}`, "", []string{"is not a property"}},
		{"unknown, nested", `{` + ok + `,"when":{"a":[{}]}}`, "when", nil},
		{"envelope without data", `{"start":0,"limit":1,"total":1}`, "start", nil},
		{"unknown beside data", `{"data":[{` + ok + `}],"count":1}`, "count", []string{"data"}},
		{"property beside data", `{"data":[{}],` + ok + `}`, "url", []string{"data"}},
		{"unknown in data", `{"data":[{` + ok + `,"methode":"xml"}]}`, "methode", []string{"did you mean method"}},
		{"data is no list", `{"data":{` + ok + `}}`, "data", []string{"exactly one"}},
		{"data is null", `{"data":null}`, "data", []string{"exactly one"}},
		{"data is empty", `{"data":[]}`, "data", []string{"exactly one"}},
		{"data has two", `{"data":[{` + ok + `},{` + ok + `}]}`, "data", []string{"exactly one"}},
		{"data of data", `{"data":[{"data":[{` + ok + `}]}]}`, "data", []string{"is not a property"}},
		{"data of a string", `{"data":["x"]}`, "", []string{"element of data", "object"}},
		{"data of null", `{"data":[null]}`, "", []string{"element of data", "object"}},

		{"url is a number", `{"url":1}`, "url", []string{"string"}},
		{"url is null", `{"url":null}`, "url", []string{"null"}},
		{"url is a list", `{"url":["http://example.com/"]}`, "url", []string{"string"}},
		{"expression is a boolean", `{` + ok + `,"expression":true}`, "expression", []string{"string"}},
		{"expression is null", `{` + ok + `,"expression":null}`, "expression", []string{"null"}},
		{"expression with NUL", `{` + ok + `,"expression":"a\u0000"}`, "expression", []string{"NUL"}},
		{"expression is no UTF-8", "{" + ok + ",\"expression\":\"\xff\"}", "expression", []string{"UTF-8"}},
		{"expression with half a pair", `{` + ok + `,"expression":"\ud83d!"}`, "expression", []string{"surrogate"}},
		{"expression with the other half", `{` + ok + `,"expression":"\\\uDE00"}`, "expression", []string{"surrogate"}},
		{"expression with two first halves", `{` + ok + `,"expression":"\ud83d\ud83d"}`, "expression", []string{"surrogate"}},
		{"expression too long", `{` + ok + `,"expression":"` + strings.Repeat("a", webhook.MaxExpression+1) + `"}`, "expression", []string{"4096"}},
		{"expression that does not compile", `{` + ok + `,"expression":"while(true){}"}`, "expression", []string{"line 1, column 1"}},
		{"method", `{` + ok + `,"method":"yaml"}`, "method", []string{"json", "xml"}},
		{"method in capitals", `{` + ok + `,"method":"JSON"}`, "method", []string{"json", "xml"}},
		{"method is empty", `{` + ok + `,"method":""}`, "method", []string{"empty"}},
		{"method is a number", `{` + ok + `,"method":0}`, "method", []string{"string"}},
		{"action", `{` + ok + `,"action":"created"}`, "action", []string{"create", "all"}},
		{"action is empty", `{` + ok + `,"action":""}`, "action", []string{"empty"}},
		{"action is a list", `{` + ok + `,"action":["create"]}`, "action", []string{"string"}},
		{"encoding", `{` + ok + `,"encoding":"gzip"}`, "encoding", []string{"body", "form"}},
		{"when", `{` + ok + `,"when":"always"}`, "when", []string{"matches", "enters", "leaves", "changes"}},
		{"when is empty", `{` + ok + `,"when":""}`, "when", []string{"empty"}},
		{"ordering", `{` + ok + `,"ordering":"strict"}`, "ordering", []string{"hold", "skip"}},
		{"ordering is empty", `{` + ok + `,"ordering":""}`, "ordering", []string{"empty"}},
		{"ordering is null", `{` + ok + `,"ordering":null}`, "ordering", []string{"null"}},
		{"ordering is a boolean", `{` + ok + `,"ordering":true}`, "ordering", []string{"string"}},
		{"ordering twice", `{` + ok + `,"ordering":"skip","ordering":"skip"}`, "ordering", []string{"more than once"}},
		{"state", `{` + ok + `,"state":"paused"}`, "state", []string{"active", "disabled"}},
		{"state in capitals", `{` + ok + `,"state":"Disabled"}`, "state", []string{"active", "disabled"}},
		{"state is empty", `{` + ok + `,"state":""}`, "state", []string{"empty"}},
		{"state is null", `{` + ok + `,"state":null}`, "state", []string{"null"}},
		{"state is a boolean", `{` + ok + `,"state":false}`, "state", []string{"string"}},
		{"state twice", `{` + ok + `,"state":"active","state":"disabled"}`, "state", []string{"more than once"}},
		{"state, mistyped", `{` + ok + `,"status":"disabled"}`, "status", []string{"did you mean state"}},
		{"health, mistyped", `{` + ok + `,"sucesses":1}`, "sucesses", []string{"did you mean successes"}},
		{"encoding is empty", `{` + ok + `,"encoding":""}`, "encoding", []string{"empty"}},

		{"database contradicts", `{` + ok + `,"database":"789"}`, "database", []string{"leave it out"}},
		{"database contradicts as a number", `{` + ok + `,"database":789}`, "database", []string{"leave it out"}},
		{"database is a fraction", `{` + ok + `,"database":788.0}`, "database", []string{"whole number"}},
		{"database has an exponent", `{` + ok + `,"database":7.88e2}`, "database", []string{"whole number"}},
		{"database is negative", `{` + ok + `,"database":-788}`, "database", []string{"whole number"}},
		{"database is null", `{` + ok + `,"database":null}`, "database", []string{"null"}},
		{"database is false", `{` + ok + `,"database":false}`, "database", []string{"whole number"}},
		{"database is a list", `{` + ok + `,"database":[788]}`, "database", []string{"whole number"}},
		{"collection has an exponent", `{` + ok + `,"collection":1E3}`, "collection", []string{"whole number"}},
		{"collection is an object", `{` + ok + `,"collection":{"ID":1}}`, "collection", []string{"whole number"}},
		{"collection has NUL", `{` + ok + `,"collection":"\u0000"}`, "collection", []string{"NUL"}},
		{"collection is no UTF-8", "{" + ok + ",\"collection\":\"\xc3\"}", "collection", []string{"UTF-8"}},
		{"collection too long", `{` + ok + `,"collection":"` + strings.Repeat("x", webhook.MaxID+1) + `"}`, "collection", []string{"255"}},
		{"collection is too large a number", `{` + ok + `,"collection":` + strings.Repeat("1", 300) + `}`, "collection", []string{"255"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := &client{t, c.base, c.http}
			c.post(path, test.body).wantError(http.StatusBadRequest, test.field, test.texts...)
			c.put("/callback/"+id, test.body).want(http.StatusBadRequest)
			if after := c.get(path).body; after != before {
				t.Errorf("a failed request made %s of %s", after, before)
			}
		})
	}
}

func TestBadURLs(t *testing.T) {
	c := newClient(t)
	id := c.create("/database/788/callbacks", someURL)
	before := c.get("/database/788/callbacks").body
	for _, raw := range []string{
		"", "example.com", "/script.php", "//example.com/", "http:///callback.php", "http://", "https:example.com", "ftp://example.com/",
		"javascript:alert(1)", "http://user@example.com/", "http://user:secret@example.com/", "http://example.com/#part",
		"http://example.com/#", "http://example.com:0/", "http://example.com:65536/", "http://example.com:x/", "http://[::1",
		"http://127.0.0.1/", "http%3A%2F%2F127.0.0.1%2F", "http%3A%2F%2F", "http%3A%2F%2Fexample.com%2", "http%3Aexample.com",
		"http%253A%252F%252Fexample.com%252F", "ftp%3A%2F%2Fexample.com%2F", "http%3A%2F%2Fexample.com%2F?u=http://x", "http%3A%2F%2Fexample.com%2F%00", "http%3A%2F%2Fexample.com%2F%FF",
		" http://example.com/", "http://exa mple.com/", "http://example.com/\\u0000", "http://" + strings.Repeat("x", webhook.MaxURL),
	} {
		c.post("/database/788/callbacks", `{"url":"`+raw+`"}`).wantError(http.StatusBadRequest, "url")
		c.put("/callback/"+id, `{"url":"`+raw+`"}`).wantError(http.StatusBadRequest, "url")
	}
	c.post("/database/788/callbacks", `{"method":"xml"}`).wantError(http.StatusBadRequest, "url", "missing")
	if after := c.get("/database/788/callbacks").body; after != before {
		t.Errorf("failed requests made %s of %s", after, before)
	}
}

func TestBadForms(t *testing.T) {
	c := newClient(t)
	const ok = "url=http://example.com/"
	for _, test := range []struct{ body, field, text string }{
		{ok + "&url=http://example.org/", "url", "more than once"},
		{ok + "&%75rl=x", "url", "more than once"},
		{ok + "&ID=1&ID=2", "ID", "more than once"},
		{ok + "&expresion=a", "expresion", "did you mean expression"},
		{ok + "&access_token=x", "access_token", "is not a property"},
		{ok + "&data=x", "data", "is not a property"},
		{ok + "&=x", "", "is not a property"},
		{ok + "&expression=%zz", "", "encoded"},
		{ok + "&expression=a;b", "", "encoded"},
		{ok + "&expression=%FF", "expression", "UTF-8"},
		{ok + "&expression=%00", "expression", "NUL"},
		{ok + "&method=", "method", "empty"},
		{ok + "&database=789", "database", "leave it out"},
		{ok + "&" + strings.Repeat("x", 60) + "=1", strings.Repeat("x", 40) + "…", "is not a property"},
		{ok + "&secretwhsec_C2FVsBQIhrsc", "secretwhsec_…", "is not a property"},
		{"method=xml", "url", "missing"},
		{`{"url":"http://example.com/"}`, `{"url":"http://example.com/"}`, "is not a property"},
	} {
		c.do(http.MethodPost, "/database/788/callbacks", test.body, "Content-Type", typeForm).
			wantError(http.StatusBadRequest, test.field, test.text)
	}
	c.do(http.MethodPost, "/database/788/callbacks", "", "Content-Type", typeForm).wantError(http.StatusBadRequest, "", "empty")
	if got := c.get("/database/788/callbacks").listing(); *got.Total != 0 {
		t.Errorf("failed requests made %v", got.Data)
	}
}

// What JSON escapes and what it does not arrives alike.
func TestStringsArriveExactly(t *testing.T) {
	c := newClient(t)
	for quoted, want := range map[string]string{
		`"\ud83d\ude00 \u00e9 😀 é"`:     "😀 é 😀 é",
		`"\\ud83d \\\\ \"\/\b\f\n\r\t"`: "\\ud83d \\\\ \"/\b\f\n\r\t",
		`"\ufffd �"`:                    "\ufffd �",
		`"\u2028 < > &"`:                "\u2028 < > &",
	} {
		got := c.post("/database/788/callbacks", `{"url":"http://example.com/","expression":`+quoted+`}`).want(http.StatusCreated).one()
		wantProperties(t, got, map[string]any{"expression": want})
		form := url.Values{"url": {"http://example.com/"}, "expression": {want}}.Encode()
		got = c.do(http.MethodPost, "/database/788/callbacks", form, "Content-Type", typeForm).want(http.StatusCreated).one()
		wantProperties(t, got, map[string]any{"expression": want})
	}
}

func TestContentTypes(t *testing.T) {
	c := newClient(t)
	const path = "/database/788/callbacks"
	id := c.create(path, someURL)
	for _, contentType := range []string{
		"", "text/plain", "text/json", "application/xml", "multipart/form-data; boundary=x", "application/vnd.api+json",
		"application/jsonp", "application/json, text/plain", "*/*", "json",
	} {
		for _, target := range [][2]string{{http.MethodPost, path}, {http.MethodPut, "/callback/" + id}} {
			c.do(target[0], target[1], someURL, "Content-Type", contentType).
				wantError(http.StatusUnsupportedMediaType, "", typeJSON, typeForm)
		}
	}
	c.do(http.MethodPost, path, someURL).wantError(http.StatusUnsupportedMediaType, "", typeJSON, typeForm)
	c.do(http.MethodPost, path, someURL, "Content-Type", typeJSON, "Content-Type", typeForm).
		wantError(http.StatusUnsupportedMediaType, "", typeJSON)
	// Without a body there is nothing whose type could be missing.
	c.do(http.MethodPost, path, "").wantError(http.StatusBadRequest, "", "empty")
	c.do(http.MethodPost, path, "", "Content-Type", typeJSON).wantError(http.StatusBadRequest, "", "empty")
}

func TestBodySize(t *testing.T) {
	c := newClient(t)
	const path = "/database/788/callbacks"
	id := c.create(path, someURL)
	const most = 64 << 10
	padded := func(size int) string { return someURL + strings.Repeat(" ", size-len(someURL)) }
	for _, test := range []struct {
		body, contentType string
		status            int
	}{
		{padded(most), typeJSON, http.StatusCreated},
		{padded(most + 1), typeJSON, http.StatusRequestEntityTooLarge},
		{padded(10 * most), typeJSON, http.StatusRequestEntityTooLarge},
		{"url=" + strings.Repeat("x", most), typeForm, http.StatusRequestEntityTooLarge},
	} {
		for _, chunked := range []bool{false, true} {
			send := func(method, path string) answer {
				var body io.Reader = strings.NewReader(test.body)
				if chunked {
					body = io.MultiReader(body) // hides the length from net/http
				}
				return c.send(method, path, body, "Content-Type", test.contentType)
			}
			answer := send(http.MethodPost, path)
			if test.status == http.StatusCreated {
				answer.want(test.status)
				continue
			}
			answer.wantError(test.status, "", "65536")
			send(http.MethodPut, "/callback/"+id).wantError(test.status, "", "65536")
		}
	}
	if got := *c.get(path).listing().Total; got != 3 {
		t.Errorf("%d callbacks, want 3", got)
	}
}
