package storetest

import (
	"github.com/ringback-dev/ringback/webhook"
)

func replayOrderTests() []test {
	return []test{
		{"among replayed ones", testReplayOrder},
		{"beside first deliveries", testReplayBeside},
		{"that is passed", testReplayPassed},
		{"of what was passed", testReplayOfPassed},
	}
}

// testReplayOrder replays three deliveries about a record, the second one first: what
// waits comes in the order of events.
func testReplayOrder(h *harness) {
	c := h.create("d", "")
	ids := numbered("e", 4)
	for _, id := range ids {
		h.dispatch(profile(id, "r"))
	}
	h.deliver(profile("other", "s"))
	w := h.join()
	h.deliverAll(w, webhook.DeliveryDelivered)
	for _, i := range []int{1, 3, 0, 2} {
		h.replay(ids[i], c)
	}
	equal(h, "state of another record's", h.replay("other", c).State, webhook.DeliveryReady)
	equal(h, "states", h.states(c, ids...), "waiting ready waiting waiting")
	claimed := h.claim(claimAll(w))
	equal(h, "claimed", eventIDs(claimed), "e1 other")
	h.settle(w, webhook.DeliveryDelivered, claimed...)
	equal(h, "states", h.states(c, ids...), "ready delivered waiting waiting")
	for _, want := range []string{"e0", "e2", "e3"} {
		claimed := h.claim(claimAll(w))
		equal(h, "claimed", eventIDs(claimed), want)
		h.settle(w, webhook.DeliveryDelivered, claimed...)
	}
}

// testReplayBeside replays deliveries about a record while first ones about it are
// under way: neither waits for the other.
func testReplayBeside(h *harness) {
	c := h.create("d", "")
	h.deliver(profile("e1", "r"), profile("e2", "r"))
	w := h.join()
	h.deliverAll(w, webhook.DeliveryDead)
	h.deliver(profile("e3", "r"), profile("e4", "r"))
	h.replay("e1", c)
	h.replay("e2", c)
	h.deliver(profile("e5", "r"))
	states := func(want string) {
		h.t.Helper()
		equal(h, "states", h.states(c, "e1", "e2", "e3", "e4", "e5"), want)
	}
	states("ready waiting ready waiting waiting")
	claimed := h.claim(claimAll(w))
	equal(h, "claimed", eventIDs(claimed), "e1 e3")
	h.settle(w, webhook.DeliveryDelivered, claimed[1])
	states("claimed waiting delivered ready waiting")
	h.settle(w, webhook.DeliveryDelivered, claimed[0])
	states("delivered ready delivered ready waiting")
	h.replay("e3", c)
	states("delivered ready waiting ready waiting")
	claimed = h.claim(claimAll(w))
	equal(h, "claimed", eventIDs(claimed), "e2 e4")
	h.settle(w, webhook.DeliveryDelivered, claimed...)
	states("delivered delivered ready delivered ready")

	// With none but a replayed one open a new one need not wait.
	h.settle(w, webhook.DeliveryDelivered, h.claim(claimAll(w))[1])
	states("delivered delivered claimed delivered delivered")
	h.deliver(profile("e6", "r"))
	equal(h, "state of a new one", h.states(c, "e6"), "ready")
}

func testReplayPassed(h *harness) {
	c := h.create("d", "")
	h.deliver(profile("e1", "r"), profile("e2", "r"), profile("e3", "r"))
	w := h.join()
	h.deliverAll(w, webhook.DeliveryDead)
	h.deliver(profile("e4", "r"), profile("e5", "r"))
	for _, id := range []string{"e1", "e2", "e3"} {
		h.replay(id, c)
	}
	claimed := h.claim(claimAll(w))
	equal(h, "claimed", eventIDs(claimed), "e1 e4")
	h.record(w, passed(claimed[0]))
	equal(h, "states", h.states(c, "e1", "e2", "e3", "e4", "e5"), "ready ready waiting claimed waiting")
	equal(h, "passed", h.delivery("e1", c).Passed, true)
	claimed = h.claim(claimAll(w))
	equal(h, "claimed", eventIDs(claimed), "e1 e2")
	h.settle(w, webhook.DeliveryDelivered, claimed[0])
	equal(h, "states", h.states(c, "e1", "e2", "e3", "e4", "e5"), "delivered claimed waiting claimed waiting")
}

// testReplayOfPassed replays what was passed when it was delivered first: then it has
// its place among the replayed ones.
func testReplayOfPassed(h *harness) {
	c := h.create("d", "")
	h.deliver(profile("e1", "r"), profile("e2", "r"))
	w := h.join()
	h.record(w, passed(h.claim(claimAll(w))[0]))
	h.deliverAll(w, webhook.DeliveryDead)
	h.replay("e1", c)
	h.replay("e2", c)
	equal(h, "states", h.states(c, "e1", "e2"), "ready waiting")
	claimed := h.claim(claimAll(w))
	equal(h, "claimed", eventIDs(claimed), "e1")
	h.settle(w, webhook.DeliveryDelivered, claimed...)
	equal(h, "states", h.states(c, "e1", "e2"), "delivered ready")
}
