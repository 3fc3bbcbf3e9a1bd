package sqlite_test

import (
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
