package memory_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/ringback-dev/ringback/store/memory"
	"github.com/ringback-dev/ringback/webhook"
)

// TestPruneClockJump appends an event while the clock is wrong, decades ahead, and
// shows that what is appended behind it is pruned nevertheless.
func TestPruneClockJump(t *testing.T) {
	store := memory.New()
	dispatch := func(t *testing.T, id string) {
		t.Helper()
		err := store.Dispatch(t.Context(), webhook.Event{
			ID: id, Action: webhook.ActionCreate, Database: "d", Profile: webhook.Record{ID: "r"},
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	dispatch(t, "ahead")
	synctest.Test(t, func(t *testing.T) { // it is the year 2000
		dispatch(t, "old")
		<-time.After(2 * time.Hour)
		dispatch(t, "young")
		dispatch(t, "younger")
		err := store.FanOut(t.Context(), []webhook.Expansion{{Sequence: 1}, {Sequence: 2}, {Sequence: 3}, {Sequence: 4}})
		if err != nil {
			t.Fatal(err)
		}
		r := webhook.PruneRequest{Limit: 1, Delivered: time.Now().Add(-time.Hour), Dead: time.Now().Add(-time.Hour)}
		for _, want := range []webhook.PruneResult{{Next: 1}, {Next: 2, Events: 1}, {}} {
			got, err := store.Prune(t.Context(), r)
			if err != nil || got != want {
				t.Fatalf("step behind %d: got %+v, %v; want %+v", r.After, got, err, want)
			}
			r.After = got.Next
		}
	})
}
