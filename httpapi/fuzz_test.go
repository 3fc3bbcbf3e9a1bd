package httpapi_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/ringback-dev/ringback/httpapi"
	"github.com/ringback-dev/ringback/store/memory"
	"github.com/ringback-dev/ringback/webhook"
	"github.com/ringback-dev/ringback/webhook/signature"
)

// post hands a body to an API without a network between.
func post(t *testing.T, handler http.Handler, path, contentType, body string) answer {
	t.Helper()
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(body))
	r.Header.Set("Content-Type", contentType)
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	return answer{t, w.Code, w.Header(), w.Body.String()}
}

// tryBody posts a body to a new API. Either it is refused and nothing is there, or
// the callback that is there is valid: then it is returned.
func tryBody(t *testing.T, contentType, body string) *webhook.Callback {
	t.Helper()
	store := memory.New()
	answer := post(t, newAPI(t, store, nil), "/database/788/callbacks", contentType, body)
	page, err := store.Callbacks(t.Context(), webhook.CallbackQuery{Limit: 2})
	if err != nil {
		t.Fatal(err)
	}
	switch answer.status {
	case http.StatusCreated:
		if len(page.Callbacks) != 1 {
			t.Fatalf("%d callbacks were created", len(page.Callbacks))
		}
		c := page.Callbacks[0]
		if err := c.Validate(); err != nil || c.Database != "788" {
			t.Errorf("stored %+v: %v", c, err)
		}
		wantProperties(t, answer.want(http.StatusCreated).one(), map[string]any{"url": c.URL, "expression": c.Expression})
		return &c
	case http.StatusBadRequest, http.StatusRequestEntityTooLarge:
		var body struct {
			Error struct{ Message, Field string }
		}
		answer.want(answer.status).decode(&body)
		if body.Error.Message == "" || len(page.Callbacks) != 0 {
			t.Errorf("refused with %s, and %d callbacks are there", answer.body, len(page.Callbacks))
		}
	default:
		t.Errorf("status %d: %s", answer.status, answer.body)
	}
	return nil
}

var objectSeeds = []string{
	`{"url":"http://example.com/"}`,
	`{"url":"http:\/\/\/callback.php","expression":"","method":"json","action":"update","database":"788"}`,
	`{"url":"http%3A%2F%2Fexample.com%2F","expression":"\ud83d\ude00 < & \u2028","method":"xml","action":"all"}`,
	`{"url":"http://example.com/","collection":8550,"database":0,"ID":null}`,
	`{"url":"http://example.com/","collection":1e3}`,
	`{"url":"http://example.com/","expression":"\ud83d"}`,
	"{\"url\":\"http://example.com/\",\"expression\":\"\xff\"}",
	`{"url":"http://example.com/","url":"http://example.org/"}`,
	`{"url":"http://example.com/","secret":"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}`,
	`{"url":"http://example.com/","secret":"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSx=="}`,
	`{"url":"http://example.com/","secret":""}`,
	`{"url":"http://example.com/","Expression":"a"}`,
	`{"url":"http://example.com/","ordering":"skip","state":"disabled","reason":7,"successes":null,"paused_until":""}`,
	`{"url":"http://example.com/","state":"paused"}`,
	`{"url":null}`, `{}`, `[]`, `null`, `"`, `{"url":[[[[`, `{"\u0075rl":"http://example.com/"}`, ``, ` `,
}

// FuzzObject: what is stored is what everybody else reads in the same bytes.
func FuzzObject(f *testing.F) {
	for _, seed := range objectSeeds {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body string) {
		c := tryBody(t, typeJSON, body)
		if c == nil {
			return
		}
		var read map[string]any
		d := json.NewDecoder(strings.NewReader(body))
		d.UseNumber()
		if err := d.Decode(&read); err != nil {
			t.Fatalf("accepted what is no JSON object: %v", err)
		}
		if _, ok := read["data"]; ok {
			return // an envelope: see below
		}
		if expression, _ := read["expression"].(string); c.Expression != expression {
			t.Errorf("expression %q, want %q", c.Expression, expression)
		}
		if raw, _ := read["url"].(string); strings.Contains(raw, "://") && c.URL != raw {
			t.Errorf("url %q, want %q", c.URL, raw)
		}
		if secret, ok := read["secret"].(string); ok && c.Secret.Reveal() != secret || c.Secret == (signature.Secret{}) {
			t.Errorf("secret %q, want %q", c.Secret.Reveal(), secret)
		}
		if state, ok := read["state"].(string); ok && string(c.State) != state || !ok && c.State != webhook.StateActive || (c.Reason == "") != (c.State == webhook.StateActive) {
			t.Errorf("state %q because of %q, want %v", c.State, c.Reason, read["state"])
		}
		if ordering, ok := read["ordering"].(string); ok && string(c.Ordering) != ordering {
			t.Errorf("ordering %q, want %q", c.Ordering, ordering)
		}
		switch id := read["collection"].(type) {
		case json.Number:
			if c.Collection != id.String() && !(id == "0" && c.Collection == "") {
				t.Errorf("collection %q, want %s", c.Collection, id)
			}
		case string:
			if c.Collection != id && !(id == "0" && c.Collection == "") {
				t.Errorf("collection %q, want %q", c.Collection, id)
			}
		case nil:
			if c.Collection != "" {
				t.Errorf("collection %q, want none", c.Collection)
			}
		}
	})
}

// FuzzEnvelope: around the same object it changes nothing.
func FuzzEnvelope(f *testing.F) {
	for _, seed := range objectSeeds {
		f.Add(`{"data":[`, seed, `]}`)
	}
	f.Add(`{"start":0,"limit":1,"total":1,"data":[`, objectSeeds[0], `]}`)
	f.Add(`{"data":[`, objectSeeds[0], `],"limit":"1"}`)
	f.Add(`{"data":[{},`, objectSeeds[0], `]}`)
	f.Add(`{"data":`, objectSeeds[0], `}`)
	f.Add(`{"data":[],"data":[`, objectSeeds[0], `]}`)
	f.Add(`{"url":"http://example.org/","data":[`, objectSeeds[0], `]}`)
	f.Fuzz(func(t *testing.T, before, object, after string) {
		enveloped := tryBody(t, typeJSON, before+object+after)
		if before != `{"data":[` || after != `]}` || !json.Valid([]byte(object)) || strings.Contains(object, `data`) || len(object) > 60_000 {
			return
		}
		bare := tryBody(t, typeJSON, object)
		if (bare == nil) != (enveloped == nil) {
			t.Fatalf("bare %+v, in an envelope %+v", bare, enveloped)
		}
		if bare != nil && definition(*bare) != definition(*enveloped) {
			t.Errorf("bare %+v, in an envelope %+v", bare, enveloped)
		}
	})
}

// definition returns a callback without what it is given.
func definition(c webhook.Callback) webhook.Callback {
	c.ID, c.Created, c.Updated, c.Secret = "", time.Time{}, time.Time{}, signature.Secret{}
	return c
}

// FuzzForm: what is stored is what everybody else reads in the same bytes.
func FuzzForm(f *testing.F) {
	for _, seed := range []string{
		"url=http://example.com/", "url=http%3A%2F%2Fexample.com%2F&expression=a+%3D%3D+'b'", "url=http%253A%252F%252Fexample.com%252F",
		"url=http://example.com/&url=x", "url=http://example.com/&expression=%zz", "url=http://example.com/&expression=a;b",
		"url=http://example.com/&collection=8550&database=0&method=xml&action=create&ID=8", "url=%FF", "expression=%00",
		"url=http://example.com/&secret=whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "url=http://example.com/&secret=whsec_", "&&=&", "Method=xml", "",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body string) {
		c := tryBody(t, typeForm, body)
		if c == nil {
			return
		}
		read, err := url.ParseQuery(body)
		if err != nil {
			t.Fatalf("accepted what is no form: %v", err)
		}
		if c.Expression != read.Get("expression") {
			t.Errorf("expression %q, want %q", c.Expression, read.Get("expression"))
		}
		for name, values := range read {
			if len(values) != 1 {
				t.Errorf("accepted %s %d times", name, len(values))
			}
		}
	})
}

// FuzzSecret: a rotation stores the secret that it shows, the one that was asked for if
// there was one, and keeps the old one; or it changes nothing.
func FuzzSecret(f *testing.F) {
	const own = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"
	f.Add("", "")
	f.Add("", " \n")
	f.Add("text/plain", "")
	f.Add("text/plain", own)
	for _, seed := range []string{
		`{"secret":"` + own + `"}`, `{"data":[{"secret":"` + own + `"}]}`, `{"secret":"whsec_"}`, `{"secret":"` + goldenSecret.Reveal() + `"}`,
		`{}`, `{"data":[{}]}`, `{"secret":"` + own + `","url":"http://example.com/"}`, `{"secret":null}`, `null`, `{"secret":"\ud83d"}`,
	} {
		f.Add(typeJSON, seed)
	}
	for _, seed := range []string{"secret=" + url.QueryEscape(own), "secret=" + own, "secret=", "secret=a&secret=a", "&", "url=x", "secret\x00" + own} {
		f.Add(typeForm, seed)
	}
	f.Fuzz(func(t *testing.T, contentType, body string) {
		store := memory.New()
		before, err := store.CreateCallback(t.Context(), webhook.Callback{Database: "788", URL: "http://example.com/", Secret: goldenSecret}, 0)
		if err != nil {
			t.Fatal(err)
		}
		answer := post(t, newAPI(t, store, nil), "/callback/"+before.ID+"/secret", contentType, body)
		after := stored(t, store, before.ID)
		if answer.status != http.StatusOK {
			if after != before || strings.Contains(answer.body, "whsec_C2") {
				t.Errorf("%d %s, and %+v of %+v", answer.status, answer.body, after, before)
			}
			return
		}
		shown := secretOf(t, answer)
		rotated := after.PreviousSecret == goldenSecret && after.PreviousUntil.After(time.Now())
		if after.Secret != shown || rotated != (shown != goldenSecret) || !rotated && after != before {
			t.Errorf("showed %s, and made %+v of %+v", shown.Reveal(), after, before)
		}
		var asked struct{ Secret *string }
		if contentType == typeJSON && json.Unmarshal([]byte(body), &asked) == nil && asked.Secret != nil && shown.Reveal() != *asked.Secret {
			t.Errorf("showed %s, want %s", shown.Reveal(), *asked.Secret)
		}
	})
}

// FuzzReplay: what the store is asked for is what everybody else reads in the same
// bytes; or it is asked for nothing.
func FuzzReplay(f *testing.F) {
	for _, seed := range []string{
		`{"since":"2026-11-23T10:33:00Z"}`, `{"since":"2026-11-23T10:33:00.5+01:00","state":"dead"}`, `{"data":[{"since":"2026-11-23T10:33:00Z"}]}`,
		`{"since":"2026-11-23T10:33:00Z","state":"ready"}`, `{"since":"9999-12-31T23:59:59-23:59"}`, `{"since":""}`, `{"state":"dead"}`, `{"since":1}`,
		`{"since":"2026-11-23T10:33:00Z","since":"2026-11-23T10:33:00Z"}`, `{}`, `null`, ``,
	} {
		f.Add(typeJSON, seed)
	}
	for _, seed := range []string{"since=2026-11-23T10:33:00%2B01:00&state=delivered", "since=2026-11-23T10:33:00+01:00", "since=%zz", "until=x", "&"} {
		f.Add(typeForm, seed)
	}
	f.Add("text/plain", "")
	f.Fuzz(func(t *testing.T, contentType, body string) {
		store := &replayCounter{Store: memory.New()}
		before, err := store.CreateCallback(t.Context(), webhook.Callback{Database: "788", URL: "http://example.com/"}, 0)
		if err != nil {
			t.Fatal(err)
		}
		answer := post(t, newAPI(t, store, nil), "/callback/"+before.ID+"/replay", contentType, body)
		if answer.status != http.StatusAccepted {
			if len(store.requests) > 0 || answer.status >= 500 {
				t.Errorf("%d %s, and asked for %+v", answer.status, answer.body, store.requests)
			}
			return
		}
		if len(store.requests) != 1 || store.requests[0].Callback != before.ID {
			t.Fatalf("asked for %+v", store.requests)
		}
		asked, since, state := store.requests[0], "", ""
		if form, err := url.ParseQuery(body); contentType == typeForm && err == nil {
			since, state = form.Get("since"), form.Get("state")
		} else {
			var read struct{ Since, State string }
			if err := json.Unmarshal([]byte(body), &read); err != nil || strings.Contains(body, "data") || contentType != typeJSON {
				return // an envelope, or a type that is written in another way
			}
			since, state = read.Since, read.State
		}
		want, err := time.Parse(time.RFC3339, since)
		if early := want.Sub(asked.Since); err != nil || early > time.Millisecond || early <= -time.Millisecond || string(asked.State) != state {
			t.Errorf("asked for %+v, want %q, %q", asked, since, state)
		}
	})
}

// FuzzPurge: what is purged is what everybody else reads in the same bytes; or nothing
// is.
func FuzzPurge(f *testing.F) {
	for _, seed := range []string{
		`{"database":"788","collection":0,"record":"1"}`, `{"database":788,"record":1}`, `{"data":[{"database":788,"record":1}]}`,
		`{"database":"788","collection":"8550","record":"\u00e9 \ud83d\ude00"}`, `{"database":"788","record":"\ud83d"}`,
		`{"database":"0","record":"1"}`, `{"database":"788","record":""}`, `{"database":"788","record":1e3}`, `{"database":"788","record":007}`,
		`{"database":"788","record":"1","record":"2"}`, `{}`, `null`, ``,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body string) {
		store := &replayCounter{Store: memory.New()}
		answer := post(t, newAPI(t, store, &httpapi.Options{Operator: everybody}), "/purge", typeJSON, body)
		if answer.status != http.StatusOK {
			if len(store.purged) > 0 || answer.status >= 500 {
				t.Errorf("%d %s, and purged %q", answer.status, answer.body, store.purged)
			}
			return
		}
		var read map[string]any
		d := json.NewDecoder(strings.NewReader(body))
		d.UseNumber()
		if err := d.Decode(&read); err != nil {
			t.Fatalf("accepted what is no JSON object: %v", err)
		}
		if _, ok := read["data"]; ok {
			return // an envelope
		}
		collection := ""
		if id := read["collection"]; id != nil && fmt.Sprint(id) != "0" {
			collection = fmt.Sprint(id)
		}
		want := fmt.Sprint(read["database"]) + "/" + collection + "/" + fmt.Sprint(read["record"])
		if len(store.purged) != 1 || store.purged[0] != want {
			t.Errorf("purged %q, want %s", store.purged, want)
		}
	})
}

// FuzzFilters: a list of deliveries is what was asked for, or an error.
func FuzzFilters(f *testing.F) {
	for _, seed := range []string{
		"", "state=dead", "state=", "record=1", "record=%00", "since=2026-11-23T10:33:00Z", "until=2026-11-23T10:33:00%2B01:00", "since=x",
		"state=dead&state=dead", "since=0000-01-01T00:00:00Z&until=9999-12-31T23:59:59Z", "until=0001-01-01T00:00:00Z", "record=%zz&limit=1", "access_token=a;b&total=false",
	} {
		f.Add(seed)
	}
	store := newHistory(f)
	if _, err := store.CreateCallback(f.Context(), webhook.Callback{Database: "788", URL: "http://example.com/"}, 0); err != nil {
		f.Fatal(err)
	}
	for i := range 3 {
		store.tell("e"+strconv.Itoa(i), strconv.Itoa(i))
	}
	api := newAPI(f, store, nil)
	f.Fuzz(func(t *testing.T, query string) {
		r := httptest.NewRequest(http.MethodGet, "/callback/1/deliveries", nil)
		r.URL.RawQuery = query
		w := httptest.NewRecorder()
		api.ServeHTTP(w, r)
		answer := answer{t, w.Code, w.Header(), w.Body.String()}
		if answer.status != http.StatusOK {
			answer.want(http.StatusBadRequest)
			return
		}
		asked, _ := url.ParseQuery(query) // what is malformed is none of ours
		for _, d := range answer.want(http.StatusOK).listing().Data {
			at, err := time.Parse(time.RFC3339, d["created"].(string))
			since, _ := time.Parse(time.RFC3339, asked.Get("since"))
			until, _ := time.Parse(time.RFC3339, asked.Get("until"))
			if err != nil || asked.Has("state") && asked.Get("state") != d["state"] || asked.Has("record") && asked.Get("record") != d["record"] ||
				at.Before(since) || asked.Has("until") && !at.Before(until) {
				t.Errorf("%q lists %v", query, d)
			}
		}
	})
}

// FuzzQuery: a listing keeps to its envelope whatever is asked, and other keys
// make no difference.
func FuzzQuery(f *testing.F) {
	for _, seed := range []string{
		"", "limit=1", "start=1&limit=2", "total=false", "limit=0", "limit=+5", "limit=%31", "start=99999999999999999999", "start=01",
		"limit=1&limit=1", "access_token=a;b", "%zz=1&limit=%zz", "limit", "&=&", "total", "limit=1&start=-1", "limit=٣",
	} {
		f.Add(seed)
	}
	store := memory.New()
	for range 3 {
		if _, err := store.CreateCallback(f.Context(), webhook.Callback{Database: "788", URL: "http://example.com/"}, 0); err != nil {
			f.Fatal(err)
		}
	}
	api := newAPI(f, store, nil)
	f.Fuzz(func(t *testing.T, query string) {
		get := func(query string) answer {
			r := httptest.NewRequest(http.MethodGet, "/database/788/callbacks", nil)
			r.URL.RawQuery = query
			w := httptest.NewRecorder()
			api.ServeHTTP(w, r)
			return answer{t, w.Code, w.Header(), w.Body.String()}
		}
		answer := get(query)
		if other := get("access_token=%zz;&" + query + "&%"); other.status != answer.status || other.body != answer.body {
			t.Errorf("other keys make a difference: %s and %s", answer.body, other.body)
		}
		if answer.status != http.StatusOK {
			answer.want(http.StatusBadRequest)
			return
		}
		page := answer.want(http.StatusOK).listing()
		limit := 100
		if text, ok := page.Limit.(string); ok {
			limit, _ = strconv.Atoi(text)
		}
		start, err := strconv.Atoi(page.Start.String())
		if err != nil {
			start = 3 // beyond the end
		}
		if limit < 1 || limit > 1000 || start < 0 || len(page.Data) != min(limit, max(0, 3-start)) || page.Total != nil && *page.Total != 3 {
			t.Errorf("%q: %s", query, answer.body)
		}
	})
}

// FuzzEncodedURL: a URL that is percent-encoded as a whole is the same as plain.
func FuzzEncodedURL(f *testing.F) {
	for _, seed := range []string{
		"http://example.com/", "https://example.com:8443/a?b=c&d=%20+", "HTTPS://EXAMPLE.COM", "http://[2001:db8::1]/", "http://example.com/%3A%2F",
		"http:///callback.php", "ftp://example.com/", "http://bücher.example/ü", "http:example.com", "http://example.com/?u=http://x", "%", "http://%zz/", "",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, plain string) {
		if !utf8.ValidString(plain) || len(plain) > 2*webhook.MaxURL || strings.HasPrefix(strings.ToLower(plain), "http%3a") ||
			strings.HasPrefix(strings.ToLower(plain), "https%3a") {
			return // not plain
		}
		asJSON := func(raw string) string {
			return string(webhook.AppendJSONString([]byte(`{"url":`), raw)) + "}"
		}
		want := tryBody(t, typeJSON, asJSON(plain))
		encoded := strings.ReplaceAll(url.QueryEscape(plain), "+", "%20")
		for name, got := range map[string]*webhook.Callback{
			"encoded in JSON":   tryBody(t, typeJSON, asJSON(encoded)),
			"plain in a form":   tryBody(t, typeForm, "url="+encoded),
			"encoded in a form": tryBody(t, typeForm, "url="+url.QueryEscape(encoded)),
		} {
			if (got == nil) != (want == nil) || got != nil && (got.URL != want.URL || got.URL != plain) {
				t.Errorf("%s: %+v, plain: %+v", name, got, want)
			}
		}
	})
}

// FuzzPath: an ID arrives as it is, and no path is answered but with JSON.
func FuzzPath(f *testing.F) {
	for _, seed := range []string{"788", "a/b", "..", "ü", "%2F", "\x00", "\xff", "0", "", "a b", "//evil.example/callback"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, id string) {
		store := memory.New()
		r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(someURL))
		r.Header.Set("Content-Type", typeJSON)
		u, err := url.ParseRequestURI("/database/" + url.PathEscape(id) + "/callbacks")
		if err != nil {
			t.Fatal(err)
		}
		r.URL, r.RequestURI = u, u.RequestURI()
		w := httptest.NewRecorder()
		newAPI(t, store, nil).ServeHTTP(w, r)
		got := answer{t, w.Code, w.Header(), w.Body.String()}
		valid := id != "" && id != "0" && len(id) <= webhook.MaxID && utf8.ValidString(id) && !strings.Contains(id, "\x00")
		switch {
		case valid:
			wantProperties(t, got.want(http.StatusCreated).one(), map[string]any{"database": id})
			if location := got.header.Get("Location"); location != "/callback/1" {
				t.Errorf("Location %q", location)
			}
		case id == "":
			got.wantError(http.StatusNotFound, "")
		default:
			got.wantError(http.StatusBadRequest, "database")
		}
	})
}
