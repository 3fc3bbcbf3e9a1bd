package httpapi_test

import (
	"context"
	"fmt"
	"net/http"
	"testing"

	"github.com/ringback-dev/ringback/httpapi"
	"github.com/ringback-dev/ringback/store/memory"
	"github.com/ringback-dev/ringback/webhook"
)

// PUT and POST change the named properties, in each of the three forms, and no
// others.
func TestUpdate(t *testing.T) {
	c := newClient(t)
	id := c.create("/database/788/callbacks", `{"url":"http://example.com/","collection":"8550","expression":"a"}`)
	want := c.get("/callback/" + id).one()
	for _, step := range []struct {
		contentType, body string
		name, value       string
	}{
		{typeJSON, `{"url":"https://example.org/x"}`, "url", "https://example.org/x"},
		{typeJSON, `{"data":[{"expression":"b > 1"}]}`, "expression", "b > 1"},
		{typeForm, `expression=`, "expression", ""},
		{typeForm, `action=delete`, "action", "delete"},
		{typeJSON, `{"action":"all"}`, "action", "all"},
		{typeJSON, `{"method":"xml"}`, "method", "xml"},
		{typeJSON, `{"when":"enters","expression_failures":9,"expression_error":"x"}`, "when", "enters"},
		{typeJSON, `{"start":0,"limit":1,"total":1,"data":[{"encoding":"form"}]}`, "encoding", "form"},
		{typeJSON, `{"ordering":"skip","reason":"x","paused_until":1}`, "ordering", "skip"},
		{typeForm, `state=active&reason=x&successes=7`, "state", "active"},
		{typeForm, `url=http%253A%252F%252Fexample.net%252F`, "url", "http://example.net/"},
		{typeJSON, `{"ID":"999","created":"x","expression":"c"}`, "expression", "c"},
		{typeJSON, `{"database":788,"collection":"8550","method":"json"}`, "method", "json"},
	} {
		for _, method := range []string{http.MethodPut, http.MethodPost} {
			answer := c.do(method, "/callback/"+id, step.body, "Content-Type", step.contentType).want(http.StatusOK)
			want[step.name] = step.value
			got := answer.one()
			want["updated"] = got["updated"] // of the clock
			wantProperties(t, got, want)
			if shown := c.get("/callback/" + id).body; shown != answer.body {
				t.Errorf("%s: answered %s but stored %s", step.body, answer.body, shown)
			}
		}
	}
}

// An update that changes nothing writes nothing: engines would read all callbacks
// again.
func TestUpdateWithoutChange(t *testing.T) {
	store := memory.New()
	registry := &busyRegistry{Store: store}
	c := serve(t, newAPI(t, registry, nil))
	id := c.create("/collection/8550/callbacks", `{"url":"http://example.com/","expression":"a"}`)
	before := stored(t, store, id)
	revision := func() int64 {
		t.Helper()
		listeners, err := store.Listeners(t.Context(), webhook.Scope{Database: "788", Collection: "8550"})
		if err != nil || len(listeners.Callbacks) != 1 {
			t.Fatalf("%v, %v", listeners, err)
		}
		return listeners.Revision
	}
	first := revision()
	shown := c.get("/callback/" + id).body
	for _, body := range []string{
		`{}`, `{"data":[{}]}`, `{"ID":"7"}`, `{"expression":"a"}`, `{"url":"http%3A%2F%2Fexample.com%2F","action":"all"}`, shown,
	} {
		if got := c.put("/callback/"+id, body).want(http.StatusOK).body; got != shown {
			t.Errorf("%s: answered %s\nwant %s", body, got, shown)
		}
	}
	if after := stored(t, store, id); after != before || registry.tries != 0 || revision() != first {
		t.Errorf("after %d writes, at revision %d (before: %d), the callback is %+v\nwant %+v", registry.tries, revision(), first, after, before)
	}
	c.put("/callback/"+id, `{"method":"xml"}`).want(http.StatusOK)
	if after := stored(t, store, id); after.Version == before.Version || registry.tries != 1 || revision() == first {
		t.Errorf("a change makes %d writes, and version %d of %d", registry.tries, after.Version, before.Version)
	}
}

// An update that changes nothing is judged like any other.
func TestUpdateWithoutChangeIsChecked(t *testing.T) {
	store := memory.New()
	c := serve(t, newAPI(t, store, nil))
	old, err := store.CreateCallback(t.Context(), webhook.Callback{Database: "788", URL: "http://127.0.0.1/"}, 0)
	if err != nil {
		t.Fatal(err)
	}
	c.put("/callback/"+old.ID, `{}`).wantError(http.StatusBadRequest, "url", "loopback")
}

// stored returns a callback as the store has it.
func stored(t *testing.T, store webhook.Registry, id string) webhook.Callback {
	t.Helper()
	c, err := store.Callback(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// What a callback is bound to never changes.
func TestUpdateKeepsBinding(t *testing.T) {
	c := newClient(t)
	inDatabase := c.create("/database/788/callbacks", someURL)
	inCollection := c.create("/collection/8550/callbacks", someURL)
	inBoth := c.create("/database/788/callbacks", `{"url":"http://example.com/","collection":"8550"}`)
	for _, test := range []struct {
		id, body, field string // no field: allowed
	}{
		{inDatabase, `"database":"788"`, ""},
		{inDatabase, `"database":788,"collection":0`, ""},
		{inDatabase, `"collection":""`, ""},
		{inDatabase, `"collection":"0"`, ""},
		{inDatabase, `"database":"789"`, "database"},
		{inDatabase, `"database":0`, "database"},
		{inDatabase, `"database":""`, "database"},
		{inDatabase, `"collection":"8550"`, "collection"},
		{inCollection, `"collection":8550,"database":0`, ""},
		{inCollection, `"collection":0`, "collection"},
		{inCollection, `"collection":8551`, "collection"},
		{inCollection, `"database":788`, "database"},
		{inBoth, `"collection":8550,"database":"788"`, ""},
		{inBoth, `"collection":0`, "collection"},
		{inBoth, `"database":0`, "database"},
		{inBoth, `"database":"8550"`, "database"},
	} {
		before := c.get("/callback/" + test.id).body
		answer := c.put("/callback/"+test.id, `{"expression":"x",`+test.body+`}`)
		if test.field == "" {
			answer.want(http.StatusOK)
			continue
		}
		answer.wantError(http.StatusBadRequest, test.field)
		if after := c.get("/callback/" + test.id).body; after != before {
			t.Errorf("%s: a failed update made %s of %s", test.body, after, before)
		}
	}
}

func TestDelete(t *testing.T) {
	c := newClient(t)
	kept := c.create("/database/788/callbacks", someURL)
	id := c.create("/database/788/callbacks", someURL)
	answer := c.do(http.MethodDelete, "/callback/"+id, "").want(http.StatusOK)
	if got, want := answer.header.Get("X-deleted"), "callback "+id; got != want {
		t.Errorf("X-deleted %q, want %q", got, want)
	}
	if answer.body != "{}\n" {
		t.Errorf("body %q, want an empty object", answer.body)
	}
	for _, method := range []string{http.MethodGet, http.MethodPut, http.MethodPost, http.MethodDelete} {
		answer := c.do(method, "/callback/"+id, `{}`, "Content-Type", typeJSON)
		answer.wantError(http.StatusNotFound, "")
		if answer.header.Get("X-deleted") != "" {
			t.Errorf("%s says that it deleted something", method)
		}
	}
	if got := c.get("/database/788/callbacks").listing().ids(); len(got) != 1 || got[0] != kept {
		t.Errorf("left are %q, want %q", got, kept)
	}
}

// busyRegistry has somebody else update a callback before each of the first
// updates.
type busyRegistry struct {
	httpapi.Store
	others int
	tries  int
}

func (r *busyRegistry) UpdateCallback(ctx context.Context, c webhook.Callback) (webhook.Callback, error) {
	r.tries++
	if r.others > 0 {
		r.others--
		other, err := r.Callback(ctx, c.ID)
		if err != nil {
			return other, err
		}
		other.Expression = fmt.Sprintf("other == %d", r.others)
		if _, err := r.Store.UpdateCallback(ctx, other); err != nil {
			return other, err
		}
	}
	return r.Store.UpdateCallback(ctx, c)
}

// An update that comes second is repeated on what the first one has left.
func TestUpdateAfterConflict(t *testing.T) {
	registry := &busyRegistry{Store: memory.New(), others: 3}
	c := serve(t, newAPI(t, registry, nil))
	id := c.create("/database/788/callbacks", someURL)
	got := c.put("/callback/"+id, `{"method":"xml"}`).want(http.StatusOK).one()
	wantProperties(t, got, map[string]any{"method": "xml", "expression": "other == 0"})
	if registry.tries != 4 {
		t.Errorf("%d tries, want 4", registry.tries)
	}
}

// Nobody tries for ever.
func TestUpdateGivesUp(t *testing.T) {
	registry := &busyRegistry{Store: memory.New(), others: 1 << 20}
	c := serve(t, newAPI(t, registry, nil))
	id := c.create("/database/788/callbacks", someURL)
	c.put("/callback/"+id, `{"method":"xml"}`).wantError(http.StatusInternalServerError, "", "again")
	wantProperties(t, c.get("/callback/"+id).one(), map[string]any{"method": "json"})
	if registry.tries > 1000 {
		t.Errorf("%d tries", registry.tries)
	}
}

// Of updates at the same time that name different properties none is lost.
func TestConcurrentUpdates(t *testing.T) {
	c := newClient(t)
	id := c.create("/database/788/callbacks", someURL)
	const rounds = 20
	last := func(values ...string) func(int) string {
		return func(i int) string { return values[i%len(values)] }
	}
	properties := map[string]func(int) string{
		"url":        func(i int) string { return fmt.Sprintf("http://example.com/%d", i) },
		"expression": func(i int) string { return fmt.Sprintf("age > %d", i) },
		"action":     last("create", "update", "delete"),
		"method":     last("json", "xml"),
		"encoding":   last("body", "form"),
		"when":       last("enters", "leaves", "changes"),
		"ordering":   last("hold", "skip"),
		"state":      last("active", "disabled"),
	}
	want := map[string]any{"database": "788"}
	updaters := make(map[string]func(*client))
	for name, value := range properties {
		want[name] = value(rounds - 1)
		updaters[name] = func(c *client) {
			for i := range rounds {
				got := c.put("/callback/"+id, fmt.Sprintf(`{%q:%q}`, name, value(i))).want(http.StatusOK).one()
				wantProperties(c.t, got, map[string]any{name: value(i)})
			}
		}
	}
	c.parallel(updaters)
	wantProperties(t, c.get("/callback/"+id).one(), want)
}
