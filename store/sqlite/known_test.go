package sqlite_test

import (
	"database/sql"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ringback-dev/ringback/store/sqlite"
	"github.com/ringback-dev/ringback/webhook"
)

// newRepeated returns a store in which an event "e" about record "re" is fanned out to a
// callback, and was dispatched again, about another record, in a transaction of the host's.
func newRepeated(t *testing.T) (db *sql.DB, store *sqlite.Store, c webhook.Callback) {
	t.Helper()
	db, store = newHost(t)
	c = create(t, store)
	if err := store.Dispatch(t.Context(), event("e")); err != nil {
		t.Fatal(err)
	}
	if err := fanOut(t, store, []byte("first"), c); err != nil {
		t.Fatal(err)
	}
	again := event("e")
	again.Profile.ID = "other"
	if err := inHostTx(t, db, store, []webhook.Event{again, again}); err != nil {
		t.Fatal(err)
	}
	return db, store, c
}

// TestKnownPassedOver fans out an event whose ID is known: nothing comes of it.
func TestKnownPassedOver(t *testing.T) {
	_, store, c := newRepeated(t)
	w := join(t, store)
	p, err := store.Pending(t.Context(), webhook.PendingRequest{Limit: 10, LimitBytes: 1 << 20})
	if err != nil || len(p.Events) > 2 {
		t.Fatalf("pending: %+v, %v", p, err)
	}
	// Those around it are fanned out.
	if err := store.Dispatch(t.Context(), events("new", 3)...); err != nil {
		t.Fatal(err)
	}
	if p, err = store.Pending(t.Context(), webhook.PendingRequest{Limit: 10, LimitBytes: 1 << 20}); err != nil {
		t.Fatal(err)
	}
	x := expansions(p.Events, []byte("again"), c)
	for i := range x {
		x[i].Failures = []webhook.ExpressionFailure{{Callback: c.ID, Version: c.Version, Message: "failed"}}
	}
	claimed, err := store.FanOutAndClaim(t.Context(), x, webhook.ClaimRequest{
		Worker: w, Now: time.Now(), Limit: 10, LimitBytes: 1 << 20,
	})
	var ids []string
	for _, c := range claimed {
		ids = append(ids, c.EventID)
	}
	if err != nil || !slices.Equal(ids, []string{"new0", "new1", "new2"}) {
		t.Errorf("claimed %v, %v", ids, err)
	}
	if got := pending(t, store); got != "" {
		t.Errorf("pending: %s", got)
	}
	first := claim(t, store, w, 10)
	if len(first) != 1 || first[0].EventID != "e" || string(first[0].Message) != "first" || first[0].Record != "re" {
		t.Errorf("claimed %+v", first)
	}
	if c, err := store.Callback(t.Context(), c.ID); err != nil || c.ExpressionFailures != 3 {
		t.Errorf("the condition has failed %d times, %v, want 3", c.ExpressionFailures, err)
	}
	// Nothing is left in the way of what is appended directly.
	if claimed := appendAndClaim(t, store, w, 1, expanded(t, []webhook.Event{event("e"), event("last")}, "", c)); len(claimed) != 1 {
		t.Errorf("claimed %+v", claimed)
	}
}

// TestKnownAppended appends, by the store itself, events whose IDs are known: that of one that
// is fanned out is passed over at once, that of one that is pending when it would be fanned
// out.
func TestKnownAppended(t *testing.T) {
	db, store := newHost(t)
	c := create(t, store)
	fanOutTo(t, store, 1, c)
	w := join(t, store)
	if err := store.Dispatch(t.Context(), event("e0"), event("new"), event("new")); err != nil {
		t.Fatal(err)
	}
	list := expanded(t, []webhook.Event{event("e0"), event("new"), event("last")}, "", c)
	claimed, isPending, err := store.AppendAndClaim(t.Context(), list, 1, webhook.ClaimRequest{
		Worker: w, Now: time.Now(), Limit: 10, LimitBytes: 1 << 20,
	})
	if err != nil || !isPending || len(claimed) > 0 {
		t.Fatalf("claimed %+v, pending %t, %v", claimed, isPending, err)
	}
	if got := pending(t, store); got != "new new new last" {
		t.Errorf("pending: %s", got)
	}
	if err := fanOut(t, store, nil, c); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(lines(t, db, "SELECT id FROM ringback_events ORDER BY sequence"), " "); got != `["e0"] ["new"] ["last"]` {
		t.Errorf("events: %s", got)
	}
	if n := count(t, db, "SELECT count(*) FROM ringback_deliveries"); n != 3 {
		t.Errorf("%d deliveries, want 3", n)
	}
}

// TestKnownOutOfOrder fans out events of which one repeats another, the later one first, in
// one call: the first one is the event.
func TestKnownOutOfOrder(t *testing.T) {
	_, store := newHost(t)
	c := create(t, store)
	again := event("e")
	again.Profile.ID = "other"
	if err := store.Dispatch(t.Context(), event("before"), event("e"), again); err != nil {
		t.Fatal(err)
	}
	p, err := store.Pending(t.Context(), webhook.PendingRequest{Limit: 10, LimitBytes: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	x := expansions(p.Events, []byte("m"), c)
	slices.Reverse(x)
	w := join(t, store)
	claimed, err := store.FanOutAndClaim(t.Context(), x, webhook.ClaimRequest{
		Worker: w, Now: time.Now(), Limit: 10, LimitBytes: 1 << 20,
	})
	if err != nil || len(claimed) != 2 || claimed[0].EventID != "e" || claimed[0].Record != "re" || claimed[1].EventID != "before" {
		t.Errorf("claimed %+v, %v", claimed, err)
	}
	page, err := store.Deliveries(t.Context(), webhook.DeliveryQuery{WithTotal: true})
	if err != nil || page.Total != 2 {
		t.Errorf("%d deliveries, %v, want 2", page.Total, err)
	}
}

// TestKnownPruned keeps an event for as long as one waits that repeats it.
func TestKnownPruned(t *testing.T) {
	_, store, c := newRepeated(t)
	w := join(t, store)
	if _, err := store.Settle(t.Context(), w, outcomes(claim(t, store, w, 1), "")); err != nil {
		t.Fatal(err)
	}
	later := time.Now().Add(time.Hour)
	for _, want := range []webhook.PruneResult{{Deliveries: 1}, {}, {Events: 1}} {
		if want.Events > 0 {
			if err := fanOut(t, store, []byte("again"), c); err != nil {
				t.Fatal(err)
			}
		}
		got, err := store.Prune(t.Context(), webhook.PruneRequest{Limit: 10, Delivered: later, Dead: later})
		if err != nil || got != want {
			t.Errorf("pruned %+v, %v, want %+v", got, err, want)
		}
	}
	if claimed := claim(t, store, w, 10); len(claimed) > 0 {
		t.Errorf("claimed %+v", claimed)
	}
}

// TestKnownPrunedMany keeps events while too much is pending to find out what it repeats, and
// prunes them afterwards.
func TestKnownPrunedMany(t *testing.T) {
	db, store := newHost(t)
	c := create(t, store)
	fanOutTo(t, store, 2, c)
	w := join(t, store)
	if _, err := store.Settle(t.Context(), w, outcomes(claim(t, store, w, 10), "")); err != nil {
		t.Fatal(err)
	}
	if err := inHostTx(t, db, store, append(events("many", 1000), event("e0"))); err != nil {
		t.Fatal(err)
	}
	later := time.Now().Add(time.Hour)
	for _, c := range []struct {
		fanOut int // that many first
		want   webhook.PruneResult
	}{
		{0, webhook.PruneResult{Deliveries: 2}},
		{1, webhook.PruneResult{Events: 2}},       // it, and the one that is not repeated
		{1000, webhook.PruneResult{Events: 1000}}, // the rest of the many, and the one that was repeated
	} {
		p, err := store.Pending(t.Context(), webhook.PendingRequest{Limit: c.fanOut, LimitBytes: 1 << 20})
		if err != nil {
			t.Fatal(err)
		}
		if err := store.FanOut(t.Context(), expansions(p.Events, nil)); err != nil {
			t.Fatal(err)
		}
		got, err := store.Prune(t.Context(), webhook.PruneRequest{Limit: 2000, Delivered: later, Dead: later})
		if err != nil || got != c.want {
			t.Errorf("pruned %+v, %v, want %+v", got, err, c.want)
		}
	}
}

// TestKnownPurgedPending purges events that are pending, and repeated there: what repeats one
// goes with it, and is none itself.
func TestKnownPurgedPending(t *testing.T) {
	for _, c := range []struct {
		record string
		events int
		want   string
	}{
		{"re", 1, "other1 other2 other2"},
		{"other", 2, "e e"}, // of three, one repeats "e"
		{"nobody", 0, "other1 e e e other2 other2"},
	} {
		db, store := newHost(t)
		list := events("other", 3)[1:]
		for i := range list {
			list[i].Profile.ID = "other"
		}
		again := event("e")
		again.Profile.ID = "other"
		list = []webhook.Event{list[0], event("e"), again, event("e"), list[1], list[1]}
		if err := inHostTx(t, db, store, list); err != nil {
			t.Fatal(err)
		}
		n, err := store.Purge(t.Context(), webhook.Scope{Database: "d"}, c.record)
		if err != nil || n != c.events {
			t.Errorf("purged %d events about %s, %v, want %d", n, c.record, err, c.events)
		}
		if got := pending(t, store); got != c.want {
			t.Errorf("pending: %s, want %s", got, c.want)
		}
		// No number comes back.
		if created := create(t, store); created.After != 6 {
			t.Errorf("a new callback hears of events behind %d, want 6", created.After)
		}
	}
}

// TestKnownPurged purges an event together with one that repeats it, and the other way
// round: that is no event.
func TestKnownPurged(t *testing.T) {
	for _, c := range []struct {
		record string
		want   int
	}{{"re", 1}, {"other", 0}} {
		db, store, _ := newRepeated(t)
		if n, err := store.Purge(t.Context(), webhook.Scope{Database: "d"}, c.record); err != nil || n != c.want {
			t.Errorf("purged %d events about %s, %v, want %d", n, c.record, err, c.want)
		}
		if got := pending(t, store); got != "" {
			t.Errorf("pending: %s", got)
		}
		if n := count(t, db, "SELECT count(*) FROM ringback_events"); n != 1-c.want {
			t.Errorf("%d events are left", n)
		}
	}
}
