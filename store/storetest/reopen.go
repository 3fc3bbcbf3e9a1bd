package storetest

import (
	"strings"
	"sync"
	"time"

	"github.com/ringback-dev/ringback/webhook"
)

// These are tests of what a store is to know still when it is opened again.

func testReopenHealth(h *harness, open func() *harness) {
	failing, pausing, disabled := h.create("d", ""), h.create("d", ""), h.create("d", "")
	h.deliver(profile("e1", "r"), profile("e2", "s"))
	w := h.join()
	for _, claimed := range h.claim(claimAll(w)) {
		o := outcome(claimed, webhook.DeliveryDelivered)
		switch {
		case claimed.Callback == disabled.ID:
			o = disabling(claimed)
		case claimed.EventID == "e2":
			o = attemptedAt(claimed, webhook.DeliveryReady, time.Now().Add(-time.Hour))
			if claimed.Callback == pausing.ID {
				o.Pause = later()
			}
		}
		h.record(w, o)
	}
	byHand := h.create("d", "")
	h.update(byHand.ID, func(c *webhook.Callback) {
		c.State, c.Reason, c.Ordering = webhook.StateDisabled, "by hand", webhook.OrderingSkip
	})

	again := open()
	for _, c := range []webhook.Callback{failing, pausing, disabled, byHand} {
		equal(h, "callback", again.callback(c.ID), h.callback(c.ID))
	}
	if health := again.callback(failing.ID).Health; health.Failures != 1 || health.FailingSince.IsZero() {
		h.t.Errorf("health is %+v", health)
	}
	equal(h, "state", again.callback(disabled.ID).State, webhook.StateDisabled)
	claimed := again.claim(claimAll(again.join()))
	equal(h, "claimed", len(claimed), 1)
	equal(h, "claimed for", *claimed[0].To, h.callback(failing.ID))
}

func testReopenTracks(h *harness, open func() *harness) {
	c := h.create("d", "")
	ids := []string{"e1", "e2", "e3", "e4", "e5"}
	h.deliver(profile("e1", "r"), profile("e2", "r"))
	w := h.join()
	h.deliverAll(w, webhook.DeliveryDead)
	h.deliver(profile("e3", "r"), profile("e4", "r"), profile("e5", "r"))
	h.replay("e1", c)
	h.replay("e2", c)
	claimed := h.claim(claimAll(w))
	equal(h, "claimed", eventIDs(claimed), "e1 e3")
	h.record(w, passed(claimed[1]))

	again := open()
	all := webhook.DeliveryQuery{}
	equalList(h, "deliveries", again.deliveries(all), h.deliveries(all))
	equal(h, "states", again.states(c, ids...), "claimed waiting ready ready waiting")
	taken := again.claim(claimAll(w))
	equal(h, "claimed", eventIDs(taken), "e3 e4")
	again.settle(w, webhook.DeliveryDelivered, taken[0])
	equal(h, "states", again.states(c, ids...), "claimed waiting delivered claimed waiting")
	again.settle(w, webhook.DeliveryDelivered, claimed[0], taken[1])
	equal(h, "states", again.states(c, ids...), "delivered ready delivered delivered ready")
}

// testReopenReplays leaves requests half done.
func testReopenReplays(h *harness, open func() *harness) {
	first, second := h.create("d", ""), h.create("d", "")
	h.endedEvents(h.join(), numbered("e", 5)...)
	h.startReplay(webhook.ReplayRequest{Callback: second.ID})
	h.startReplay(webhook.ReplayRequest{Callback: first.ID, State: webhook.DeliveryDead})
	_, err := h.store.ContinueReplays(h.ctx(), 2)
	h.must(err)

	again := open()
	done := len(strings.Fields(again.open(second)))
	if done > 2 {
		h.t.Fatalf("replayed %d, want at most 2", done)
	}
	equal(h, "open", again.open(second), strings.Join(numbered("e", done), " "))
	again.continueReplays(2)
	equal(h, "open in the end", again.open(second), "e0 e1 e2 e3 e4")
	equal(h, "open at another callback", again.open(first), "e1 e3")
	more, err := h.store.ContinueReplays(h.ctx(), 2)
	h.must(err)
	equal(h, "more", more, false)
}

// testTwoReplays continues the same requests from two sides at once.
func testTwoReplays(h *harness, open func() *harness) {
	first, second := h.create("d", ""), h.create("d", "")
	ids := numbered("e", 20)
	h.endedEvents(h.join(), ids...)
	h.startReplay(webhook.ReplayRequest{Callback: first.ID})
	h.startReplay(webhook.ReplayRequest{Callback: second.ID, State: webhook.DeliveryDead})
	var group sync.WaitGroup
	for _, side := range []*harness{h, open()} {
		group.Go(func() {
			for more, rounds := true, 0; more && rounds < 1000; rounds++ {
				var err error
				if more, err = side.store.ContinueReplays(side.ctx(), 1); err != nil {
					h.t.Error(err)
				}
			}
		})
	}
	group.Wait()
	equal(h, "open", h.open(first), strings.Join(ids, " "))
	equal(h, "open at another callback", len(strings.Fields(h.open(second))), 10)
}

// testTwoDisable has two engines find out at once that a receiver is gone.
func testTwoDisable(h *harness, open func() *harness) {
	for range 5 {
		c := h.create("d", "")
		h.deliver(profile("", "r"), profile("", "s"), profile("", "t"))
		sides := []*harness{h, open()}
		workers := make([]webhook.Worker, len(sides))
		outcomes := make([]webhook.Outcome, len(sides))
		for i, side := range sides {
			workers[i] = side.join()
			r := claimAll(workers[i])
			r.Limit = 1
			outcomes[i] = disabling(side.claim(r)[0])
		}
		var mu sync.Mutex
		var disabled []webhook.Callback
		var group sync.WaitGroup
		for i, side := range sides {
			group.Go(func() {
				got, err := side.store.Settle(side.ctx(), workers[i], outcomes[i:i+1])
				if err != nil {
					h.t.Error(err)
				}
				mu.Lock()
				defer mu.Unlock()
				disabled = append(disabled, got...)
			})
		}
		group.Wait()
		equal(h, "disabled by the two together", len(disabled), 1)
		got := h.callback(c.ID)
		equal(h, "state", got.State, webhook.StateDisabled)
		equal(h, "failures", got.Health.Failures, 2)
		equal(h, "open", h.open(c), "")
		h.must(h.store.DeleteCallback(h.ctx(), c.ID))
	}
}

// testReopenAppendClaim opens a store again in which events were appended and claimed
// in one, if it can do that.
func testReopenAppendClaim(h *harness, open func() *harness) {
	if _, ok := h.store.(webhook.AppendClaimer); !ok {
		return
	}
	c := h.create("d", "")
	w := h.join()
	all := []webhook.Callback{c}
	claimed := h.appendAndClaim(claimAll(w), h.expanded(all, profile("e1", "r"), profile("e2", "r"), profile("e3", "s"))...)

	again := open()
	equal(h, "states", again.states(c, "e1", "e2", "e3"), "claimed waiting claimed")
	equal(h, "delivery", again.delivery("e1", c), claimed[0].Delivery)
	other := again.join()
	more := again.appendAndClaim(claimAll(other), again.expanded(all, profile("e1", "t"), profile("e4", "r"), profile("e5", "u"))...)
	equal(h, "claimed there", eventIDs(more), "e5")
	again.retire(w)
	h.checkFenced(w, outcome(claimed[0], webhook.DeliveryDelivered))
	taken := again.claim(claimAll(other))
	equal(h, "taken over", eventIDs(taken), "e1 e3")
	equal(h, "message", string(taken[0].Message), "e1")
	equal(h, "states", h.states(c, "e1", "e2", "e3", "e4", "e5"), "claimed waiting claimed waiting claimed")
}
