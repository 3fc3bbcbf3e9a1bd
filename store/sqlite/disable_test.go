package sqlite_test

import (
	"database/sql"
	"testing"
	"time"

	"github.com/ringback-dev/ringback/store/sqlite"
	"github.com/ringback-dev/ringback/webhook"
)

// many is how many deliveries are more than fit in several steps.
const many = 20_000

// manyOpen returns a store with many open deliveries to a callback: each record has
// two, one ready and one waiting.
func manyOpen(t *testing.T) (*sql.DB, *sqlite.Store, webhook.Callback) {
	t.Helper()
	db, store := newHost(t)
	callback := create(t, store)
	fill(t, db, many, 2)
	return db, store, callback
}

// openRows counts the deliveries that are open in the table.
func openRows(t *testing.T, db *sql.DB) int {
	t.Helper()
	return count(t, db, "SELECT count(*) FROM ringback_deliveries WHERE ended = 0")
}

// wantStates compares what is shown, by state, in pages and in total.
func wantStates(t *testing.T, store webhook.Store, want map[webhook.DeliveryState]int) {
	t.Helper()
	for _, state := range []webhook.DeliveryState{
		webhook.DeliveryWaiting, webhook.DeliveryReady, webhook.DeliveryClaimed,
		webhook.DeliveryDelivered, webhook.DeliveryDead, "",
	} {
		for _, callback := range []string{"", "1"} {
			page, err := store.Deliveries(t.Context(), webhook.DeliveryQuery{
				Callback: callback, State: state, Limit: 7, Start: 1, WithTotal: true,
			})
			total := want[state]
			if state == "" {
				total = many
			}
			if err != nil || page.Total != total || len(page.Deliveries) != max(0, min(total-1, 7)) {
				t.Errorf("%s of callback %q: %d of %d, %v, want %d", state, callback, len(page.Deliveries), page.Total, err, total)
			}
			for _, d := range page.Deliveries {
				if state != "" && d.State != state || (d.State == webhook.DeliveryDead) != (d.Reason == "enough") ||
					d.State.Ended() == d.Ended.IsZero() {
					t.Errorf("among the %s: %+v", state, d)
				}
			}
		}
	}
}

// TestDisableMany disables a callback with more open deliveries than are ended at once.
func TestDisableMany(t *testing.T) {
	db, store, callback := manyOpen(t)
	w := join(t, store)
	claimed := claim(t, store, w, 3)
	callback.State, callback.Reason = webhook.StateDisabled, "enough"
	callback, err := store.UpdateCallback(t.Context(), callback)
	if err != nil {
		t.Fatal(err)
	}
	if left := openRows(t, db); left != many-1000 {
		t.Errorf("%d deliveries are left open, want all but 1000", left)
	}
	disabled := map[webhook.DeliveryState]int{webhook.DeliveryClaimed: 3, webhook.DeliveryDead: many - 3}
	wantStates(t, store, disabled)
	if got := claim(t, store, w, 10); len(got) > 0 {
		t.Errorf("claimed %d of a disabled callback", len(got))
	}
	if err := store.Dispatch(t.Context(), event("late")); err != nil {
		t.Fatal(err)
	}
	if err := fanOut(t, store, nil, callback); err != nil {
		t.Fatal(err)
	}

	past := time.Now().Add(-time.Hour)
	var after int64
	for steps := 1; ; steps++ { // all is young
		before := openRows(t, db)
		result, err := store.Prune(t.Context(), webhook.PruneRequest{After: after, Limit: 200, Delivered: past, Dead: past})
		if err != nil || result.Deliveries+result.Events > 0 {
			t.Fatalf("pruned %+v, %v", result, err)
		}
		if ended := before - openRows(t, db); ended > 1000 {
			t.Fatalf("a step has ended %d deliveries", ended)
		}
		if result.Next == 0 {
			break
		}
		if after = result.Next; steps > 100 {
			t.Fatal("the walk has no end")
		}
	}
	if left := openRows(t, db); left != len(claimed) {
		t.Errorf("%d deliveries are left open, want the %d claimed", left, len(claimed))
	}
	wantStates(t, store, disabled)
}

// TestEnableMany makes the callback active again at once: none of what was open goes
// out.
func TestEnableMany(t *testing.T) {
	db, store, callback := manyOpen(t)
	callback.State, callback.Reason = webhook.StateDisabled, "enough"
	callback, err := store.UpdateCallback(t.Context(), callback)
	if err != nil {
		t.Fatal(err)
	}
	stale := callback
	stale.Version--
	stale.State = webhook.StateActive
	if _, err := store.UpdateCallback(t.Context(), stale); err == nil || openRows(t, db) != many-1000 {
		t.Errorf("update of another version: %v, %d deliveries are open", err, openRows(t, db))
	}
	callback.State = webhook.StateActive
	if callback, err = store.UpdateCallback(t.Context(), callback); err != nil {
		t.Fatal(err)
	}
	if callback.State != webhook.StateActive || callback.Reason != "" {
		t.Errorf("callback %+v", callback)
	}
	wantStates(t, store, map[webhook.DeliveryState]int{webhook.DeliveryDead: many})
	w := join(t, store)
	if got := claim(t, store, w, 10); len(got) > 0 {
		t.Errorf("claimed %d", len(got))
	}
	if err := store.Dispatch(t.Context(), event("later")); err != nil {
		t.Fatal(err)
	}
	if err := fanOut(t, store, nil, callback); err != nil {
		t.Fatal(err)
	}
	if got := claim(t, store, w, 10); len(got) != 1 || got[0].EventID != "later" {
		t.Errorf("claimed %+v", got)
	}
}

// TestSettleDisablesMany disables it by an outcome.
func TestSettleDisablesMany(t *testing.T) {
	db, store, _ := manyOpen(t)
	w := join(t, store)
	claimed := claim(t, store, w, 2)
	list := outcomes(claimed, "")
	for i := range list {
		list[i].State = webhook.DeliveryReady
		list[i].Disable = &webhook.Disabling{Reason: "enough", Version: claimed[i].To.Version}
	}
	disabled, err := store.Settle(t.Context(), w, list)
	if err != nil || len(disabled) != 1 || disabled[0].State != webhook.StateDisabled || disabled[0].Health.Failures != 2 {
		t.Fatalf("disabled %+v, %v", disabled, err)
	}
	if left := openRows(t, db); left < many-1002 || left > many-1000 {
		t.Errorf("%d deliveries are left open, want all but 1000", left)
	}
	wantStates(t, store, map[webhook.DeliveryState]int{webhook.DeliveryDead: many})
}
