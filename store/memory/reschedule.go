package memory

import (
	"container/heap"
	"context"
	"time"
)

// Reschedule implements [webhook.Queue].
func (s *Store) Reschedule(ctx context.Context, now time.Time) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	now = millis(now)
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.callbacks {
		for _, q := range []*queue{&c.ready, &c.scheduled} {
			for _, d := range q.items {
				d.reschedule(now)
			}
		}
		heap.Init(&c.scheduled) // the other one's order does not depend on what is due
	}
	s.wake()
	return nil
}

// reschedule makes a ready delivery due as long after now as it was to be after its
// last attempt, when that was made by a clock that was ahead.
func (d *delivery) reschedule(now time.Time) {
	if d.due.IsZero() || !d.from.After(now.Add(time.Minute)) || d.due.Before(d.from) {
		return
	}
	d.due = now.Add(d.due.Sub(d.from))
	d.from = now
}
