package memory

import "github.com/ringback-dev/ringback/webhook"

// A lane is what order is kept in: the open deliveries to a callback about a record,
// those that were passed excepted. Replayed ones have a lane of their own.
type lane struct {
	record   record
	replayed bool
}

// A line is what is in a lane: the first is on its way, the others wait behind it in
// the order of their events.
type line struct{ first, last *delivery }

func (d *delivery) lane() lane { return lane{d.event.record, d.replayed} }

// open puts a delivery into its lane. When it is ready, it is yet to be claimed or
// offered.
func (s *Store) open(d *delivery) {
	s.backlog++
	lanes, key := d.callback.lanes, d.lane()
	l, busy := lanes[key]
	if !busy {
		lanes[key] = line{d, d}
		d.state = webhook.DeliveryReady
		return
	}
	d.state = webhook.DeliveryWaiting
	before := l.last
	if before.event.sequence > d.event.sequence { // of an earlier event, it may be replayed
		before = l.first
		for before.next != nil && before.next.event.sequence < d.event.sequence {
			before = before.next
		}
	}
	d.next, before.next = before.next, d
	if before == l.last {
		lanes[key] = line{l.first, d}
	}
}

// end ends a delivery that no worker holds any more, and no queue.
func (s *Store) end(d *delivery, state webhook.DeliveryState, reason string) {
	s.close(d, state, reason)
	s.exit(d)
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
func (s *Store) exit(d *delivery) {
	if d.passed {
		return
	}
	lanes, key := d.callback.lanes, d.lane()
	l, next := lanes[key], d.next
	d.next = nil
	switch {
	case l.first == l.last:
		delete(lanes, key)
	case l.first == d:
		lanes[key] = line{next, l.last}
		s.offer(next)
	default:
		before := l.first
		for before.next != d {
			before = before.next
		}
		before.next = next
		if l.last == d {
			lanes[key] = line{l.first, before}
		}
	}
}
