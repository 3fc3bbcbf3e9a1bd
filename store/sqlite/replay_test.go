package sqlite_test

import (
	"testing"

	"github.com/ringback-dev/ringback/webhook"
)

// TestReplayMany replays more than fit in a step, and few among many.
func TestReplayMany(t *testing.T) {
	db, store := newHost(t)
	callback := create(t, store)
	fill(t, db, many, 1)
	_, err := db.Exec(`UPDATE ringback_deliveries SET ended = created,
		state = CASE event_sequence % 10000 WHEN 0 THEN 5 ELSE 4 END`)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		state    webhook.DeliveryState
		selected int
	}{{webhook.DeliveryDead, 2}, {webhook.DeliveryDelivered, many - 2}} {
		selected, err := store.StartReplay(t.Context(), webhook.ReplayRequest{Callback: callback.ID, State: c.state})
		if err != nil || selected != c.selected {
			t.Fatalf("%s: selected %d, %v, want %d", c.state, selected, err, c.selected)
		}
		for more := true; more; {
			before := openRows(t, db)
			if more, err = store.ContinueReplays(t.Context(), 500); err != nil {
				t.Fatal(err)
			}
			if replayed := openRows(t, db) - before; replayed > 500 {
				t.Fatalf("a step has replayed %d", replayed)
			}
		}
	}
	if got := openRows(t, db); got != many {
		t.Errorf("replayed %d, want %d", got, many)
	}
	if n := count(t, db, "SELECT count(*) FROM ringback_replays"); n > 0 {
		t.Errorf("%d requests are left", n)
	}
}
