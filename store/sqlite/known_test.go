package sqlite_test

import (
	"database/sql"
	"fmt"
	"slices"
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
	if err != nil || len(p.Events) > 1 {
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

// TestKnownAppended appends, by the store itself, events whose IDs are known, of one that is
// fanned out and of one that is pending: they are passed over at once.
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
	if n := count(t, db, "SELECT count(*) FROM ringback_outbox"); n != 2 {
		t.Errorf("%d rows, want 2", n)
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

// TestNumbers appends in every way, and removes what it has appended: numbers only grow.
func TestNumbers(t *testing.T) {
	db, store := newHost(t)
	c := create(t, store)
	w := join(t, store)
	var last int64
	for i := range 4 {
		e := events("e", 16)[4*i : 4*i+4]
		for j, appended := range []func() error{
			func() error { return store.Dispatch(t.Context(), e[0]) },
			func() error {
				p, err := store.Pending(t.Context(), webhook.PendingRequest{Limit: 1, LimitBytes: 1})
				appendAndClaim(t, store, w, p.Revision, expanded(t, e[1:2], "", c))
				return err
			},
			func() error { return inHostTx(t, db, store, e[2:3]) },
			func() error {
				_, _, err := store.AppendAndClaim(t.Context(), expanded(t, e[3:], "", c), 99, webhook.ClaimRequest{Worker: w})
				return err
			},
		} {
			if err := appended(); err != nil {
				t.Fatal(err)
			}
			if i%2 == 1 || j == 0 { // sometimes what is pending is purged
				if err := fanOut(t, store, nil, c); err != nil {
					t.Fatal(err)
				}
			}
			n := int64(count(t, db, `SELECT max((SELECT coalesce(max(sequence), 0) FROM ringback_events),
				(SELECT coalesce(max(sequence), 0) FROM ringback_outbox))`))
			if n <= last {
				t.Errorf("event %s has number %d behind %d", e[j].ID, n, last)
			}
			last = n
			if created := create(t, store); created.After != last {
				t.Errorf("a new callback hears of events behind %d, want %d", created.After, last)
			} else if err := store.DeleteCallback(t.Context(), created.ID); err != nil {
				t.Fatal(err)
			}
			if removed, err := store.Purge(t.Context(), webhook.Scope{Database: "d"}, e[j].Profile.ID); err != nil || removed != 1 {
				t.Fatalf("purged %d, %v", removed, err)
			}
		}
	}
}

// TestNumbersForgotten appends, in every way first, where a host has emptied the table in
// which SQLite keeps the last numbers, or has set them back.
func TestNumbersForgotten(t *testing.T) {
	for _, kept := range []int{0, 3} {
		for _, forget := range []string{"DELETE FROM sqlite_sequence", "UPDATE sqlite_sequence SET seq = 0"} {
			for first := range 3 {
				t.Run(fmt.Sprint(kept, forget, first), func(t *testing.T) { checkForgotten(t, kept, forget, first) })
			}
		}
	}
}

func checkForgotten(t *testing.T, kept int, forget string, first int) {
	db, store := newHost(t)
	c := create(t, store)
	w := join(t, store)
	fanOutTo(t, store, kept, c)
	if _, err := db.ExecContext(t.Context(), forget); err != nil {
		t.Fatal(err)
	}
	if got := create(t, store).After; got != int64(kept) {
		t.Errorf("a new callback hears of events behind %d, want %d", got, kept)
	}
	appends := []func() error{
		func() error {
			appendAndClaim(t, store, w, 2, expanded(t, events("direct", 2), "", c))
			return nil
		},
		func() error { return store.Dispatch(t.Context(), event("dispatched")) },
		func() error { return inHostTx(t, db, store, events("host", 2)) },
	}
	for i := range appends {
		if err := appends[(first+i)%len(appends)](); err != nil {
			t.Fatal(err)
		}
		p, err := store.Pending(t.Context(), webhook.PendingRequest{Limit: 10, LimitBytes: 1 << 20})
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range p.Events {
			if e.Sequence <= int64(kept) {
				t.Errorf("event %s has number %d, which another had", e.ID, e.Sequence)
			}
		}
		if err := fanOut(t, store, []byte("m"), c); err != nil {
			t.Fatal(err)
		}
	}
	if n := count(t, db, "SELECT count(*) FROM ringback_deliveries"); n != kept+5 {
		t.Errorf("%d deliveries, want %d", n, kept+5)
	}
}
