package storetest

import (
	"time"

	"github.com/ringback-dev/ringback/webhook"
)

func skipTests() []test {
	return []test{
		{"successor", testSkip},
		{"end beside the others", testSkipEnd},
		{"several", testSkipSeveral},
		{"without an attempt", testSkipGivenBack},
		{"new events", testSkipNew},
		{"worker that ends", testSkipWorker},
		{"claimed in the order of events", testSkipOrder},
	}
}

// passed returns the outcome of an attempt that failed and lets others pass; the retry
// is due at once.
func passed(c webhook.Claimed) webhook.Outcome {
	o := attemptedAt(c, webhook.DeliveryReady, time.Now())
	o.Pass = true
	return o
}

func testSkip(h *harness) {
	c, other := h.create("d", ""), h.create("d", "")
	h.deliver(profile("e1", "r"), profile("e2", "r"), profile("e3", "r"))
	w := h.join()
	o := outcome(h.claim(claimAll(w))[0], webhook.DeliveryReady)
	if o.Callback != c.ID {
		c, other = other, c
	}
	o.Pass = true
	h.record(w, o)
	equal(h, "states", h.states(c, "e1", "e2", "e3"), "ready ready waiting")
	equal(h, "states at another callback", h.states(other, "e1", "e2", "e3"), "claimed waiting waiting")
	d := h.delivery("e1", c)
	equal(h, "passed", d.Passed, true)
	equal(h, "due", d.Due, o.Due.UTC().Truncate(time.Millisecond))
	equal(h, "due of the successor", h.delivery("e2", c).Due, time.Time{})
	equal(h, "successor passed", h.delivery("e2", c).Passed, false)
	claimed := h.claim(claimAll(w))
	equal(h, "claimed", eventIDs(claimed), "e2")
	h.settle(w, webhook.DeliveryDelivered, claimed...)
	equal(h, "states", h.states(c, "e1", "e2", "e3"), "ready delivered ready")
}

// testSkipEnd ends one that was passed while its successor is under way: nobody else
// becomes ready by that.
func testSkipEnd(h *harness) {
	for _, state := range []webhook.DeliveryState{webhook.DeliveryDelivered, webhook.DeliveryDead} {
		c := h.create("d", "")
		h.deliver(profile("e1"+c.ID, "r"), profile("e2"+c.ID, "r"), profile("e3"+c.ID, "r"))
		ids := []string{"e1" + c.ID, "e2" + c.ID, "e3" + c.ID}
		w := h.join()
		h.record(w, passed(h.claim(claimAll(w))[0]))
		claimed := h.claim(claimAll(w))
		equal(h, "claimed", eventIDs(claimed), ids[0]+" "+ids[1])
		equal(h, "passed, as claimed", claimed[0].Passed, true)
		h.settle(w, state, claimed[0])
		equal(h, "states", h.states(c, ids...), string(state)+" claimed waiting")
		equal(h, "passed in the end", h.delivery(ids[0], c).Passed, true)
		h.settle(w, state, claimed[1])
		equal(h, "states", h.states(c, ids...), string(state)+" "+string(state)+" ready")
		h.must(h.store.DeleteCallback(h.ctx(), c.ID))
	}
}

func testSkipSeveral(h *harness) {
	c := h.create("d", "")
	h.deliver(profile("e1", "r"), profile("e2", "r"), profile("e3", "r"), profile("e4", "r"))
	w := h.join()
	h.record(w, passed(h.claim(claimAll(w))[0]))
	claimed := h.claim(claimAll(w))
	// One that was passed already lets nobody else pass.
	h.record(w, passed(claimed[0]), passed(claimed[1]))
	equal(h, "states", h.states(c, "e1", "e2", "e3", "e4"), "ready ready ready waiting")
	claimed = h.claim(claimAll(w))
	equal(h, "claimed", eventIDs(claimed), "e1 e2 e3")
	retry := outcome(claimed[0], webhook.DeliveryReady)
	h.record(w, retry)
	equal(h, "passed after a retry that does not say so", h.delivery("e1", c).Passed, true)
	equal(h, "states", h.states(c, "e1", "e2", "e3", "e4"), "ready claimed claimed waiting")
	h.settle(w, webhook.DeliveryDelivered, claimed[1:]...)
	equal(h, "states", h.states(c, "e1", "e2", "e3", "e4"), "ready delivered delivered ready")
}

func testSkipGivenBack(h *harness) {
	c := h.create("d", "")
	h.deliver(profile("e1", "r"), profile("e2", "r"))
	w := h.join()
	o := givenBack(h.claim(claimAll(w))[0])
	o.Pass = true
	h.record(w, o)
	equal(h, "states", h.states(c, "e1", "e2"), "ready ready")
	equal(h, "attempts", h.delivery("e1", c).Attempts, 0)
	equal(h, "passed", h.delivery("e1", c).Passed, true)
}

func testSkipNew(h *harness) {
	c := h.create("d", "")
	h.deliver(profile("e1", "r"))
	w := h.join()
	h.record(w, passed(h.claim(claimAll(w))[0]))
	h.deliver(profile("e2", "r"))
	equal(h, "states", h.states(c, "e1", "e2"), "ready ready")
	h.deliver(profile("e3", "r"))
	equal(h, "states", h.states(c, "e1", "e2", "e3"), "ready ready waiting")
	equal(h, "claimed", eventIDs(h.claim(claimAll(w))), "e1 e2")
}

func testSkipWorker(h *harness) {
	c := h.create("d", "")
	h.deliver(profile("e1", "r"), profile("e2", "r"), profile("e3", "r"))
	w := h.join()
	h.record(w, passed(h.claim(claimAll(w))[0]))
	for _, end := range []func(webhook.Worker){
		h.retire, func(w webhook.Worker) { h.must(h.store.Leave(h.ctx(), w)) },
	} {
		equal(h, "claimed", eventIDs(h.claim(claimAll(w))), "e1 e2")
		end(w)
		equal(h, "states", h.states(c, "e1", "e2", "e3"), "ready ready waiting")
		equal(h, "passed", h.delivery("e1", c).Passed, true)
		w = h.join()
	}
}

func testSkipOrder(h *harness) {
	h.create("d", "")
	h.deliver(profile("e1", "r"), profile("e2", "r"), profile("e3", "s"))
	w := h.join()
	claimed := h.claim(claimAll(w))
	o := passed(claimed[0])
	o.Due = time.Now().Add(-time.Millisecond)
	h.record(w, o, givenBack(claimed[1]))
	equal(h, "claimed", eventIDs(h.claim(claimAll(w))), "e1 e2 e3")
}
