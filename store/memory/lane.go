package memory

import (
	"cmp"
	"container/heap"
	"slices"

	"github.com/ringback-dev/ringback/webhook"
)

// A lane is what order is kept in: the open deliveries to a callback about a record,
// those that were passed excepted. The first is on its way, the others wait behind it
// in the order of their events. Replayed ones have a lane of their own.
type lane struct {
	record   record
	replayed bool
}

func (d *delivery) lane() lane { return lane{d.event.record, d.replayed} }

// open puts a delivery into its lane.
func (s *Store) open(d *delivery) {
	s.backlog++
	lanes, key := d.callback.lanes, d.lane()
	if len(lanes[key]) == 0 {
		lanes[key] = []*delivery{d}
		d.makeReady()
		return
	}
	d.state = webhook.DeliveryWaiting
	i, _ := slices.BinarySearchFunc(lanes[key][1:], d, func(a, b *delivery) int {
		return cmp.Compare(a.event.sequence, b.event.sequence)
	})
	lanes[key] = slices.Insert(lanes[key], 1+i, d)
}

// end ends a delivery that no worker holds any more, and no heap.
func (s *Store) end(d *delivery, state webhook.DeliveryState, reason string) {
	s.close(d, state, reason)
	d.exit()
}

// close notes that an open delivery has ended.
func (s *Store) close(d *delivery, state webhook.DeliveryState, reason string) {
	s.backlog--
	d.state = state
	d.reason = reason
	d.ended = now()
}

// exit takes a delivery out of its lane. When it was the first, the next becomes
// ready.
func (d *delivery) exit() {
	if d.passed {
		return
	}
	lanes, key := d.callback.lanes, d.lane()
	switch i := slices.Index(lanes[key], d); {
	case i > 0:
		lanes[key] = slices.Delete(lanes[key], i, i+1)
	case len(lanes[key]) == 1:
		delete(lanes, key)
	default:
		lanes[key] = lanes[key][1:]
		lanes[key][0].makeReady()
	}
}

// makeReady puts a delivery among those that may be claimed, at once or when it is
// due.
func (d *delivery) makeReady() {
	d.state = webhook.DeliveryReady
	if d.due.IsZero() {
		heap.Push(&d.callback.ready, d)
	} else {
		heap.Push(&d.callback.scheduled, d)
	}
}
