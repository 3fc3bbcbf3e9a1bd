package storetest

import (
	"math"
	"time"

	"github.com/ringback-dev/ringback/webhook"
)

func repeatTests() []test {
	return []test{
		{"at once", testSettleTwice},
		{"after a new claim", testSettleAgain},
		{"another number", testSettleNumber},
	}
}

func testSettleTwice(h *harness) {
	w, c, claimed := h.claimed()
	h.settle(w, webhook.DeliveryDelivered, claimed, claimed)
	ended := h.delivery("e", c)
	h.settle(w, webhook.DeliveryDead, claimed)
	equal(h, "delivery", h.delivery("e", c), ended)
	equal(h, "attempts", ended.Attempts, 1)
}

// testSettleAgain is the worker that did not learn that its Settle had succeeded, and
// has claimed a retry since.
func testSettleAgain(h *harness) {
	for _, state := range []webhook.DeliveryState{
		webhook.DeliveryReady, webhook.DeliveryDelivered, webhook.DeliveryDead,
	} {
		c := h.create("d", "")
		e := profile("e"+c.ID, "r"+c.ID)
		h.deliver(e, profile("behind"+c.ID, e.Profile.ID))
		w := h.join()
		first := h.claim(claimAll(w))[0]
		retry := outcome(first, webhook.DeliveryReady)
		retry.Due = time.Time{}
		h.must(h.trySettle(h.ctx(), w, []webhook.Outcome{retry}))
		second := h.claim(claimAll(w))[0]
		equal(h, "claimed again", second.ID, first.ID)

		repeated := outcome(first, state)
		h.must(h.trySettle(h.ctx(), w, []webhook.Outcome{repeated, repeated}))
		equal(h, "delivery", h.delivery(e.ID, c), second.Delivery)
		equal(h, "states", h.states(c, e.ID, "behind"+c.ID), "claimed waiting")
		attempts, err := h.store.Attempts(h.ctx(), first.ID)
		h.must(err)
		equal(h, "attempts", len(attempts), 1)

		// What is passed over takes nothing else with it.
		h.must(h.trySettle(h.ctx(), w, []webhook.Outcome{repeated, outcome(second, webhook.DeliveryDelivered)}))
		equal(h, "states", h.states(c, e.ID, "behind"+c.ID), "delivered ready")
		equal(h, "attempts in the end", h.delivery(e.ID, c).Attempts, 2)
		h.must(h.store.DeleteCallback(h.ctx(), c.ID))
	}
}

func testSettleNumber(h *harness) {
	w, c, claimed := h.claimed()
	for _, number := range []int{2, 0, -1, math.MinInt, math.MaxInt} {
		o := outcome(claimed, webhook.DeliveryDelivered)
		o.Attempt.Number = number
		h.must(h.trySettle(h.ctx(), w, []webhook.Outcome{o}))
		equal(h, "delivery", h.delivery("e", c), claimed.Delivery)
	}
	h.settle(w, webhook.DeliveryDelivered, claimed)
	equal(h, "attempts", h.delivery("e", c).Attempts, 1)
}
