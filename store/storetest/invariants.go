package storetest

import (
	"slices"
	"testing"
	"time"

	"github.com/ringback-dev/ringback/webhook"
)

// A lane is what order is kept in: the deliveries to one callback about one record.
type lane struct {
	callback, database, collection, record string
}

func laneOf(d webhook.Delivery) lane {
	return lane{d.Callback, d.Database, d.Collection, d.Record}
}

// checkInvariants checks what holds in every store at every moment.
func (h *harness) checkInvariants() {
	h.t.Helper()
	h.checkCallbacks()
	deliveries := h.deliveries(webhook.DeliveryQuery{})
	lanes := make(map[lane][]webhook.Delivery)
	for i, d := range deliveries {
		if i > 0 && d.Sequence > deliveries[i-1].Sequence {
			h.t.Errorf("delivery %s comes after an earlier one: latest event first", d.ID)
		}
		h.checkDelivery(d)
		lanes[laneOf(d)] = append(lanes[laneOf(d)], d)
	}
	for _, lane := range lanes {
		slices.Reverse(lane)
		h.checkLane(lane)
	}
	h.checkPending(deliveries)
}

func (h *harness) checkCallbacks() {
	h.t.Helper()
	page, err := h.store.Callbacks(h.ctx(), webhook.CallbackQuery{Limit: 100_000, WithTotal: true})
	h.must(err)
	equal(h, "total of all callbacks", page.Total, len(page.Callbacks))
	for _, c := range page.Callbacks {
		got, err := h.store.Callback(h.ctx(), c.ID)
		h.must(err)
		equal(h, "callback as listed", c, got)
	}
}

func (h *harness) checkDelivery(d webhook.Delivery) {
	h.t.Helper()
	if want := webhook.DeliveryID(d.EventID, d.Callback); d.ID != want {
		h.t.Errorf("delivery has ID %q, want %q", d.ID, want)
	}
	if got, err := h.store.Delivery(h.ctx(), d.ID); err != nil || got != d {
		h.t.Errorf("delivery as listed: %+v, read alone: %+v, %v", d, got, err)
	}
	if _, err := h.store.Callback(h.ctx(), d.Callback); err != nil {
		h.t.Errorf("delivery %s has no callback: %v", d.ID, err)
	}
	if d.State.Ended() == d.Ended.IsZero() {
		h.t.Errorf("delivery %s is %s and ended at %v", d.ID, d.State, d.Ended)
	}
	if (d.State == webhook.DeliveryDead) != (d.Reason != "") {
		h.t.Errorf("delivery %s is %s for reason %q", d.ID, d.State, d.Reason)
	}
	if d.Created.IsZero() {
		h.t.Errorf("delivery %s was never created", d.ID)
	}
	for _, at := range []time.Time{d.Due, d.Created, d.Ended} {
		h.checkTime(at)
	}
	attempts, err := h.store.Attempts(h.ctx(), d.ID)
	if err != nil || len(attempts) != d.Attempts {
		h.t.Errorf("delivery %s counts %d attempts, there are %d, %v", d.ID, d.Attempts, len(attempts), err)
	}
	for i, a := range attempts {
		if a.Number != i+1 {
			h.t.Errorf("attempt %d of delivery %s has number %d", i+1, d.ID, a.Number)
		}
	}
}

// checkTime checks that a time is one that a store returns: in UTC, to the
// millisecond.
func (h *harness) checkTime(at time.Time) {
	h.t.Helper()
	if at.Location() != time.UTC || !at.Equal(at.Truncate(time.Millisecond)) {
		h.t.Errorf("time %v is not in UTC to the millisecond", at)
	}
}

// checkLane checks the order: of the open deliveries about a record the first alone
// is on its way, and none has overtaken it.
func (h *harness) checkLane(lane []webhook.Delivery) {
	h.t.Helper()
	open := 0
	for _, d := range lane {
		switch {
		case d.State.Ended():
			// One that was born dead is not part of the order.
			if open > 0 && d.Attempts > 0 {
				h.t.Errorf("delivery %s has overtaken an earlier one", d.ID)
			}
			continue
		case open == 0 && d.State == webhook.DeliveryWaiting:
			h.t.Errorf("delivery %s waits for nothing", d.ID)
		case open > 0 && d.State != webhook.DeliveryWaiting:
			h.t.Errorf("delivery %s is %s, but an earlier one is open", d.ID, d.State)
		}
		open++
	}
}

// checkPending checks that what is to be fanned out is in order, and has not been.
func (h *harness) checkPending(deliveries []webhook.Delivery) {
	h.t.Helper()
	fannedOut := make(map[int64]bool)
	for _, d := range deliveries {
		fannedOut[d.Sequence] = true
	}
	last := int64(0)
	for _, e := range h.pending() {
		if e.Sequence <= last {
			h.t.Errorf("pending event %d comes after %d", e.Sequence, last)
		}
		if fannedOut[e.Sequence] {
			h.t.Errorf("pending event %d has deliveries", e.Sequence)
		}
		last = e.Sequence
	}
}

// checkDrains checks that nothing is stuck: all workers leave, another one delivers
// everything, in order.
func (h *harness) checkDrains() {
	h.t.Helper()
	h.fanOut()
	workers, err := h.store.Workers(h.ctx())
	h.must(err)
	for _, w := range workers {
		h.must(h.store.Leave(h.ctx(), w.Worker))
	}
	worker := h.join()
	last := make(map[lane]int64)
	for {
		r := claimAll(worker)
		r.Now = time.Now().AddDate(100, 0, 0)
		claimed := h.claim(r)
		if len(claimed) == 0 {
			break
		}
		for _, c := range claimed {
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

// CheckInvariants checks what holds in every store at every moment, such as after a
// crash: the order of deliveries, their states, that nothing refers to what is not
// there. It changes nothing.
func CheckInvariants(t *testing.T, store webhook.Store) {
	t.Helper()
	(&harness{t, store}).checkInvariants()
}

// CheckDrains checks that nothing is stuck: all workers leave, and another one
// delivers everything.
func CheckDrains(t *testing.T, store webhook.Store) {
	t.Helper()
	(&harness{t, store}).checkDrains()
}
