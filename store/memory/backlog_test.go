package memory_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/ringback-dev/ringback/store/memory"
	"github.com/ringback-dev/ringback/store/storetest"
	"github.com/ringback-dev/ringback/webhook"
)

// TestMaxBacklog fills a store up with events that wait, and with deliveries that do,
// and makes room in every way.
func TestMaxBacklog(t *testing.T) {
	ctx := t.Context()
	store := memory.New()
	store.MaxBacklog = 3
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	event := func(id string) webhook.Event {
		return webhook.Event{
			ID: id, Action: webhook.ActionCreate, Database: "d", Profile: webhook.Record{ID: "r" + id},
		}
	}
	pending := func() int {
		t.Helper()
		p, err := store.Pending(ctx, webhook.PendingRequest{Limit: 100, LimitBytes: 1 << 20})
		must(err)
		return len(p.Events)
	}
	// full checks that there is room for so many events and no more.
	serial := 0
	full := func(room int) {
		t.Helper()
		before := pending()
		var events []webhook.Event
		for range room + 1 {
			serial++
			events = append(events, event(fmt.Sprint("x", serial)))
		}
		if err := store.Dispatch(ctx, events...); !errors.Is(err, webhook.ErrBacklogFull) {
			t.Fatalf("%d events where there is room for %d: got error %v, want ErrBacklogFull", room+1, room, err)
		}
		if after := pending(); after != before {
			t.Fatalf("%d events pending after one was refused, want %d", after, before)
		}
	}
	var callbacks []webhook.Callback
	for range 2 {
		c, err := store.CreateCallback(ctx, webhook.Callback{Database: "d", URL: "https://example.com/"}, 0)
		must(err)
		callbacks = append(callbacks, c)
	}
	fanOut := func(sequence int64, callbacks ...webhook.Callback) {
		t.Helper()
		x := webhook.Expansion{Sequence: sequence, Messages: webhook.Messages{JSON: []byte("m")}}
		for _, c := range callbacks {
			x.Targets = append(x.Targets, webhook.Target{Callback: c.ID, Method: webhook.MethodJSON})
		}
		must(store.FanOut(ctx, []webhook.Expansion{x}))
	}
	w, err := store.Join(ctx)
	must(err)
	claim := func() []webhook.Claimed {
		t.Helper()
		r := webhook.ClaimRequest{Worker: w, Now: time.Now(), Limit: 100, LimitBytes: 1 << 20}
		claimed, err := store.Claim(ctx, r)
		must(err)
		return claimed
	}

	full(3)
	var expanded []webhook.ExpandedEvent
	for _, id := range []string{"5", "6", "7", "8"} {
		expanded = append(expanded, storetest.Expanded(t, event(id), func(webhook.Event) webhook.Expansion {
			t.Fatal("expanded an event for which there is no room")
			return webhook.Expansion{}
		}))
	}
	_, _, err = store.AppendAndClaim(ctx, expanded, 2, webhook.ClaimRequest{Worker: w, Now: time.Now(), Limit: 10})
	if !errors.Is(err, webhook.ErrBacklogFull) {
		t.Fatalf("4 events where there is room for 3: got error %v, want ErrBacklogFull", err)
	}
	full(3)
	must(store.Dispatch(ctx, event("1"), event("2"), event("1")))
	full(1)
	must(store.Dispatch(ctx, event("3")))
	full(0)
	must(store.Dispatch(ctx, event("3"), event("2"))) // nothing is appended
	fanOut(1)
	full(1)
	fanOut(2, callbacks...)
	full(0)
	fanOut(3, callbacks...) // what has been taken in goes on
	full(0)

	for _, c := range claim() {
		_, err := store.Settle(ctx, w, []webhook.Outcome{
			{Sequence: c.Sequence, Callback: c.Callback, State: webhook.DeliveryDelivered},
		})
		must(err)
	}
	full(3)
	for _, id := range []string{"2", "3"} {
		_, err := store.Replay(ctx, webhook.DeliveryID(id, callbacks[0].ID))
		must(err)
	}
	full(1)
	purged, err := store.Purge(ctx, webhook.Scope{Database: "d"}, "r2")
	must(err)
	if purged != 1 {
		t.Fatalf("purged %d events, want 1", purged)
	}
	full(2)
	claim()
	disabled := callbacks[0]
	disabled.State, disabled.Reason = webhook.StateDisabled, "disabled"
	_, err = store.UpdateCallback(ctx, disabled)
	must(err)
	full(2) // it is in the hands of a worker
	must(store.Leave(ctx, w))
	full(3)
	must(store.Dispatch(ctx, event("4")))
	fanOut(4, callbacks[1])
	full(2)
	must(store.DeleteCallback(ctx, callbacks[1].ID))
	full(3)
}
