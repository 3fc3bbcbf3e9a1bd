package storetest

import (
	"slices"
	"testing"
	"time"

	"github.com/ringback-dev/ringback/webhook"
)

// A lane is what order is kept in: the deliveries to one callback about one record.
// Replayed ones have a lane of their own.
type lane struct {
	callback, database, collection, record string
	replayed                               bool
}

func laneOf(d webhook.Delivery) lane {
	return lane{d.Callback, d.Database, d.Collection, d.Record, d.Replayed}
}

// checkInvariants checks what holds in every store at every moment.
func (h *harness) checkInvariants() {
	h.t.Helper()
	disabled := h.checkCallbacks()
	deliveries := h.deliveries(webhook.DeliveryQuery{})
	lanes := make(map[lane][]webhook.Delivery)
	for i, d := range deliveries {
		if i > 0 && d.Sequence > deliveries[i-1].Sequence {
			h.t.Errorf("delivery %s comes after an earlier one: latest event first", d.ID)
		}
		h.checkDelivery(d)
		lanes[laneOf(d)] = append(lanes[laneOf(d)], d)
	}
	for l, lane := range lanes {
		slices.Reverse(lane)
		h.checkOvertaking(lane)
		h.checkLane(lane, disabled[l.callback])
	}
	h.checkPending(deliveries)
}

// checkCallbacks returns which callbacks are disabled.
func (h *harness) checkCallbacks() map[string]bool {
	h.t.Helper()
	disabled := make(map[string]bool)
	page, err := h.store.Callbacks(h.ctx(), webhook.CallbackQuery{Limit: 100_000, WithTotal: true})
	h.must(err)
	equal(h, "total of all callbacks", page.Total, len(page.Callbacks))
	for _, c := range page.Callbacks {
		got, err := h.store.Callback(h.ctx(), c.ID)
		h.must(err)
		equal(h, "callback as listed", c, got)
		disabled[c.ID] = c.State == webhook.StateDisabled
		if !disabled[c.ID] && (c.State != webhook.StateActive || c.Reason != "") {
			h.t.Errorf("callback %s is %s for reason %q", c.ID, c.State, c.Reason)
		}
		if health := c.Health; (health.Failures == 0) != health.FailingSince.IsZero() || health.Successes < 0 {
			h.t.Errorf("health of callback %s: %+v", c.ID, health)
		}
		for _, at := range []time.Time{
			c.Created, c.Updated, c.PreviousUntil, c.Health.FailingSince, c.Health.PausedUntil,
		} {
			h.checkTime(at)
		}
	}
	return disabled
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
	if d.State != webhook.DeliveryDead && d.Reason != "" {
		h.t.Errorf("delivery %s is %s for reason %q", d.ID, d.State, d.Reason)
	}
	if d.Earlier < 0 || d.Earlier > d.Attempts || d.Earlier > 0 && !d.Replayed {
		h.t.Errorf("delivery %s: %d of %d attempts came before it was replayed (%t)",
			d.ID, d.Earlier, d.Attempts, d.Replayed)
	}
	if d.Passed && d.State == webhook.DeliveryWaiting {
		h.t.Errorf("delivery %s was passed and waits", d.ID)
	}
	if d.Created.IsZero() {
		h.t.Errorf("delivery %s was never created", d.ID)
	}
	for _, at := range []time.Time{d.Due, d.Created, d.Ended} {
		h.checkTime(at)
	}
	attempts, err := h.store.Attempts(h.ctx(), d.ID)
	if err != nil || len(attempts) != min(d.Attempts, webhook.MaxAttempts) {
		h.t.Errorf("delivery %s counts %d attempts, there are %d, %v", d.ID, d.Attempts, len(attempts), err)
	}
	forgotten := d.Attempts - len(attempts)
	for i, a := range attempts {
		if number := forgotten + i + 1; a.Number != number {
			h.t.Errorf("attempt %d of delivery %s has number %d", number, d.ID, a.Number)
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

// checkOvertaking checks that no delivery of a lane has ended before an earlier one
// that nothing lets pass. Replays come in any order.
func (h *harness) checkOvertaking(lane []webhook.Delivery) {
	h.t.Helper()
	held := false
	for _, d := range lane {
		switch {
		case !d.State.Ended():
			held = held || !d.Passed && !d.Replayed
		case held && d.Attempts > 0: // one that was never attempted may be dead
			h.t.Errorf("delivery %s has overtaken an earlier one", d.ID)
		}
	}
}

// checkLane checks the order: of the open deliveries of a lane that were not passed,
// one alone is on its way, and it is the first unless it was replayed.
func (h *harness) checkLane(lane []webhook.Delivery, disabled bool) {
	h.t.Helper()
	lane = slices.DeleteFunc(lane, func(d webhook.Delivery) bool { return d.State.Ended() || d.Passed })
	moving := 0
	for i, d := range lane {
		if d.State == webhook.DeliveryWaiting {
			continue
		}
		moving++
		if moving > 1 || i > 0 && !d.Replayed {
			h.t.Errorf("delivery %s is %s, but another one before it is open", d.ID, d.State)
		}
	}
	// Those of a disabled callback may wait for their end only.
	if len(lane) > 0 && moving == 0 && !disabled {
		h.t.Errorf("delivery %s waits for nothing", lane[0].ID)
	}
}

// checkDisabled checks that of the deliveries of a disabled callback none is left open,
// those excepted that a worker has in hand. It holds where there are not very many.
func (h *harness) checkDisabled() {
	h.t.Helper()
	page, err := h.store.Callbacks(h.ctx(), webhook.CallbackQuery{Limit: 100_000})
	h.must(err)
	for _, c := range page.Callbacks {
		if c.State != webhook.StateDisabled {
			continue
		}
		for _, d := range h.deliveries(webhook.DeliveryQuery{Callback: c.ID}) {
			if !d.State.Ended() && d.State != webhook.DeliveryClaimed {
				h.t.Errorf("delivery %s is %s, its callback is disabled", d.ID, d.State)
			}
		}
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

// CheckInvariants checks what holds in every store at every moment, such as after a
// crash: the order of deliveries, their states, that nothing refers to what is not
// there. It changes nothing.
func CheckInvariants(t *testing.T, store webhook.Store) {
	t.Helper()
	(&harness{t, store}).checkInvariants()
}
