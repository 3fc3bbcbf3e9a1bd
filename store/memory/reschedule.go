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
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.callbacks {
		c.rescheduleHealth(at(now))
	}
	for _, c := range s.working { // the order of their queues does not depend on what is due
		for _, d := range c.ready.items {
			d.reschedule(at(now))
		}
	}
	for _, d := range s.scheduled.items {
		d.reschedule(at(now))
	}
	heap.Init(&s.scheduled)
	s.wake()
	return nil
}

// rescheduleHealth mends what was noted of a callback by a clock that was ahead.
func (c *callback) rescheduleHealth(now instant) {
	if until := at(c.Health.PausedUntil); ahead(c.pausedFrom, now) && until > c.pausedFrom {
		c.Health.PausedUntil = (now + until - c.pausedFrom).time()
		c.pausedFrom = now
	}
	if ahead(at(c.Health.FailingSince), now) {
		c.Health.FailingSince = now.time()
	}
}

// ahead reports whether a time was noted by a clock that was ahead.
func ahead(noted, now instant) bool { return noted > now+minute }

// reschedule makes a ready delivery due as long after now as it was to be after its
// last attempt, when that was made by a clock that was ahead.
func (d *delivery) reschedule(now instant) {
	if d.due == 0 || !ahead(d.from, now) || d.due < d.from {
		return
	}
	d.due = now + d.due - d.from
	d.from = now
}
