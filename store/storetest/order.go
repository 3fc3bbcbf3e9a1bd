package storetest

import (
	"time"

	"github.com/ringback-dev/ringback/webhook"
)

func orderTests() []test {
	return []test{
		{"one fan-out", testOrderOneFanOut},
		{"several fan-outs", testOrderSeveralFanOuts},
		{"callbacks are apart", testOrderPerCallback},
		{"records are apart", testOrderPerRecord},
		{"successor at the end", testSuccessor},
		{"successor not before", testNoSuccessor},
		{"behind the last", testBehindTheLast},
	}
}

func testOrderOneFanOut(h *harness) {
	c := h.create("d", "")
	h.deliver(profile("e1", "r"), profile("e2", "r"), profile("e3", "s"), profile("e4", "r"))
	equal(h, "states", h.states(c, "e1", "e2", "e3", "e4"), "ready waiting ready waiting")
	equal(h, "claimed", eventIDs(h.claim(claimAll(h.join()))), "e1 e3")
}

func testOrderSeveralFanOuts(h *harness) {
	c := h.create("d", "")
	h.deliver(profile("e1", "r"))
	h.deliver(profile("e2", "r"))
	equal(h, "states", h.states(c, "e1", "e2"), "ready waiting")
	h.claim(claimAll(h.join()))
	h.deliver(profile("e3", "r"))
	equal(h, "states behind a claimed one", h.states(c, "e1", "e2", "e3"), "claimed waiting waiting")
}

func testOrderPerCallback(h *harness) {
	first := h.create("d", "")
	h.deliver(profile("e1", "r"))
	second := h.create("d", "")
	h.deliver(profile("e2", "r"))
	equal(h, "state behind an open one", h.states(first, "e2"), "waiting")
	equal(h, "state at a callback that has none", h.states(second, "e2"), "ready")
}

func testOrderPerRecord(h *harness) {
	h.create("d", "")
	h.create("", "c")
	h.deliver(profile("e1", "r"), subprofile("e2", "d", "c", "r"), subprofile("e3", "other", "c", "r"),
		subprofile("e4", "d", "c", "s"))
	equal(h, "deliveries that wait", len(h.deliveries(webhook.DeliveryQuery{State: webhook.DeliveryWaiting})), 0)
	equal(h, "deliveries that are ready", len(h.deliveries(webhook.DeliveryQuery{State: webhook.DeliveryReady})), 4)
}

func testSuccessor(h *harness) {
	c := h.create("d", "")
	h.deliver(profile("e1", "r"), profile("e2", "r"), profile("e3", "r"))
	w := h.join()
	h.settle(w, webhook.DeliveryDelivered, h.claim(claimAll(w))...)
	equal(h, "states", h.states(c, "e1", "e2", "e3"), "delivered ready waiting")
	equal(h, "due of the successor", h.delivery("e2", c).Due, time.Time{})
	h.settle(w, webhook.DeliveryDead, h.claim(claimAll(w))...)
	equal(h, "states", h.states(c, "e1", "e2", "e3"), "delivered dead ready")
	equal(h, "claimed", eventIDs(h.claim(claimAll(w))), "e3")
}

func testNoSuccessor(h *harness) {
	c := h.create("d", "")
	h.deliver(profile("e1", "r"), profile("e2", "r"))
	w := h.join()
	h.settle(w, webhook.DeliveryReady, h.claim(claimAll(w))...)
	equal(h, "states", h.states(c, "e1", "e2"), "ready waiting")
	equal(h, "claimed before the retry is due", eventIDs(h.claim(claimAll(w))), "")
}

func testBehindTheLast(h *harness) {
	c := h.create("d", "")
	w := h.join()
	for _, id := range numbered("e", 3) {
		h.deliver(profile(id, "r"))
		equal(h, "state behind one that has ended", h.states(c, id), "ready")
		h.settle(w, webhook.DeliveryDelivered, h.claim(claimAll(w))...)
	}
}
