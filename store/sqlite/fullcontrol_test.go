package sqlite_test

import (
	"strings"
	"testing"
	"time"

	"github.com/ringback-dev/ringback/store/storetest"
	"github.com/ringback-dev/ringback/webhook"
)

// TestFullControl lets what a callback's owner does run into a full disk. What only
// removes still works.
func TestFullControl(t *testing.T) {
	db, host := newHost(t)
	callback := create(t, host)
	fill(t, db, 3000, 1)
	_, err := db.Exec("UPDATE ringback_deliveries SET state = 5, ended = created, reason = 'gone' WHERE event_sequence > 1500")
	if err != nil {
		t.Fatal(err)
	}
	full := func(full bool) {
		t.Helper()
		more := lots
		if full {
			more = 1
		}
		if err := host.LimitPages(more); err != nil {
			t.Fatal(err)
		}
	}
	long := strings.Repeat("x", webhook.MaxReason)

	full(true)
	disabled := callback
	disabled.State, disabled.Reason = webhook.StateDisabled, long
	_, err = host.UpdateCallback(t.Context(), disabled)
	wantFull(t, "disable", err)
	if got, err := host.Callback(t.Context(), callback.ID); err != nil || got != callback {
		t.Errorf("callback is %+v, %v", got, err)
	}
	w := join(t, host)
	claimed := claim(t, host, w, 1)
	list := outcomes(claimed, "")
	list[0].State, list[0].Disable = webhook.DeliveryReady, &webhook.Disabling{Reason: long, Version: callback.Version}
	got, err := host.Settle(t.Context(), w, list)
	wantFull(t, "settle that disables", err)
	if len(got) > 0 {
		t.Errorf("disabled %+v", got)
	}

	if _, err = host.StartReplay(t.Context(), webhook.ReplayRequest{Callback: callback.ID}); err != nil {
		t.Fatal(err)
	}
	for more := true; more && err == nil; { // it may do with the pages that it has
		more, err = host.ContinueReplays(t.Context(), 1000)
	}
	if err != nil {
		wantFull(t, "continue replays", err)
	}
	storetest.CheckInvariants(t, host)
	full(false)
	for more := true; more; {
		if more, err = host.ContinueReplays(t.Context(), 1000); err != nil {
			t.Fatal(err)
		}
	}
	if got := openRows(t, db); got != 3000 {
		t.Errorf("%d are open, want 3000", got)
	}

	full(true)
	if n, err := host.Purge(t.Context(), webhook.Scope{Database: "d"}, "r7"); err != nil || n != 1 {
		t.Errorf("purged %d, %v", n, err)
	}
	if err := host.Reschedule(t.Context(), time.Now()); err != nil {
		t.Error(err)
	}
	full(false)
	if disabled, err = host.UpdateCallback(t.Context(), disabled); err != nil {
		t.Fatal(err)
	}
	full(true)
	active := disabled
	active.State = webhook.StateActive
	_, err = host.UpdateCallback(t.Context(), active) // it has to give each its reason
	wantFull(t, "enable", err)
	full(false)
	if _, err = host.UpdateCallback(t.Context(), active); err != nil {
		t.Fatal(err)
	}
	storetest.CheckInvariants(t, host)
	storetest.CheckDrains(t, host)
}
