package storetest

import (
	"fmt"
	"time"

	"github.com/ringback-dev/ringback/webhook"
)

func pruneTests() []test {
	return []test{
		{"nothing", testPruneNothing},
		{"too young", testPruneYoung},
		{"delivered", testPruneDelivered},
		{"dead", testPruneDead},
		{"open", testPruneOpen},
		{"pending", testPrunePending},
		{"in part", testPrunePart},
		{"without deliveries", testPruneUnheard},
		{"of a callback that is gone", testPruneGone},
		{"walk", testPruneWalk},
		{"walk ends at the young", testPruneWalkYoung},
		{"IDs may be used again", testPruneFreesID},
	}
}

// prune walks over all events, a few at a time, and returns what was removed.
func (h *harness) prune(r webhook.PruneRequest) (total webhook.PruneResult) {
	h.t.Helper()
	for range 100_000 {
		result, err := h.store.Prune(h.ctx(), r)
		h.must(err)
		total.Events += result.Events
		total.Deliveries += result.Deliveries
		if result.Next == 0 {
			return total
		}
		if result.Next <= r.After {
			h.t.Fatalf("walk goes from %d to %d", r.After, result.Next)
		}
		r.After = result.Next
	}
	h.t.Fatal("walk has no end")
	return total
}

// later is after everything that has happened.
func later() time.Time { return time.Now().Add(time.Hour) }

// pruneAll removes all that has ended.
func (h *harness) pruneAll() webhook.PruneResult {
	h.t.Helper()
	return h.prune(webhook.PruneRequest{Limit: 10, Delivered: later(), Dead: later()})
}

// ended delivers three events, about different records: the first is delivered, the
// second dead, the third still open.
func (h *harness) ended() webhook.Callback {
	h.t.Helper()
	c := h.create("d", "")
	h.deliver(profile("delivered", "r1"), profile("dead", "r2"), profile("open", "r3"))
	w := h.join()
	claimed := h.claim(claimAll(w))
	equal(h, "claimed", len(claimed), 3)
	h.settle(w, webhook.DeliveryDelivered, claimed[0])
	h.settle(w, webhook.DeliveryDead, claimed[1])
	return c
}

func testPruneNothing(h *harness) {
	equal(h, "removed", h.pruneAll(), webhook.PruneResult{})
}

func testPruneYoung(h *harness) {
	c := h.ended()
	for _, before := range []time.Time{{}, time.Now().Add(-time.Hour)} {
		got := h.prune(webhook.PruneRequest{Limit: 10, Delivered: before, Dead: before})
		equal(h, "removed", got, webhook.PruneResult{})
	}
	equal(h, "states", h.states(c, "delivered", "dead", "open"), "delivered dead claimed")
}

func testPruneDelivered(h *harness) {
	c := h.ended()
	got := h.prune(webhook.PruneRequest{Limit: 10, Delivered: later(), Dead: time.Now().Add(-time.Hour)})
	equal(h, "removed", got, webhook.PruneResult{Events: 1, Deliveries: 1})
	id := webhook.DeliveryID("delivered", c.ID)
	_, err := h.store.Delivery(h.ctx(), id)
	h.wantErr("Delivery", err, webhook.ErrNotFound)
	_, err = h.store.Attempts(h.ctx(), id)
	h.wantErr("Attempts", err, webhook.ErrNotFound)
	equal(h, "states", h.states(c, "dead", "open"), "dead claimed")
}

func testPruneDead(h *harness) {
	c := h.ended()
	got := h.prune(webhook.PruneRequest{Limit: 10, Delivered: time.Now().Add(-time.Hour), Dead: later()})
	equal(h, "removed", got, webhook.PruneResult{Deliveries: 1}) // the event is young
	equal(h, "states", h.states(c, "delivered", "open"), "delivered claimed")
	equal(h, "dead deliveries", len(h.deliveries(webhook.DeliveryQuery{State: webhook.DeliveryDead})), 0)
	h.deliver(profile("dead", "r"))
	equal(h, "its ID is still known: deliveries", len(h.deliveries(webhook.DeliveryQuery{})), 2)
}

func testPruneOpen(h *harness) {
	c := h.create("d", "")
	h.deliver(profile("e1", "r1"), profile("e2", "r2"), profile("e3", "r3"), profile("e4", "r1"))
	w := h.join()
	claimed := h.claim(claimAll(w))
	h.settle(w, webhook.DeliveryReady, claimed[1])
	h.must(h.trySettle(h.ctx(), w, []webhook.Outcome{{
		Sequence: claimed[2].Sequence, Callback: claimed[2].Callback, State: webhook.DeliveryReady,
	}}))
	equal(h, "removed", h.pruneAll(), webhook.PruneResult{})
	equal(h, "states", h.states(c, "e1", "e2", "e3", "e4"), "claimed ready ready waiting")
}

func testPrunePending(h *harness) {
	h.dispatch(profile("e", "r"))
	equal(h, "removed", h.pruneAll(), webhook.PruneResult{})
	equalList(h, "pending", h.pendingIDs(), []string{"e"})
}

// testPrunePart prunes an event with two deliveries of which one is open.
func testPrunePart(h *harness) {
	first, second := h.create("d", ""), h.create("d", "")
	h.deliver(profile("e", "r"))
	w := h.join()
	for _, c := range h.claim(claimAll(w)) {
		if c.Callback == first.ID {
			h.settle(w, webhook.DeliveryDelivered, c)
		}
	}
	equal(h, "removed", h.pruneAll(), webhook.PruneResult{Deliveries: 1})
	equal(h, "state", h.states(second, "e"), "claimed")
	equal(h, "deliveries", len(h.deliveries(webhook.DeliveryQuery{})), 1)
}

func testPruneUnheard(h *harness) {
	past := profile("e1", "r")
	past.Time = time.Now().AddDate(-20, 0, 0) // it is when it was appended that counts
	h.deliver(past, profile("e2", "r"))
	young := webhook.PruneRequest{Limit: 10, Delivered: time.Now().Add(-time.Hour), Dead: later()}
	equal(h, "removed while young", h.prune(young), webhook.PruneResult{})
	equal(h, "removed", h.pruneAll(), webhook.PruneResult{Events: 2})
}

func testPruneGone(h *harness) {
	c := h.ended()
	h.must(h.store.DeleteCallback(h.ctx(), c.ID))
	equal(h, "removed", h.pruneAll(), webhook.PruneResult{Events: 3})
}

func testPruneWalk(h *harness) {
	h.create("d", "")
	const events = 25
	for i, id := range numbered("e", events) {
		h.dispatch(profile(id, fmt.Sprint("r", i)))
	}
	h.fanOut()
	w := h.join()
	kept := 0
	for i, c := range h.claim(claimAll(w)) {
		if i%4 == 0 {
			kept++
			continue
		}
		h.settle(w, webhook.DeliveryDelivered, c)
	}
	for _, limit := range []int{1, 3} {
		// No more than so many are looked at in one step.
		r := webhook.PruneRequest{Limit: limit, Delivered: later(), Dead: later()}
		step, err := h.store.Prune(h.ctx(), r)
		h.must(err)
		if step.Events > limit || step.Next == 0 {
			h.t.Fatalf("step over %d events: %+v", limit, step)
		}
		got := h.prune(webhook.PruneRequest{After: step.Next, Limit: limit, Delivered: later(), Dead: later()})
		if limit == 1 {
			equal(h, "events removed", step.Events+got.Events, events-kept)
			equal(h, "deliveries removed", step.Deliveries+got.Deliveries, events-kept)
		} else {
			equal(h, "events removed again", step.Events+got.Events, 0)
		}
	}
	equal(h, "deliveries left", len(h.deliveries(webhook.DeliveryQuery{})), kept)
}

func testPruneWalkYoung(h *harness) {
	for i, id := range numbered("e", 5) {
		h.deliver(profile(id, fmt.Sprint("r", i)))
	}
	past := time.Now().Add(-time.Hour)
	for _, c := range []struct {
		delivered, dead time.Time
		ends            bool
	}{{past, past, true}, {past, later(), false}, {later(), past, false}} {
		step, err := h.store.Prune(h.ctx(), webhook.PruneRequest{Limit: 1, Delivered: c.delivered, Dead: c.dead})
		h.must(err)
		equal(h, "walk ends with the first event", step.Next == 0, c.ends)
	}
}

func testPruneFreesID(h *harness) {
	c := h.create("d", "")
	h.deliver(profile("e", "r"))
	first := h.delivery("e", c).Sequence
	w := h.join()
	h.settle(w, webhook.DeliveryDelivered, h.claim(claimAll(w))...)
	h.pruneAll()
	h.deliver(profile("e", "r"))
	d := h.delivery("e", c)
	equal(h, "state", d.State, webhook.DeliveryReady)
	if d.Sequence <= first {
		h.t.Errorf("sequence %d comes after %d", d.Sequence, first)
	}
}
