package storetest

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/ringback-dev/ringback/webhook"
)

// A harness does with a store what an engine and its hosts do. What fails ends the
// test.
type harness struct {
	t     *testing.T
	store webhook.Store
}

// newHarness returns a harness whose store is checked when the test ends.
func newHarness(t *testing.T, store webhook.Store) *harness {
	h := &harness{t, store}
	t.Cleanup(func() {
		if !t.Failed() {
			h.checkInvariants()
			h.checkDisabled()
			h.checkDrains()
		}
	})
	return h
}

// ctx is not the test's own, which has ended when its cleanups run.
func (h *harness) ctx() context.Context { return context.Background() }

// tick waits for the clock's next millisecond.
func (h *harness) tick() {
	for at := time.Now().UnixMilli(); time.Now().UnixMilli() <= at; {
		runtime.Gosched()
	}
}

// must ends the test on an error.
func (h *harness) must(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

// wantErr ends the test unless err matches want.
func (h *harness) wantErr(what string, err, want error) {
	h.t.Helper()
	if !errors.Is(err, want) {
		h.t.Fatalf("%s: got error %v, want %v", what, err, want)
	}
}

// equal ends the test unless got is want.
func equal[T comparable](h *harness, what string, got, want T) {
	h.t.Helper()
	if got != want {
		h.t.Fatalf("%s: got %v, want %v", what, got, want)
	}
}

// equalList ends the test unless got is want.
func equalList[T comparable](h *harness, what string, got, want []T) {
	h.t.Helper()
	if !slices.Equal(got, want) {
		h.t.Fatalf("%s:\n got %v\nwant %v", what, got, want)
	}
}

// create stores a callback that is bound to a scope.
func (h *harness) create(database, collection string) webhook.Callback {
	h.t.Helper()
	c, err := h.store.CreateCallback(h.ctx(), bound(database, collection), 0)
	h.must(err)
	return c
}

// callback returns a callback as it is stored.
func (h *harness) callback(id string) webhook.Callback {
	h.t.Helper()
	c, err := h.store.Callback(h.ctx(), id)
	h.must(err)
	return c
}

// update changes a stored callback.
func (h *harness) update(id string, change func(c *webhook.Callback)) webhook.Callback {
	h.t.Helper()
	c := h.callback(id)
	change(&c)
	c, err := h.store.UpdateCallback(h.ctx(), c)
	h.must(err)
	return c
}

// disable disables a callback, enable makes it active again.
func (h *harness) disable(id, reason string) webhook.Callback {
	h.t.Helper()
	return h.update(id, func(c *webhook.Callback) { c.State, c.Reason = webhook.StateDisabled, reason })
}

func (h *harness) enable(id string) webhook.Callback {
	h.t.Helper()
	return h.update(id, func(c *webhook.Callback) { c.State = webhook.StateActive })
}

// bound returns a callback, not stored, that is bound to a scope.
func bound(database, collection string) webhook.Callback {
	return webhook.Callback{Database: database, Collection: collection, URL: "https://example.com/" + database}
}

// profile returns an event about a profile of the database "d".
func profile(eventID, record string) webhook.Event {
	return webhook.Event{
		ID: eventID, Action: webhook.ActionUpdate, Database: "d",
		Profile: webhook.Record{ID: record, Fields: map[string]any{"name": eventID}},
	}
}

// subprofile returns an event about a subprofile.
func subprofile(eventID, database, collection, record string) webhook.Event {
	e := profile(eventID, "parent")
	e.Database = database
	e.Collection = collection
	e.Subprofile = &webhook.Record{ID: record}
	return e
}

// dispatch appends events.
func (h *harness) dispatch(events ...webhook.Event) {
	h.t.Helper()
	h.must(h.store.Dispatch(h.ctx(), events...))
}

// pending returns the events that are not fanned out.
func (h *harness) pending() []webhook.Event {
	h.t.Helper()
	pending, err := h.store.Pending(h.ctx(), webhook.PendingRequest{Limit: 100_000, LimitBytes: 1 << 30})
	h.must(err)
	if len(pending.Damaged) > 0 {
		h.t.Fatalf("damaged events: %v", pending.Damaged)
	}
	return pending.Events
}

// expand returns what an event fans out to: a delivery to each callback, whose
// message is the event's ID. Every other event comes with it.
func expand(e webhook.Event, callbacks ...webhook.Callback) webhook.Expansion {
	x := webhook.Expansion{
		Sequence: e.Sequence,
		Messages: webhook.Messages{JSON: []byte(e.ID)},
	}
	if e.Sequence%2 == 0 {
		x.Event = &e
	}
	for _, c := range callbacks {
		x.Targets = append(x.Targets, webhook.Target{
			Callback: c.ID, Method: webhook.MethodJSON, Encoding: webhook.EncodingBody,
		})
	}
	return x
}

// fanOut fans all pending events out, as an engine does: to the listeners of their
// scope that were there before them.
func (h *harness) fanOut() {
	h.t.Helper()
	var expansions []webhook.Expansion
	for _, e := range h.pending() {
		listeners, err := h.store.Listeners(h.ctx(), e.Scope())
		h.must(err)
		hearing := slices.DeleteFunc(listeners.Callbacks, func(c webhook.Callback) bool { return c.After >= e.Sequence })
		expansions = append(expansions, expand(e, hearing...))
	}
	h.must(h.store.FanOut(h.ctx(), expansions))
}

// deliver appends events and fans them out.
func (h *harness) deliver(events ...webhook.Event) {
	h.t.Helper()
	h.dispatch(events...)
	h.fanOut()
}

// numbered returns "prefix0", "prefix1" ….
func numbered(prefix string, n int) []string {
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprint(prefix, i)
	}
	return names
}
