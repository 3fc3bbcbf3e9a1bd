package storetest

import (
	"testing"
	"time"

	"github.com/ringback-dev/ringback/webhook"
)

// checkDrains checks that nothing is stuck: what is to be replayed is, all workers
// leave, another one delivers everything, in order.
func (h *harness) checkDrains() {
	h.t.Helper()
	h.fanOut()
	h.continueReplays(100)
	workers, err := h.store.Workers(h.ctx())
	h.must(err)
	for _, w := range workers {
		h.must(h.store.Leave(h.ctx(), w.Worker))
	}
	worker := h.join()
	waiting := make(map[string]bool)
	for _, d := range h.deliveries(webhook.DeliveryQuery{State: webhook.DeliveryWaiting}) {
		waiting[d.ID] = true
	}
	last := make(map[lane]int64)
	for {
		r := claimAll(worker)
		r.Now = time.Now().AddDate(100, 0, 0)
		claimed := h.claim(r)
		if len(claimed) == 0 {
			break
		}
		for _, c := range claimed {
			if !waiting[c.ID] {
				continue
			}
			if c.Sequence <= last[laneOf(c.Delivery)] {
				h.t.Errorf("delivery %s is out of order", c.ID)
			}
			last[laneOf(c.Delivery)] = c.Sequence
		}
		h.settle(worker, webhook.DeliveryDelivered, claimed...)
	}
	for _, d := range h.deliveries(webhook.DeliveryQuery{}) {
		if !d.State.Ended() {
			h.t.Errorf("delivery %s is stuck: %s", d.ID, d.State)
		}
	}
	if n := len(h.pending()); n > 0 {
		h.t.Errorf("%d events are stuck in the outbox", n)
	}
	h.must(h.store.Leave(h.ctx(), worker))
	h.checkInvariants()
}

// CheckDrains checks that nothing is stuck: all workers leave, and another one
// delivers everything.
func CheckDrains(t *testing.T, store webhook.Store) {
	t.Helper()
	(&harness{t, store}).checkDrains()
}
