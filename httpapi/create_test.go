package httpapi_test

import (
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestCreateDefaults(t *testing.T) {
	c := newClient(t)
	before := time.Now().Add(-time.Second)
	shown := c.post("/database/788/callbacks", `{"url":"http://example.com/x"}`).want(http.StatusCreated).one()
	wantProperties(t, shown, map[string]any{
		"url": "http://example.com/x", "expression": "", "method": "json", "action": "all", "collection": zero,
		"database": "788", "encoding": "body", "when": "matches", "ordering": "hold", "state": "active", "reason": "",
		"successes": zero, "consecutive_failures": zero, "expression_failures": zero, "expression_error": "",
	})
	if id, ok := shown["ID"].(string); !ok || id == "" {
		t.Errorf("ID is %#v, want a string", shown["ID"])
	}
	created, err := time.Parse(time.RFC3339, shown["created"].(string))
	if err != nil || created.Before(before) || created.After(time.Now()) || shown["updated"] != shown["created"] {
		t.Errorf("created %v, updated %v", shown["created"], shown["updated"])
	}
	if got := len(shown); got != 19 {
		t.Errorf("%d properties, want 19: %v", got, slices.Sorted(maps.Keys(shown)))
	}
}

// All three forms of a message say the same.
func TestThreeForms(t *testing.T) {
	c := newClient(t)
	const object = `{"url":"https://example.com/a?b=c&d=%20","method":"xml","expression":"profile.newsletter == 'no';",` +
		`"action":"update","encoding":"form","collection":"8550"}`
	form := url.Values{
		"url": {"https://example.com/a?b=c&d=%20"}, "method": {"xml"}, "expression": {"profile.newsletter == 'no';"},
		"action": {"update"}, "encoding": {"form"}, "collection": {"8550"},
	}.Encode()
	for name, message := range map[string][2]string{
		"object":                {typeJSON, object},
		"object, charset":       {"application/json; charset=utf-8", object},
		"object, type in caps":  {"Application/JSON;charset=UTF-8", object},
		"object, odd parameter": {"application/json; charset", object},
		"object, white space":   {typeJSON, " \r\n\t" + object + "\n"},
		"envelope":              {typeJSON, `{"data":[` + object + `]}`},
		"whole envelope":        {typeJSON, `{"start":0,"limit":"1","total":1,"data":[` + object + `]}`},
		"envelope, last first":  {typeJSON, `{"data":[` + object + `],"total":null,"limit":[1],"start":"x"}`},
		"form":                  {typeForm, form},
		"form, charset":         {"application/x-www-form-urlencoded; charset=UTF-8", form},
	} {
		shown := c.do(http.MethodPost, "/database/788/callbacks", message[1], "Content-Type", message[0]).
			want(http.StatusCreated).one()
		t.Log(name)
		wantProperties(t, shown, map[string]any{
			"url": "https://example.com/a?b=c&d=%20", "expression": "profile.newsletter == 'no';", "method": "xml",
			"action": "update", "collection": "8550", "database": "788", "encoding": "form",
		})
	}
}

// A body of unknown length is no different.
func TestChunkedBody(t *testing.T) {
	c := newClient(t)
	body := io.MultiReader(strings.NewReader(someURL)) // hides the length from net/http
	c.send(http.MethodPost, "/database/788/callbacks", body, "Content-Type", typeJSON).want(http.StatusCreated)
}

func TestBinding(t *testing.T) {
	c := newClient(t)
	const huge = "123456789012345678901234567890"
	for _, test := range []struct {
		path, body           string
		database, collection any
	}{
		{"/database/788/callbacks", `"database":"788"`, "788", zero},
		{"/database/788/callbacks", `"database":788`, "788", zero},
		{"/database/788/callbacks", `"database":0`, "788", zero},
		{"/database/788/callbacks", `"database":"0"`, "788", zero},
		{"/database/788/callbacks", `"database":""`, "788", zero},
		{"/database/788/callbacks", `"collection":0`, "788", zero},
		{"/database/788/callbacks", `"collection":"0"`, "788", zero},
		{"/database/788/callbacks", `"collection":""`, "788", zero},
		{"/database/788/callbacks", `"collection":8550`, "788", "8550"},
		{"/database/788/callbacks", `"collection":"8550"`, "788", "8550"},
		{"/database/788/callbacks", `"collection":"orders","database":788`, "788", "orders"},
		{"/database/788/callbacks", `"collection":` + huge, "788", huge},
		{"/database/788/callbacks", `"collection":9007199254740993`, "788", "9007199254740993"},
		{"/database/" + huge + "/callbacks", `"database":` + huge, huge, zero},
		{"/database/a%2Fb/callbacks", `"database":"a/b","collection":"ü 1"`, "a/b", "ü 1"},
		{"/collection/8550/callbacks", `"database":0`, zero, "8550"},
		{"/collection/8550/callbacks", `"database":""`, zero, "8550"},
		{"/collection/8550/callbacks", `"collection":8550`, zero, "8550"},
		{"/collection/8550/callbacks", `"collection":0`, zero, "8550"},
		{"/collection/8550/callbacks", `"database":788`, "788", "8550"},
		{"/collection/8550/callbacks", `"database":"788"`, "788", "8550"},
	} {
		shown := c.post(test.path, `{"url":"http://example.com/",`+test.body+`}`).want(http.StatusCreated).one()
		wantProperties(t, shown, map[string]any{"database": test.database, "collection": test.collection})
	}
	for _, form := range []string{"collection=8550", "collection=8550&database=788"} {
		shown := c.do(http.MethodPost, "/database/788/callbacks", "url=http://example.com/&"+form, "Content-Type", typeForm).
			want(http.StatusCreated).one()
		wantProperties(t, shown, map[string]any{"database": "788", "collection": "8550"})
	}
	shown := c.do(http.MethodPost, "/database/788/callbacks", "url=http://example.com/&collection=0&database=", "Content-Type", typeForm).
		want(http.StatusCreated).one()
	wantProperties(t, shown, map[string]any{"database": "788", "collection": zero})
}

// A URL is accepted plain or percent-encoded as a whole, and shown plain.
func TestEncodedURL(t *testing.T) {
	c := newClient(t)
	for given, want := range map[string]string{
		"http://example.com/script.php":                 "http://example.com/script.php",
		"http%3A%2F%2Fexample.com%2Fscript.php":         "http://example.com/script.php",
		"HTTP%3a%2f%2fexample.com%2Fscript.php":         "HTTP://example.com/script.php",
		"https%3A%2F%2Fexample.com%3A443%2F%3Fa%3D%26b": "https://example.com:443/?a=&b",
		"https%3A//example.com/a%2520b":                 "https://example.com/a%20b",
		"https%3A%2F%2Fexample.com%2Fa%2520b":           "https://example.com/a%20b",
		"https%3A%2F%2Fexample.com%2F%3Fq%3Da+b":        "https://example.com/?q=a+b",
		"http://example.com/?u=http%3A%2F%2Fx":          "http://example.com/?u=http%3A%2F%2Fx",
		"http://example.com/%41":                        "http://example.com/%41",
		"https://b%C3%BCcher.example/%F0%9F%98%80":      "https://b%C3%BCcher.example/%F0%9F%98%80",
		"http%3A%2F%2Fexample.com%2F%C3%BC":             "http://example.com/ü",
		"http://example.com/<&>":                        "http://example.com/<&>",
	} {
		answer := c.post("/database/788/callbacks", `{"url":"`+given+`"}`).want(http.StatusCreated)
		wantProperties(t, answer.one(), map[string]any{"url": want})
		if !strings.Contains(answer.body, `"url":"`+want+`"`) {
			t.Errorf("not shown plain: %s", answer.body)
		}
		// In a form the value is encoded once more.
		answer = c.do(http.MethodPost, "/database/788/callbacks", "url="+url.QueryEscape(given), "Content-Type", typeForm)
		wantProperties(t, answer.want(http.StatusCreated).one(), map[string]any{"url": want})
	}
}

// What GET shows may be posted back, and makes the same callback but for what is
// read-only.
func TestPostBack(t *testing.T) {
	c := newClient(t)
	for _, path := range []string{"/database/788/callbacks", "/collection/8550/callbacks"} {
		id := c.create(path, `{"url":"http://example.com/","method":"xml","action":"delete","expression":"a < b && c"}`)
		shown := c.get("/callback/" + id).want(http.StatusOK)
		original := shown.one()

		copied := c.post(path, shown.body).want(http.StatusCreated).one()
		if copied["ID"] == original["ID"] {
			t.Errorf("the copy has the ID %v of the original", copied["ID"])
		}
		updated := c.post("/callback/"+id, shown.body).want(http.StatusOK).one()
		if updated["ID"] != original["ID"] || updated["created"] != original["created"] {
			t.Errorf("an update made %v of %v", updated, original)
		}
		for _, name := range []string{"url", "expression", "when", "method", "action", "collection", "database", "encoding"} {
			if copied[name] != original[name] || updated[name] != original[name] {
				t.Errorf("%s: original %v, copy %v, update %v", name, original[name], copied[name], updated[name])
			}
		}
	}
}

// An ID in the message is ignored, whatever it is.
func TestReadOnlyIsIgnored(t *testing.T) {
	c := newClient(t)
	for _, id := range []string{`"8"`, `8`, `null`, `{"a":[1]}`, `""`} {
		shown := c.post("/database/788/callbacks", `{"ID":`+id+`,"created":`+id+`,"updated":`+id+`,"url":"http://example.com/"}`).
			want(http.StatusCreated).one()
		if shown["ID"] == "8" || shown["created"] == "8" {
			t.Errorf("took %s for its own: %v", id, shown)
		}
	}
	c.do(http.MethodPost, "/database/788/callbacks", "ID=8&url=http://example.com/", "Content-Type", typeForm).
		want(http.StatusCreated)
}
