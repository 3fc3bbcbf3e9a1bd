package storetest

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/ringback-dev/ringback/webhook"
)

func dispatchTests() []test {
	return []test{
		{"nothing", testDispatchNothing},
		{"fills in", testDispatchFillsIn},
		{"order", testDispatchOrder},
		{"limit", testPendingLimit},
		{"limit of bytes", testPendingLimitBytes},
		{"invalid", testDispatchInvalid},
		{"idempotent", testIdempotent},
		{"concurrent", testConcurrentDispatch},
		{"many at once", testManyEvents},
	}
}

func testDispatchNothing(h *harness) {
	h.dispatch()
	equal(h, "pending", len(h.pending()), 0)
}

func testDispatchFillsIn(h *harness) {
	before := time.Now().Truncate(time.Millisecond)
	e := profile("", "r")
	e.Sequence = 4711 // ignored
	h.dispatch(e, profile("", "r"))
	pending := h.pending()
	equal(h, "pending", len(pending), 2)
	for _, got := range pending {
		if got.ID == "" || got.Time.Before(before) || got.Time.After(time.Now()) {
			h.t.Errorf("ID %q and time %v are not filled in", got.ID, got.Time)
		}
		if got.Sequence <= 0 || got.Sequence == 4711 {
			h.t.Errorf("sequence is %d", got.Sequence)
		}
	}
	if pending[0].ID == pending[1].ID {
		h.t.Errorf("two events have the ID %s", pending[0].ID)
	}
}

// pendingIDs returns the IDs of the events that are not fanned out, each once.
func (h *harness) pendingIDs() []string {
	h.t.Helper()
	var ids []string
	for _, e := range firstOfEach(h.pending()) {
		ids = append(ids, e.ID)
	}
	return ids
}

// firstOfEach returns events without those that repeat an earlier one: a store may show what
// it is to pass over when it is fanned out.
func firstOfEach(events []webhook.Event) []webhook.Event {
	seen := make(map[string]bool)
	return slices.DeleteFunc(slices.Clone(events), func(e webhook.Event) bool {
		again := seen[e.ID]
		seen[e.ID] = true
		return again
	})
}

func testDispatchOrder(h *harness) {
	h.dispatch(profile("e3", "r"), profile("e1", "r"))
	h.dispatch(profile("e2", "s"))
	want := []string{"e3", "e1", "e2"}
	equalList(h, "pending", h.pendingIDs(), want)
	equalList(h, "pending once more", h.pendingIDs(), want)
	last := int64(0)
	for _, e := range h.pending() {
		if e.Sequence <= last {
			h.t.Errorf("sequence %d comes after %d", e.Sequence, last)
		}
		last = e.Sequence
	}
}

func testPendingLimit(h *harness) {
	h.dispatch(profile("e0", "r"), profile("e1", "r"), profile("e2", "r"))
	for limit := 1; limit <= 4; limit++ {
		pending, err := h.store.Pending(h.ctx(), webhook.PendingRequest{Limit: limit, LimitBytes: 1 << 30})
		h.must(err)
		equal(h, fmt.Sprint("events of at most ", limit), len(pending.Events), min(limit, 3))
		equal(h, "more", pending.More, limit < 3)
		for i, e := range pending.Events {
			equal(h, "event", e.ID, fmt.Sprint("e", i))
		}
	}
}

func testPendingLimitBytes(h *harness) {
	var sizes []int
	for _, id := range numbered("e", 4) {
		e := profile(id, "r")
		e.Time = time.Date(2026, 11, 23, 10, 33, 0, 0, time.UTC)
		_, encoded, err := webhook.Prepare(e)
		h.must(err)
		sizes = append(sizes, len(encoded))
		h.dispatch(e)
	}
	for _, c := range []struct{ limitBytes, events int }{
		{0, 1}, {sizes[0] - 1, 1}, {sizes[0] + sizes[1] - 1, 1}, {sizes[0] + sizes[1], 2},
		{sizes[0] + sizes[1] + sizes[2] + sizes[3] - 1, 3}, {sizes[0] + sizes[1] + sizes[2] + sizes[3], 4},
	} {
		pending, err := h.store.Pending(h.ctx(), webhook.PendingRequest{Limit: 10, LimitBytes: c.limitBytes})
		h.must(err)
		equal(h, fmt.Sprintf("events in %d bytes", c.limitBytes), len(pending.Events), c.events)
		equal(h, "more", pending.More, c.events < 4)
	}
}

func testDispatchInvalid(h *harness) {
	for _, spoil := range []func(*webhook.Event){
		func(e *webhook.Event) { e.ID = "with space" },
		func(e *webhook.Event) { e.Action = "" },
		func(e *webhook.Event) { e.Database = "" },
		func(e *webhook.Event) { e.Profile.ID = "" },
		func(e *webhook.Event) { e.Profile.Fields = map[string]any{"f": struct{}{}} },
		func(e *webhook.Event) { e.Profile.Fields = map[string]any{"f": "\xff"} },
		func(e *webhook.Event) {
			e.Profile.Fields = map[string]any{"f": strings.Repeat("x", webhook.MaxMessage)}
		},
	} {
		bad := profile("bad", "r")
		spoil(&bad)
		for _, batch := range [][]webhook.Event{{bad}, {profile("good", "r"), bad}, {bad, profile("good", "r")}} {
			h.wantErr("dispatch", h.store.Dispatch(h.ctx(), batch...), webhook.ErrInvalid)
		}
	}
	equal(h, "pending", len(h.pending()), 0)
}

func testIdempotent(h *harness) {
	c := h.create("d", "")
	again := profile("e1", "other")
	again.Action = webhook.ActionDelete
	h.dispatch(profile("e1", "r"), again, profile("e2", "r"), again)
	h.dispatch(again, profile("e3", "r"))
	equalList(h, "pending", h.pendingIDs(), []string{"e1", "e2", "e3"})
	equal(h, "the event that is kept", h.pending()[0].Profile.ID, "r")
	h.fanOut()
	h.deliver(again)
	equal(h, "deliveries after the fan-out", len(h.deliveries(webhook.DeliveryQuery{})), 3)
	w := h.join()
	for range 3 {
		h.settle(w, webhook.DeliveryDelivered, h.claim(claimAll(w))...)
	}
	h.deliver(again)
	equal(h, "pending after the delivery", len(h.pending()), 0)
	equal(h, "states", h.states(c, "e1", "e2", "e3"), "delivered delivered delivered")
	equal(h, "record", h.delivery("e1", c).Record, "r")
	equal(h, "deliveries", len(h.deliveries(webhook.DeliveryQuery{})), 3)
}

func testConcurrentDispatch(h *harness) {
	const writers, events = 6, 15
	var group sync.WaitGroup
	for w := range writers {
		group.Go(func() {
			for i := range events {
				// Every event is dispatched twice, as a caller would who got no answer.
				for range 2 {
					if err := h.store.Dispatch(h.ctx(), profile(fmt.Sprintf("%d-%02d", w, i), fmt.Sprint("r", w))); err != nil {
						h.t.Error(err)
					}
				}
			}
		})
	}
	group.Wait()
	byRecord := make(map[string][]string)
	for _, e := range firstOfEach(h.pending()) {
		byRecord[e.Profile.ID] = append(byRecord[e.Profile.ID], e.ID)
	}
	equal(h, "records", len(byRecord), writers)
	for record, ids := range byRecord {
		equal(h, "events of record "+record, len(ids), events)
		if !slices.IsSorted(ids) {
			h.t.Errorf("events of one writer are out of order: %v", ids)
		}
	}
}

func testManyEvents(h *harness) {
	ids := numbered("e", 2500)
	events := make([]webhook.Event, len(ids))
	for i, id := range ids {
		events[i] = profile(id, fmt.Sprint("r", i%100))
	}
	h.dispatch(events...)
	equalList(h, "pending", h.pendingIDs(), ids)
	h.dispatch(events...)
	equalList(h, "pending after a repetition", h.pendingIDs(), ids)
}
