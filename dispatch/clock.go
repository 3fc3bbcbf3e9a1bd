package dispatch

import (
	"context"
	"sync"
	"time"
)

const (
	// clockInterval is how often the wall clock is looked at.
	clockInterval = time.Second

	// clockSlack is how far the wall clock may get away from the monotonic one, which
	// nobody can set, without having been set.
	clockSlack = 5 * time.Second

	// clockTrust is how long a wall clock that was set forth must have run for things
	// to be removed by it.
	clockTrust = time.Hour
)

// wallClock reads the wall clock alone.
func wallClock() time.Time { return time.Now().Round(0) }

// A clock finds out when the wall clock is set.
type clock struct {
	wall func() time.Time

	mu      sync.Mutex
	looked  time.Time // with its monotonic reading
	showed  time.Time // by the wall clock, then
	setBack bool      // and nobody has asked yet
	ahead   time.Duration
	since   time.Time // when ahead grew
}

func newClock(wall func() time.Time) *clock {
	return &clock{wall: wall, looked: time.Now(), showed: wall(), setBack: true}
}

// look compares the clocks. It is called with mu held.
func (c *clock) look() {
	now, wall := time.Now(), c.wall()
	shift := wall.Sub(c.showed) - now.Sub(c.looked)
	if shift.Abs() < clockSlack {
		return
	}
	c.looked, c.showed = now, wall
	c.ahead = max(c.ahead+shift, 0)
	if shift < 0 {
		c.setBack = true
	} else {
		c.since = now
	}
}

// wasSetBack reports whether the wall clock was set back since the last call. The first
// one is told so: nobody knows about the time before.
func (c *clock) wasSetBack() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.look()
	setBack := c.setBack
	c.setBack = false
	return setBack
}

// trusted returns the time by which things may be removed: that of the wall clock, or,
// while it was set forth not long ago, of the one that was there before. If that was a
// mistake, nothing is gone.
func (c *clock) trusted() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.look()
	if time.Since(c.since) >= clockTrust {
		c.ahead = 0
	}
	return c.wall().Add(-c.ahead)
}

// clockLoop lets the store mend what a wrong clock has left behind: at the start, and
// when the wall clock was set back. What comes due because it was set forth is no storm:
// there are no more slots than before.
func (r *run) clockLoop(ctx context.Context) {
	for {
		if r.clock.wasSetBack() {
			r.persist(ctx, "mending due times", func() error { return r.store.Reschedule(ctx, r.clock.wall()) })
			r.ready.raise()
		}
		if !sleep(ctx, clockInterval) {
			return
		}
	}
}
