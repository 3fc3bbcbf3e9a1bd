package httpapi_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/ringback-dev/ringback/httpapi"
	"github.com/ringback-dev/ringback/store/memory"
	"github.com/ringback-dev/ringback/webhook"
)

// A guard is an authorizer that remembers what it was asked.
type guard struct {
	asked []webhook.Scope
	judge func(webhook.Scope) error
}

func (g *guard) authorize(_ *http.Request, scope webhook.Scope) error {
	g.asked = append(g.asked, scope)
	if g.judge == nil {
		return nil
	}
	return g.judge(scope)
}

// scopesAsked returns the scopes asked for since the last call, as database/collection.
func (g *guard) scopesAsked() []string {
	var all []string
	for _, s := range g.asked {
		all = append(all, s.Database+"/"+s.Collection)
	}
	g.asked = nil
	return all
}

var errSecret = errors.New("secret: user 17 is not in table acl")

// guarded returns a client whose requests a guard judges, over a store with three
// callbacks: 1 on database 788, 2 on collection 8550, 3 on both. Callback 1 has a
// delivery, of event e.
func guarded(t *testing.T, g *guard) *client {
	t.Helper()
	store := newHistory(t)
	for _, scope := range []webhook.Scope{{Database: "788"}, {Collection: "8550"}, {Database: "788", Collection: "8550"}} {
		c := webhook.Callback{Database: scope.Database, Collection: scope.Collection, URL: "http://example.com/"}
		if _, err := store.CreateCallback(t.Context(), c, 0); err != nil {
			t.Fatal(err)
		}
	}
	store.tell("e", "1")
	api, err := httpapi.New(store, pickyChecker, g.authorize, nil)
	if err != nil {
		t.Fatal(err)
	}
	return serve(t, api)
}

func TestAuthorizeIsAskedForEveryScope(t *testing.T) {
	g := &guard{}
	c := guarded(t, g)
	const both = `{"url":"http://example.com/","collection":"8550","database":788}`
	for _, test := range []struct {
		method, path, body string
		status             int
		want               []string
	}{
		{http.MethodGet, "/database/788/callbacks", "", 200, []string{"788/"}},
		{http.MethodHead, "/database/788/callbacks", "", 200, []string{"788/"}},
		{http.MethodGet, "/collection/8550/callbacks", "", 200, []string{"/8550"}},
		{http.MethodPost, "/database/788/callbacks", someURL, 201, []string{"788/"}},
		{http.MethodPost, "/database/788/callbacks", both, 201, []string{"788/", "788/8550"}},
		{http.MethodPost, "/collection/8550/callbacks", someURL, 201, []string{"/8550"}},
		{http.MethodPost, "/collection/8550/callbacks", both, 201, []string{"/8550", "788/", "788/8550"}},
		{http.MethodGet, "/callback/1", "", 200, []string{"/", "788/"}},
		{http.MethodPut, "/callback/2", `{}`, 200, []string{"/", "/8550"}},
		{http.MethodPost, "/callback/3", `{}`, 200, []string{"/", "788/", "788/8550"}},
		{http.MethodPost, "/callback/3/secret", "", 200, []string{"/", "788/", "788/8550"}},
		{http.MethodPost, "/callback/4711/secret", "", 404, []string{"/"}},
		{http.MethodGet, "/callback/3/secret", "", 405, nil},
		{http.MethodGet, "/callback/1/deliveries", "", 200, []string{"/", "788/"}},
		{http.MethodGet, "/callback/3/deliveries", "", 200, []string{"/", "788/", "788/8550"}},
		{http.MethodGet, "/callback/4711/deliveries", "", 404, []string{"/"}},
		{http.MethodPost, "/callback/2/replay", `{"since":"2026-01-01T00:00:00Z"}`, 202, []string{"/", "/8550"}},
		{http.MethodPost, "/callback/4711/replay", `{}`, 404, []string{"/"}},
		{http.MethodGet, "/delivery/e_1", "", 200, []string{"/", "788/"}},
		{http.MethodGet, "/delivery/e_2", "", 404, []string{"/", "/8550"}},
		{http.MethodGet, "/delivery/e_4711", "", 404, []string{"/"}},
		{http.MethodGet, "/delivery/e", "", 404, []string{"/"}},
		{http.MethodPost, "/delivery/e_1/replay", "", 202, []string{"/", "788/"}},
		{http.MethodPost, "/delivery/e_4711/replay", "", 404, []string{"/"}},
		{http.MethodPut, "/delivery/e_1/replay", "", 405, nil},
		{http.MethodPost, "/purge", `{"database":"788","record":"1"}`, 403, nil},
		{http.MethodDelete, "/callback/3", "", 200, []string{"/", "788/", "788/8550"}},
		{http.MethodGet, "/callback/3", "", 404, []string{"/"}},
		{http.MethodPost, "/database/788/callbacks", `{"url":`, 400, []string{"788/"}},
		{http.MethodPost, "/database/788/callbacks", `{"url":"x","collection":"8550"}`, 400, []string{"788/", "788/8550"}},
		{http.MethodPost, "/database/788/callbacks", `{"collection":"` + strings.Repeat("x", 300) + `"}`, 400, []string{"788/"}},
		{http.MethodPost, "/collection/8550/callbacks", `{"database":"\u0000"}`, 400, []string{"/8550"}},
		{http.MethodPatch, "/database/788/callbacks", "", 405, nil},
		{http.MethodGet, "/database/0/callbacks", "", 400, nil},
		{http.MethodGet, "/elsewhere", "", 404, nil},
	} {
		got := c.do(test.method, test.path, test.body, "Content-Type", typeJSON).status
		if asked := g.scopesAsked(); got != test.status || !slices.Equal(asked, test.want) {
			t.Errorf("%s %s: status %d, want %d; asked %q, want %q", test.method, test.path, got, test.status, asked, test.want)
		}
	}
}

func TestRefusals(t *testing.T) {
	g := &guard{}
	c := guarded(t, g)
	before := c.get("/database/788/callbacks").body
	for _, test := range []struct {
		err    error
		status int
	}{
		{errSecret, http.StatusForbidden},
		{webhook.ErrNotFound, http.StatusForbidden},
		{webhook.Invalid("url", "secret"), http.StatusForbidden},
		{httpapi.ErrUnauthorized, http.StatusUnauthorized},
		{fmt.Errorf("secret: %w", httpapi.ErrUnauthorized), http.StatusUnauthorized},
	} {
		for name, refused := range map[string]func(webhook.Scope) bool{
			"everything": func(webhook.Scope) bool { return true },
			"both":       func(s webhook.Scope) bool { return s.Database != "" && s.Collection != "" },
			"789":        func(s webhook.Scope) bool { return s.Database == "789" },
		} {
			g.judge = func(s webhook.Scope) error {
				if refused(s) {
					return test.err
				}
				return nil
			}
			requests := map[string][]string{
				"everything": {"GET /database/788/callbacks", "GET /collection/8550/callbacks", "POST /database/788/callbacks"},
				"both":       {"POST /database/788/callbacks"},
				"789":        {"GET /database/789/callbacks", "POST /collection/8550/callbacks"},
			}[name]
			for _, request := range requests {
				method, path, _ := strings.Cut(request, " ")
				body := `{"url":"http://example.com/","collection":"8550"}`
				if name == "789" {
					body = `{"url":"http://example.com/","database":"789"}`
				}
				answer := c.do(method, path, body, "Content-Type", typeJSON)
				answer.wantError(test.status, "")
				if strings.Contains(answer.body, "secret") {
					t.Errorf("%s: the authorizer's text leaves: %s", request, answer.body)
				}
				challenge := answer.header.Get("WWW-Authenticate")
				if want := map[int]string{http.StatusUnauthorized: "Bearer"}[test.status]; challenge != want {
					t.Errorf("WWW-Authenticate %q, want %q", challenge, want)
				}
			}
		}
	}
	g.judge = nil
	if after := c.get("/database/788/callbacks").body; after != before {
		t.Errorf("refused requests made %s of %s", after, before)
	}
}

// Whether a callback exists must make no difference to those who may not manage
// it, whatever they send and however the authorizer refuses.
func TestOthersCallbacksCannotBeTold(t *testing.T) {
	isEmpty := func(s webhook.Scope) bool { return s == webhook.Scope{} }
	for name, judge := range map[string]func(webhook.Scope) error{
		"forbidden": func(webhook.Scope) error { return errSecret },
		"forbidden where there is a scope": func(s webhook.Scope) error {
			if isEmpty(s) {
				return nil
			}
			return errSecret
		},
		"unauthorized": func(webhook.Scope) error { return httpapi.ErrUnauthorized },
		"unauthorized where there is a scope": func(s webhook.Scope) error {
			if isEmpty(s) {
				return nil
			}
			return httpapi.ErrUnauthorized
		},
		"unauthorized where there is none": func(s webhook.Scope) error {
			if isEmpty(s) {
				return httpapi.ErrUnauthorized
			}
			return errSecret
		},
	} {
		g := &guard{}
		c := guarded(t, g)
		before := c.get("/database/788/callbacks").body + c.get("/collection/8550/callbacks").body
		g.judge = judge
		for _, request := range []string{
			"GET", "PUT", "POST", "DELETE", "PATCH", "POST /secret", "GET /secret", "GET /deliveries", "GET /deliveries?limit=x",
			"PUT /deliveries", "POST /replay", "GET /replay",
			"GET delivery", "POST delivery", "POST delivery/replay", "GET delivery/replay",
		} {
			method, below, _ := strings.Cut(request, " ")
			prefix := "/callback/"
			if rest, ok := strings.CutPrefix(below, "delivery"); ok {
				prefix, below = "/delivery/e_", rest
			}
			for _, message := range [][2]string{
				{typeJSON, `{"expression":"x"}`}, {typeJSON, `{"database":"1"}`}, {typeJSON, `{`}, {typeForm, "method=xml"},
				{typeJSON, `{"since":"2026-01-01T00:00:00Z"}`}, {"text/plain", "x"}, {typeJSON, strings.Repeat("x", 70_000)}, {typeJSON, ""},
			} {
				var first string
				for i, id := range []string{
					"1", "2", "3", "4", "none", "0", "-1", "01", "%31", "1%00", "%FF", "a%2Fb", "%20", "1;", strings.Repeat("9", 300),
				} {
					answer := c.do(method, prefix+id+below, message[1], "Content-Type", message[0])
					answer.header.Del("Date")
					got := fmt.Sprint(answer.status, answer.header, answer.body)
					if i == 0 {
						first = got
					}
					if got != first {
						t.Errorf("%s: %s of %s: %s\nwant as for the first: %s", name, request, id, got, first)
					}
				}
				want := "404"
				if name == "unauthorized" || name == "unauthorized where there is none" {
					want = "401"
				}
				switch request {
				case "PATCH", "GET /secret", "PUT /deliveries", "GET /replay", "POST delivery", "GET delivery/replay":
					want = "405"
				}
				if !strings.HasPrefix(first, want) {
					t.Errorf("%s: %s: %s, want %s", name, request, first, want)
				}
			}
		}
		g.judge = nil
		if after := c.get("/database/788/callbacks").body + c.get("/collection/8550/callbacks").body; after != before {
			t.Errorf("%s: refused requests made %s of %s", name, after, before)
		}
	}
}

// Whoever is refused cannot make the log large.
func TestRefusalsAreLoggedShort(t *testing.T) {
	var log bytes.Buffer
	api, err := httpapi.New(memory.New(), pickyChecker, func(*http.Request, webhook.Scope) error { return httpapi.ErrUnauthorized },
		&httpapi.Options{Logger: slog.New(slog.NewTextHandler(&log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	c := serve(t, api)
	for _, path := range []string{"/callback/", "/delivery/"} {
		log.Reset()
		c.get(path+strings.Repeat("x", 100_000)).wantError(http.StatusUnauthorized, "")
		if log.Len() > 4096 || !strings.Contains(log.String(), "path="+path+"xxx") {
			t.Errorf("%s: logged %d bytes: %.200s", path, log.Len(), &log)
		}
	}
}

// Being allowed one of two scopes is not enough.
func TestOneOfTwoScopes(t *testing.T) {
	for _, allowed := range []webhook.Scope{{Database: "788"}, {Collection: "8550"}} {
		g := &guard{}
		c := guarded(t, g)
		g.judge = func(s webhook.Scope) error {
			if s == allowed {
				return nil
			}
			return errSecret
		}
		c.get("/callback/3").wantError(http.StatusNotFound, "")
		c.put("/callback/3", `{"url":"http://example.org/"}`).wantError(http.StatusNotFound, "")
		c.do(http.MethodPost, "/callback/3/secret", "").wantError(http.StatusNotFound, "")
		c.do(http.MethodDelete, "/callback/3", "").wantError(http.StatusNotFound, "")
		c.get("/callback/3/deliveries").wantError(http.StatusNotFound, "")
		c.post("/callback/3/replay", `{"since":"2026-01-01T00:00:00Z"}`).wantError(http.StatusNotFound, "")
		own := map[webhook.Scope]string{{Database: "788"}: "1", {Collection: "8550"}: "2"}[allowed]
		c.put("/callback/"+own, `{"url":"http://example.org/"}`).want(http.StatusOK)
	}
}

// An authorizer may look for a token wherever it likes: the body stays whole.
func TestAuthorizerCannotSpoilTheBody(t *testing.T) {
	api, err := httpapi.New(memory.New(), pickyChecker, func(r *http.Request, _ webhook.Scope) error {
		if body, err := io.ReadAll(r.Body); err != nil || len(body) > 0 {
			t.Errorf("the authorizer reads %q, %v", body, err)
		}
		if r.FormValue("access_token") != "letmein" {
			return httpapi.ErrUnauthorized
		}
		return nil
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	c := serve(t, api)
	const path = "/database/788/callbacks"
	shown := c.do(http.MethodPost, path+"?access_token=letmein", "url=http://example.com/&expression=a", "Content-Type", typeForm).
		want(http.StatusCreated).one()
	wantProperties(t, shown, map[string]any{"url": "http://example.com/", "expression": "a"})
	c.do(http.MethodPost, path+"?access_token=letmein", "url=http://example.com/&expression=%zz", "Content-Type", typeForm).
		wantError(http.StatusBadRequest, "")
	c.do(http.MethodPost, path, "url=http://example.com/&access_token=letmein", "Content-Type", typeForm).
		wantError(http.StatusUnauthorized, "")
}
