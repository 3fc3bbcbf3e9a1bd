package memory

import (
	"container/heap"

	"github.com/ringback-dev/ringback/webhook"
)

// offer makes a delivery ready to be claimed, at once or when it is due.
func (s *Store) offer(d *delivery) {
	d.state = webhook.DeliveryReady
	if d.due == 0 {
		s.enqueue(d)
	} else {
		heap.Push(&s.scheduled, d)
	}
	if d.due <= now() {
		s.wake()
	}
}

// enqueue puts a ready delivery among those that may be claimed of its callback.
func (s *Store) enqueue(d *delivery) {
	c := d.callback
	if c.ready.Len() == 0 {
		s.working = s.working.add(c)
	}
	heap.Push(&c.ready, d)
}

// dequeue takes a ready delivery out of its queue, if it is in one.
func (s *Store) dequeue(d *delivery) {
	if d.queue == nil {
		return
	}
	heap.Remove(d.queue, d.index)
	if c := d.callback; c.ready.Len() == 0 {
		s.working = s.working.remove(c)
	}
}

// promote lets those deliveries be claimed whose time has come. Those are scheduled
// again whose time had come only by a clock that has been set back since.
func (s *Store) promote(now instant) {
	if now < s.promoted {
		var early []*delivery
		for _, c := range s.working {
			for _, d := range c.ready.items {
				if d.due > now {
					early = append(early, d)
				}
			}
		}
		for _, d := range early {
			s.dequeue(d)
			heap.Push(&s.scheduled, d)
		}
		s.promoted = now
	}
	for s.scheduled.Len() > 0 && s.scheduled.items[0].due <= now {
		d := heap.Pop(&s.scheduled).(*delivery)
		s.promoted = max(s.promoted, d.due)
		s.enqueue(d)
	}
}
