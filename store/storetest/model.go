package storetest

import (
	"slices"
	"time"

	"github.com/ringback-dev/ringback/webhook"
)

// A model is what a simulation expects a store to hold.
type model struct {
	callbacks  []webhook.Callback
	known      map[string]bool // the IDs of events that are kept
	pending    []string        // the IDs of events that are not fanned out
	deliveries map[string]*modelDelivery
	workers    []webhook.Worker
}

// A modelDelivery is a delivery as it is expected to be.
type modelDelivery struct {
	id       string
	event    string
	sequence int64
	lane     lane
	state    webhook.DeliveryState
	due      time.Time
	worker   webhook.Worker
	attempts int
}

// listeners returns the IDs of the callbacks that are to hear of an event.
func (m *model) listeners(e webhook.Event) []string {
	var ids []string
	for _, c := range m.callbacks {
		if c.After >= e.Sequence || c.Collection != e.Collection {
			continue
		}
		if c.Database == e.Database || c.Database == "" && c.Collection != "" {
			ids = append(ids, c.ID)
		}
	}
	return ids
}

// inLane returns the open deliveries of a lane in order.
func (m *model) inLane(l lane) []*modelDelivery {
	var open []*modelDelivery
	for _, d := range m.deliveries {
		if d.lane == l && !d.state.Ended() {
			open = append(open, d)
		}
	}
	slices.SortFunc(open, func(a, b *modelDelivery) int { return int(a.sequence - b.sequence) })
	return open
}

// add expects a delivery that a fan-out has written.
func (m *model) add(e webhook.Event, t webhook.Target) {
	d := &modelDelivery{
		id: webhook.DeliveryID(e.ID, t.Callback), event: e.ID, sequence: e.Sequence,
		lane: lane{t.Callback, e.Database, e.Collection, e.Record().ID},
	}
	switch {
	case t.Dead != "":
		d.state = webhook.DeliveryDead
	case len(m.inLane(d.lane)) > 0:
		d.state = webhook.DeliveryWaiting
	default:
		d.state = webhook.DeliveryReady
	}
	m.deliveries[d.id] = d
}

// settle expects an outcome to be recorded.
func (m *model) settle(d *modelDelivery, o webhook.Outcome) {
	if o.Attempt != nil {
		d.attempts++
	}
	d.state, d.worker = o.State, 0
	if d.due = o.Due.UTC().Truncate(time.Millisecond); o.Due.IsZero() {
		d.due = time.Time{}
	}
	if !d.state.Ended() {
		return
	}
	if open := m.inLane(d.lane); len(open) > 0 {
		open[0].state = webhook.DeliveryReady
	}
}

// claimedBy returns what a worker holds.
func (m *model) claimedBy(w webhook.Worker) []*modelDelivery {
	var claimed []*modelDelivery
	for _, d := range m.deliveries {
		if d.state == webhook.DeliveryClaimed && d.worker == w {
			claimed = append(claimed, d)
		}
	}
	slices.SortFunc(claimed, func(a, b *modelDelivery) int { return int(a.sequence - b.sequence) })
	return claimed
}

// end expects a worker to have ended; what it held is ready, if retired at once.
func (m *model) end(w webhook.Worker, retired bool) {
	for _, d := range m.claimedBy(w) {
		d.state, d.worker = webhook.DeliveryReady, 0
		if retired {
			d.due = time.Time{}
		}
	}
	m.workers = slices.DeleteFunc(m.workers, func(other webhook.Worker) bool { return other == w })
}

// drop expects a callback to be gone.
func (m *model) drop(callback string) {
	m.callbacks = slices.DeleteFunc(m.callbacks, func(c webhook.Callback) bool { return c.ID == callback })
	for id, d := range m.deliveries {
		if d.lane.callback == callback {
			delete(m.deliveries, id)
		}
	}
}

// prune expects all that has ended to be gone.
func (m *model) prune() {
	m.known = make(map[string]bool)
	for _, id := range m.pending {
		m.known[id] = true
	}
	for id, d := range m.deliveries {
		if d.state.Ended() {
			delete(m.deliveries, id)
		} else {
			m.known[d.event] = true
		}
	}
}
