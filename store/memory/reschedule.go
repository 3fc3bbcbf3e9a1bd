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
		c.rescheduleHealth(now)
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

// rescheduleHealth mends what was noted of a callback by a clock that was ahead.
func (c *callback) rescheduleHealth(now time.Time) {
	if ahead(c.pausedFrom, now) && c.Health.PausedUntil.After(c.pausedFrom) {
		c.Health.PausedUntil = now.Add(c.Health.PausedUntil.Sub(c.pausedFrom))
		c.pausedFrom = now
	}
	if ahead(c.Health.FailingSince, now) {
		c.Health.FailingSince = now
	}
}

// ahead reports whether a time was noted by a clock that was ahead.
func ahead(at, now time.Time) bool { return at.After(now.Add(time.Minute)) }

// reschedule makes a ready delivery due as long after now as it was to be after its
// last attempt, when that was made by a clock that was ahead.
func (d *delivery) reschedule(now time.Time) {
	if d.due.IsZero() || !ahead(d.from, now) || d.due.Before(d.from) {
		return
	}
	d.due = now.Add(d.due.Sub(d.from))
	d.from = now
}
