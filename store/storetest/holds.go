package storetest

import (
	"slices"

	"github.com/ringback-dev/ringback/webhook"
)

func holdsTests() []test {
	return []test{
		{"claims", testHolds},
		{"no more", testHoldsNoMore},
	}
}

// holders returns the registered workers that hold claims, in order.
func (h *harness) holders() []webhook.Worker {
	h.t.Helper()
	workers, err := h.store.Workers(h.ctx())
	h.must(err)
	var holders []webhook.Worker
	for _, w := range workers {
		if w.Holds {
			holders = append(holders, w.Worker)
		}
	}
	slices.Sort(holders)
	return holders
}

func testHolds(h *harness) {
	h.create("d", "")
	first, second := h.join(), h.join()
	h.deliver(profile("e1", "r"), profile("e2", "s"), profile("e3", "t"), profile("e4", "r"))
	equalList(h, "holders before a claim", h.holders(), nil)
	r := claimAll(first)
	r.Limit = 2
	claimed := h.claim(r)
	equal(h, "claimed", eventIDs(claimed), "e1 e2")
	equalList(h, "holders after a claim", h.holders(), []webhook.Worker{first})
	equal(h, "claimed by the second", len(h.claim(claimAll(second))), 1)
	equalList(h, "holders", h.holders(), []webhook.Worker{first, second})
	h.settle(first, webhook.DeliveryDelivered, claimed[0])
	equalList(h, "holders after one of two", h.holders(), []webhook.Worker{first, second})
	h.settle(first, webhook.DeliveryReady, claimed[1])
	equalList(h, "holders after two of two", h.holders(), []webhook.Worker{second})
	h.must(h.store.Leave(h.ctx(), second))
	equalList(h, "holders after leaving", h.holders(), nil)
	equal(h, "claimed of what was left", eventIDs(h.claim(claimAll(first))), "e3 e4")
	equalList(h, "holders", h.holders(), []webhook.Worker{first})
}

// testHoldsNoMore ends a claim in every way in which the worker goes on.
func testHoldsNoMore(h *harness) {
	for name, end := range map[string]func(webhook.Worker, webhook.Claimed){
		"delivered": func(w webhook.Worker, c webhook.Claimed) { h.settle(w, webhook.DeliveryDelivered, c) },
		"dead":      func(w webhook.Worker, c webhook.Claimed) { h.settle(w, webhook.DeliveryDead, c) },
		"retry":     func(w webhook.Worker, c webhook.Claimed) { h.settle(w, webhook.DeliveryReady, c) },
		"given back": func(w webhook.Worker, c webhook.Claimed) {
			h.must(h.trySettle(h.ctx(), w, []webhook.Outcome{{
				Sequence: c.Sequence, Callback: c.Callback, State: webhook.DeliveryReady,
			}}))
		},
		"gone": func(_ webhook.Worker, c webhook.Claimed) { h.must(h.store.DeleteCallback(h.ctx(), c.Callback)) },
	} {
		c := h.create("d", "")
		h.deliver(profile("", "r"))
		w := h.join()
		claimed := h.claim(claimAll(w))
		equal(h, "claimed", len(claimed), 1)
		equalList(h, "holders", h.holders(), []webhook.Worker{w})
		end(w, claimed[0])
		equalList(h, "holders once it is "+name, h.holders(), nil)
		if name != "gone" {
			h.must(h.store.DeleteCallback(h.ctx(), c.ID))
		}
	}
}
