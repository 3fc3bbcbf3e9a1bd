package httpapi_test

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/ringback-dev/ringback/httpapi"
	"github.com/ringback-dev/ringback/webhook"
)

// operated returns a client whose purges a guard judges.
func operated(t *testing.T, store httpapi.Store, g *guard) *client {
	t.Helper()
	return serve(t, newAPI(t, store, &httpapi.Options{Operator: g.authorize}))
}

// What is known of a record is gone after a purge, and what is known of others is not.
func TestPurge(t *testing.T) {
	store := newHistory(t)
	g := &guard{}
	c := operated(t, store, g)
	id := c.create("/database/788/callbacks", someURL)
	store.tell("e1", "1")
	store.tell("e2", "1")
	store.tell("e3", "2")
	for _, want := range []string{`{"events":2}`, `{"events":0}`} {
		if got := c.post("/purge", `{"database":788,"record":1}`).want(http.StatusOK).body; got != want+"\n" {
			t.Errorf("answered %s, want %s", got, want)
		}
	}
	if got := c.get("/callback/" + id + "/deliveries").listing().ids(); !slices.Equal(got, []string{"e3_" + id}) {
		t.Errorf("left are %q", got)
	}
	c.get("/delivery/e1_"+id).wantError(http.StatusNotFound, "")
	if asked, want := g.scopesAsked(), []string{"788/", "788/"}; !slices.Equal(asked, want) {
		t.Errorf("asked for %q, want %q", asked, want)
	}
}

// Numbers and strings name the same record, in each form of a body.
func TestPurgeBodies(t *testing.T) {
	store := &replayCounter{Store: newHistory(t)}
	g := &guard{}
	c := operated(t, store, g)
	const huge = "123456789012345678901234567890"
	for _, row := range [][3]string{
		{typeJSON, `{"database":"788","collection":0,"record":"1"}`, "788//1"},
		{typeJSON, `{"database":788,"record":1}`, "788//1"},
		{typeJSON, `{"database":788,"collection":"","record":0}`, "788//0"},
		{typeJSON, `{"database":"a/b","collection":8550,"record":` + huge + `}`, "a/b/8550/" + huge},
		{typeJSON, `{"data":[{"database":"788","collection":"ü","record":"a b"}]}`, "788/ü/a b"},
		{typeForm, "database=788&collection=0&record=1", "788//1"},
		{typeForm, "database=788&collection=8550&record=%2B", "788/8550/+"},
	} {
		got := c.do(http.MethodPost, "/purge", row[1], "Content-Type", row[0]).want(http.StatusOK).body
		if got != `{"events":3}`+"\n" || store.purged[len(store.purged)-1] != row[2] {
			t.Errorf("%s: answered %s, and purged %q, want %s", row[1], got, store.purged, row[2])
		}
		place := row[2][:strings.LastIndex(row[2], "/")]
		if asked := g.scopesAsked(); !slices.Equal(asked, []string{place}) {
			t.Errorf("%s: asked for %q, want %q", row[1], asked, place)
		}
	}
}

func TestBadPurge(t *testing.T) {
	store := &replayCounter{Store: newHistory(t)}
	g := &guard{}
	c := operated(t, store, g)
	const ok = `"database":"788","record":"1"`
	long := strings.Repeat("x", webhook.MaxID+1)
	for _, test := range []struct{ body, field, text string }{
		{` `, "", "name the properties of the purge"},
		{`{}`, "database", "missing"},
		{`{"record":"1"}`, "database", "missing"},
		{`{"database":0,"record":"1"}`, "database", "missing"},
		{`{"database":"","record":"1"}`, "database", "missing"},
		{`{"collection":"8550","record":"1"}`, "database", "missing"},
		{`{"database":"788"}`, "record", "missing"},
		{`{"database":"788","record":""}`, "record", "missing"},
		{`{"database":"788","record":null}`, "record", "null"},
		{`{"database":"788","record":1.0}`, "record", "whole number"},
		{`{"database":"788","record":-1}`, "record", "whole number"},
		{`{"database":"788","record":true}`, "record", "whole number"},
		{`{"database":"788","record":["1"]}`, "record", "whole number"},
		{`{"database":"788","record":"\u0000"}`, "record", "NUL"},
		{"{\"database\":\"788\",\"record\":\"\xff\"}", "record", "UTF-8"},
		{`{"database":"788","record":"` + long + `"}`, "record", "255"},
		{`{"database":"` + long + `","record":"1"}`, "database", "255"},
		{`{"database":"788","collection":"` + long + `","record":"1"}`, "collection", "255"},
		{`{"database":null,"record":"1"}`, "database", "null"},
		{`{` + ok + `,"record":"2"}`, "record", "more than once"},
		{`{` + ok + `,"records":["2"]}`, "records", "did you mean record"},
		{`{` + ok + `,"ID":"2"}`, "ID", "not a property of a purge; those are database, collection, record"},
		{`{"data":[{` + ok + `},{` + ok + `}]}`, "data", "exactly one purge"},
		{`{"data":[]}`, "data", "exactly one purge"},
		{`[{` + ok + `}]`, "", "object"},
		{`{` + ok, "", "JSON"},
	} {
		c.post("/purge", test.body).wantError(http.StatusBadRequest, test.field, test.text)
	}
	c.do(http.MethodPost, "/purge", "database=788&record=1&record=2", "Content-Type", typeForm).wantError(http.StatusBadRequest, "record", "more than once")
	c.do(http.MethodPost, "/purge", "").wantError(http.StatusBadRequest, "", "empty")
	c.do(http.MethodPost, "/purge", `{`+ok+`}`).wantError(http.StatusUnsupportedMediaType, "")
	c.post("/purge", `{`+ok+`}`+strings.Repeat(" ", 64<<10)).wantError(http.StatusRequestEntityTooLarge, "")
	if len(store.purged) > 0 || len(g.asked) > 0 {
		t.Errorf("purged %q, asked for %v", store.purged, g.asked)
	}
}

// Only those purge whom the operator's authorizer allows it; the other authorizer is not
// asked, and without one nobody purges.
func TestPurgeIsForOperators(t *testing.T) {
	store := &replayCounter{Store: newHistory(t)}
	const body = `{"database":"788","record":"1"}`
	nobody := serve(t, newAPI(t, store, nil))
	nobody.post("/purge", body).wantError(http.StatusForbidden, "", "operators")
	nobody.post("/purge", `{`).wantError(http.StatusForbidden, "", "operators")

	g := &guard{}
	c := operated(t, store, g)
	for _, test := range []struct {
		err    error
		status int
	}{
		{errSecret, http.StatusForbidden},
		{webhook.ErrNotFound, http.StatusForbidden},
		{httpapi.ErrUnauthorized, http.StatusUnauthorized},
		{fmt.Errorf("secret: %w", httpapi.ErrUnauthorized), http.StatusUnauthorized},
	} {
		g.judge = func(webhook.Scope) error { return test.err }
		answer := c.post("/purge", body)
		answer.wantError(test.status, "")
		if strings.Contains(answer.body, "secret") {
			t.Errorf("the authorizer's text leaves: %s", answer.body)
		}
		if got, want := answer.header.Get("WWW-Authenticate"), map[int]string{http.StatusUnauthorized: "Bearer"}[test.status]; got != want {
			t.Errorf("WWW-Authenticate %q, want %q", got, want)
		}
	}
	if len(store.purged) > 0 {
		t.Errorf("purged %q", store.purged)
	}

	api, err := httpapi.New(store, pickyChecker, func(*http.Request, webhook.Scope) error { return errors.New("nobody") },
		&httpapi.Options{Operator: everybody})
	if err != nil {
		t.Fatal(err)
	}
	serve(t, api).post("/purge", body).want(http.StatusOK)
}
