package httpapi_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/ringback-dev/ringback/httpapi"
	"github.com/ringback-dev/ringback/store/memory"
	"github.com/ringback-dev/ringback/webhook"
)

const (
	typeJSON = "application/json"
	typeForm = "application/x-www-form-urlencoded"
)

// checker stands in for the engine.
type checker func(context.Context, webhook.Callback) error

func (c checker) Check(ctx context.Context, callback webhook.Callback) error { return c(ctx, callback) }

// pickyChecker refuses one expression and one host.
var pickyChecker = checker(func(_ context.Context, c webhook.Callback) error {
	if c.Expression == "while(true){}" {
		return webhook.Invalid("expression", "is not one expression: line 1, column 1")
	}
	if strings.Contains(c.URL, "//127.0.0.1") {
		return webhook.Invalid("url", "would not be called: a loopback address")
	}
	return nil
})

func everybody(*http.Request, webhook.Scope) error { return nil }

// newAPI returns an API that lets everybody in.
func newAPI(t testing.TB, store httpapi.Store, o *httpapi.Options) *httpapi.API {
	t.Helper()
	api, err := httpapi.New(store, pickyChecker, everybody, o)
	if err != nil {
		t.Fatal(err)
	}
	return api
}

// A client talks to a server of its own.
type client struct {
	t    testing.TB
	base string
	http *http.Client
}

func serve(t testing.TB, handler http.Handler) *client {
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	c := &client{t, server.URL, server.Client()}
	c.http.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return c
}

// newClient returns a client of a new API over a new store.
func newClient(t testing.TB) *client {
	return serve(t, newAPI(t, memory.New(), nil))
}

type answer struct {
	t      testing.TB
	status int
	header http.Header
	body   string
}

// do sends a request with headers given as name, value, name, value …
func (c *client) do(method, path, body string, headers ...string) answer {
	c.t.Helper()
	var reader io.Reader
	if body != "" {
		reader = strings.NewReader(body)
	}
	return c.send(method, path, reader, headers...)
}

func (c *client) send(method, path string, body io.Reader, headers ...string) answer {
	c.t.Helper()
	r, err := http.NewRequest(method, c.base+path, body)
	if err != nil {
		c.t.Fatal(err)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	response, err := c.http.Do(r)
	if err != nil {
		c.t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	return answer{c.t, response.StatusCode, response.Header, string(text)}
}

func (c *client) get(path string) answer {
	c.t.Helper()
	return c.do(http.MethodGet, path, "")
}

func (c *client) post(path, body string) answer {
	c.t.Helper()
	return c.do(http.MethodPost, path, body, "Content-Type", typeJSON)
}

func (c *client) put(path, body string) answer {
	c.t.Helper()
	return c.do(http.MethodPut, path, body, "Content-Type", typeJSON)
}

// create registers a callback and returns its ID.
func (c *client) create(path, body string) string {
	c.t.Helper()
	return c.post(path, body).want(http.StatusCreated).one()["ID"].(string)
}

// parallel runs tests that use the same server at the same time.
func (c *client) parallel(tests map[string]func(*client)) {
	c.t.(*testing.T).Run("parallel", func(t *testing.T) {
		for name, test := range tests {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				test(&client{t, c.base, c.http})
			})
		}
	})
}

// want demands a status, and what every answer has.
func (a answer) want(status int) answer {
	a.t.Helper()
	if a.status != status {
		a.t.Fatalf("status %d, want %d: %s", a.status, status, a.body)
	}
	for name, value := range map[string]string{
		"Content-Type":           typeJSON,
		"X-Content-Type-Options": "nosniff",
		"Cache-Control":          "no-store",
	} {
		if got := a.header.Get(name); got != value {
			a.t.Errorf("%s: %q, want %q", name, got, value)
		}
	}
	return a
}

// wantError demands an error that blames a field ("" for none) and whose message
// contains each of the texts.
func (a answer) wantError(status int, field string, texts ...string) {
	a.t.Helper()
	a.want(status)
	var body struct {
		Error *struct {
			Message string
			Field   *string
		}
	}
	a.decode(&body)
	if body.Error == nil || body.Error.Message == "" {
		a.t.Fatalf("no error message: %s", a.body)
	}
	switch got := body.Error.Field; {
	case field == "" && got != nil:
		a.t.Errorf("blames field %q, want none: %s", *got, a.body)
	case field != "" && (got == nil || *got != field):
		a.t.Errorf("does not blame field %q: %s", field, a.body)
	}
	for _, text := range append(texts, field) {
		if !strings.Contains(body.Error.Message, text) {
			a.t.Errorf("message lacks %q: %s", text, body.Error.Message)
		}
	}
}

// decode decodes the body and demands that all of it is known to the target.
func (a answer) decode(to any) {
	a.t.Helper()
	d := json.NewDecoder(strings.NewReader(a.body))
	d.DisallowUnknownFields()
	d.UseNumber()
	if err := d.Decode(to); err != nil {
		a.t.Fatalf("%v: %s", err, a.body)
	}
}

// A listing is the envelope, with the types that it has on the wire.
type listing struct {
	Start json.Number
	Limit any
	Total *int
	Data  []map[string]any
}

func (a answer) listing() listing {
	a.t.Helper()
	var l listing
	a.decode(&l)
	if l.Data == nil {
		a.t.Fatalf("data is no list: %s", a.body)
	}
	return l
}

// ids returns the IDs in a listing.
func (l listing) ids() []string {
	ids := make([]string, len(l.Data))
	for i, c := range l.Data {
		ids[i], _ = c["ID"].(string)
	}
	return ids
}

// one returns the only callback in an envelope that says so.
func (a answer) one() map[string]any {
	a.t.Helper()
	l := a.listing()
	if len(l.Data) != 1 || l.Start != "0" || l.Limit != json.Number("1") || l.Total == nil || *l.Total != 1 {
		a.t.Fatalf("not the envelope of one callback: %s", a.body)
	}
	return l.Data[0]
}

// wantProperties demands values of a callback.
func wantProperties(t testing.TB, c map[string]any, want map[string]any) {
	t.Helper()
	for name, value := range want {
		if c[name] != value {
			t.Errorf("%s is %#v, want %#v", name, c[name], value)
		}
	}
}

const zero = json.Number("0")
