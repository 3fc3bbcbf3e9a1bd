package storetest

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/ringback-dev/ringback/webhook"
)

// A model is what a simulation expects a store to hold.
type model struct {
	callbacks  []*webhook.Callback
	events     map[string]webhook.Event // those that are kept
	pending    []string                 // the IDs of those that are not fanned out
	deliveries map[string]*modelDelivery
	workers    []webhook.Worker
	requests   []*modelRequest
}

func newModel() *model {
	return &model{events: make(map[string]webhook.Event), deliveries: make(map[string]*modelDelivery)}
}

// A modelDelivery is a delivery as it is expected to be.
type modelDelivery struct {
	id       string
	event    string
	sequence int64
	lane     lane
	state    webhook.DeliveryState
	reason   string
	passed   bool
	attempts int
	earlier  int
	due      time.Time
	worker   webhook.Worker

	message bool          // there is one to send
	ends    int           // how many times it has ended
	last    time.Time     // when the last attempt began
	delay   time.Duration // how long after that it was to be due
}

// registered returns a callback, or nil.
func (m *model) registered(id string) *webhook.Callback {
	for _, c := range m.callbacks {
		if c.ID == id {
			return c
		}
	}
	return nil
}

// listeners returns the IDs of the callbacks that are to hear of an event.
func (m *model) listeners(e webhook.Event) []string {
	var ids []string
	for _, c := range m.callbacks {
		if c.After >= e.Sequence || c.Collection != e.Collection || c.State == webhook.StateDisabled {
			continue
		}
		if c.Database == e.Database || c.Database == "" && c.Collection != "" {
			ids = append(ids, c.ID)
		}
	}
	return ids
}

// sorted returns the deliveries that are wanted, in the order of their events.
func (m *model) sorted(want func(d *modelDelivery) bool) []*modelDelivery {
	var wanted []*modelDelivery
	for _, d := range m.deliveries {
		if want(d) {
			wanted = append(wanted, d)
		}
	}
	slices.SortFunc(wanted, func(a, b *modelDelivery) int {
		return cmp.Or(cmp.Compare(a.sequence, b.sequence), cmp.Compare(a.id, b.id))
	})
	return wanted
}

// inLane returns the open deliveries of a lane that were not passed, in order.
func (m *model) inLane(l lane) []*modelDelivery {
	return m.sorted(func(d *modelDelivery) bool { return d.lane == l && !d.state.Ended() && !d.passed })
}

// claimedBy returns what a worker holds.
func (m *model) claimedBy(w webhook.Worker) []*modelDelivery {
	return m.sorted(func(d *modelDelivery) bool { return d.state == webhook.DeliveryClaimed && d.worker == w })
}

// append expects an event to be pending, unless its ID is known.
func (m *model) append(e webhook.Event) {
	if _, known := m.events[e.ID]; !known {
		m.events[e.ID] = e
		m.pending = append(m.pending, e.ID)
	}
}

// add expects a delivery that a fan-out has written.
func (m *model) add(e webhook.Event, t webhook.Target) {
	d := &modelDelivery{
		id: webhook.DeliveryID(e.ID, t.Callback), event: e.ID, sequence: e.Sequence,
		lane:    lane{t.Callback, e.Database, e.Collection, e.Record().ID, false},
		message: t.Method == webhook.MethodJSON,
	}
	m.deliveries[d.id] = d
	if t.Dead != "" {
		d.state, d.reason = webhook.DeliveryDead, t.Dead
		d.ends++
		return
	}
	m.open(d)
}

// open expects a delivery to wait for those in its lane.
func (m *model) open(d *modelDelivery) {
	d.state = webhook.DeliveryWaiting
	m.next(d.lane)
}

// end expects a delivery to end.
func (m *model) end(d *modelDelivery, state webhook.DeliveryState, reason string) {
	d.state, d.reason, d.worker, d.due = state, reason, 0, time.Time{}
	d.ends++
	m.next(d.lane)
}

// next expects one of a lane to be on its way.
func (m *model) next(l lane) {
	open := m.inLane(l)
	moving := func(d *modelDelivery) bool { return d.state != webhook.DeliveryWaiting }
	if len(open) > 0 && !slices.ContainsFunc(open, moving) {
		open[0].state = webhook.DeliveryReady
	}
}

// release expects a claimed delivery to be ready again.
func (m *model) release(d *modelDelivery) {
	if c := m.registered(d.lane.callback); c.State == webhook.StateDisabled {
		m.end(d, webhook.DeliveryDead, c.Reason)
		return
	}
	d.state, d.worker = webhook.DeliveryReady, 0
}

// leave expects a worker to have ended; what it held is due at once, if retired.
func (m *model) leave(w webhook.Worker, retired bool) {
	for _, d := range m.claimedBy(w) {
		if retired {
			d.due = time.Time{}
		}
		m.release(d)
	}
	m.workers = slices.DeleteFunc(m.workers, func(other webhook.Worker) bool { return other == w })
}

// replay expects a delivery that has ended to be open again.
func (m *model) replay(d *modelDelivery) {
	d.lane.replayed = true
	d.passed, d.reason, d.due = false, "", time.Time{}
	d.earlier = d.attempts
	m.open(d)
}

// remove expects an event to be gone.
func (m *model) remove(id string) {
	delete(m.events, id)
	m.pending = slices.DeleteFunc(m.pending, func(other string) bool { return other == id })
	for _, d := range m.sorted(func(d *modelDelivery) bool { return d.event == id }) {
		delete(m.deliveries, d.id)
		m.next(d.lane)
	}
}

// drop expects a callback to be gone.
func (m *model) drop(id string) {
	m.callbacks = slices.DeleteFunc(m.callbacks, func(c *webhook.Callback) bool { return c.ID == id })
	maps.DeleteFunc(m.deliveries, func(_ string, d *modelDelivery) bool { return d.lane.callback == id })
	m.forgetRequests(id)
}

// prune expects all that has ended to be gone, but for what is pending, or is repeated by what
// is.
func (m *model) prune(pending []string) {
	kept := make(map[string]bool)
	for _, id := range pending {
		kept[id] = true
	}
	for id, d := range m.deliveries {
		if d.state.Ended() {
			delete(m.deliveries, id)
		} else {
			kept[d.event] = true
		}
	}
	maps.DeleteFunc(m.events, func(id string, _ webhook.Event) bool { return !kept[id] })
}
