package sqlite_test

import (
	"database/sql"
	"testing"
	"time"

	"github.com/ringback-dev/ringback/webhook"
)

// TestPruneClockJump has an event that was appended while the clock was wrong, a year
// ahead, and shows that what was appended behind it is pruned nevertheless.
func TestPruneClockJump(t *testing.T) {
	db, store := newHost(t)
	if err := store.Dispatch(t.Context(), events("e", 4)...); err != nil {
		t.Fatal(err)
	}
	if err := fanOut(t, store, nil); err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	for id, appended := range map[string]time.Time{"e0": now.AddDate(1, 0, 0), "e1": now.Add(-2 * time.Hour)} {
		_, err := db.Exec("UPDATE ringback_events SET appended = ? WHERE id = ?", appended.UnixMilli(), id)
		if err != nil {
			t.Fatal(err)
		}
	}
	r := webhook.PruneRequest{Limit: 1, Delivered: now.Add(-time.Hour), Dead: now.Add(-time.Hour)}
	for _, want := range []webhook.PruneResult{{Next: 1}, {Next: 2, Events: 1}, {}} {
		got, err := store.Prune(t.Context(), r)
		if err != nil || got != want {
			t.Fatalf("step behind %d: got %+v, %v; want %+v", r.After, got, err, want)
		}
		r.After = got.Next
	}
}

// fanOutTo gives a store events with deliveries to callbacks, all of them young.
func fanOutTo(t *testing.T, store webhook.Store, number int, callbacks ...webhook.Callback) {
	t.Helper()
	if err := store.Dispatch(t.Context(), events("e", number)...); err != nil {
		t.Fatal(err)
	}
	if err := fanOut(t, store, nil, callbacks...); err != nil {
		t.Fatal(err)
	}
}

// pruneYoung takes one step of a walk for which all events are young, and returns how
// many deliveries it has removed.
func pruneYoung(t *testing.T, db *sql.DB, store webhook.Store, after int64, limit int) (next int64, removed int) {
	t.Helper()
	const deliveries = "SELECT count(*) FROM ringback_deliveries"
	before := count(t, db, deliveries)
	past := time.Now().Add(-time.Hour)
	result, err := store.Prune(t.Context(), webhook.PruneRequest{After: after, Limit: limit, Delivered: past, Dead: past})
	if err != nil {
		t.Fatal(err)
	}
	if result.Events != 0 || result.Deliveries != 0 {
		t.Errorf("step behind %d: got %+v, want nothing of it counted", after, result)
	}
	if result.Next != 0 && result.Next <= after {
		t.Fatalf("the walk goes from %d to %d", after, result.Next)
	}
	return result.Next, before - count(t, db, deliveries)
}

// TestPruneGoneBounded shows that a step over young events removes no more of deleted
// callbacks than it may, and that one walk removes it all.
func TestPruneGoneBounded(t *testing.T) {
	db, store := newHost(t)
	callbacks := make([]webhook.Callback, 60)
	for i := range callbacks {
		callbacks[i] = create(t, store)
	}
	const number = 100
	fanOutTo(t, store, number, callbacks...)
	for _, c := range callbacks[1:] {
		if err := store.DeleteCallback(t.Context(), c.ID); err != nil {
			t.Fatal(err)
		}
	}
	for after, steps := int64(0), 0; after != 0 || steps == 0; steps++ {
		next, removed := pruneYoung(t, db, store, after, 200)
		if removed > 2000 { // in two transactions
			t.Fatalf("step behind %d: removed %d deliveries", after, removed)
		}
		after = next
	}
	if left := count(t, db, "SELECT count(*) FROM ringback_deliveries"); left != number {
		t.Errorf("%d deliveries are left, want %d", left, number)
	}
}

// TestPruneGoneBehindYoung has deliveries of a deleted callback behind more young
// events than a step looks at.
func TestPruneGoneBehindYoung(t *testing.T) {
	db, store := newHost(t)
	kept, gone := create(t, store), create(t, store)
	fanOutTo(t, store, 20, kept)
	if err := store.Dispatch(t.Context(), events("last", 1500)...); err != nil {
		t.Fatal(err)
	}
	if err := fanOut(t, store, nil, gone); err != nil {
		t.Fatal(err)
	}
	w := join(t, store)
	if _, err := store.Settle(t.Context(), w, outcomes(claim(t, store, w, 10_000), "")); err != nil {
		t.Fatal(err)
	}
	if err := store.DeleteCallback(t.Context(), gone.ID); err != nil {
		t.Fatal(err)
	}
	var after int64
	for _, want := range []int{1000, 500, 0} {
		next, removed := pruneYoung(t, db, store, after, 5)
		if removed != want || (next == 0) != (want == 0) {
			t.Fatalf("step behind %d: removed %d deliveries, next is %d; want %d", after, removed, next, want)
		}
		after = next
	}
	for table, want := range map[string]int{"deliveries": 20, "attempts": count(t, db,
		"SELECT count(*) FROM ringback_deliveries WHERE state = 4")} {
		if left := count(t, db, "SELECT count(*) FROM ringback_"+table); left != want {
			t.Errorf("%d %s are left, want %d", left, table, want)
		}
	}
}

// TestPruneYoungManyDeliveries shows that a walk ends at the young even when they have
// more deliveries than a step looks at.
func TestPruneYoungManyDeliveries(t *testing.T) {
	db, store := newHost(t)
	callbacks := make([]webhook.Callback, 30)
	for i := range callbacks {
		callbacks[i] = create(t, store)
	}
	fanOutTo(t, store, 50, callbacks...)
	if next, removed := pruneYoung(t, db, store, 0, 200); next != 0 || removed != 0 {
		t.Errorf("got next %d with %d deliveries removed, want 0 and none", next, removed)
	}
}
