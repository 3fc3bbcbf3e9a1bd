package dispatch

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/ringback-dev/ringback/webhook"
)

const (
	// strikes is how many times in a row a condition may run into its deadline
	// before it is suspended.
	strikes = 3

	// firstSuspension is for how long; it doubles each time the condition, tried
	// again, runs into the deadline once more, up to longestSuspension.
	firstSuspension   = 10 * time.Second
	longestSuspension = 10 * time.Minute

	// slowTime is how long the conditions of one event may have taken together for
	// one that ran into its deadline the last time to be tried as well.
	slowTime = 100 * time.Millisecond

	// maxSuspended bounds the conditions that are remembered.
	maxSuspended = 50_000
)

// suspensions keep conditions that always take too long from taking the time of
// others: such a condition fails on every event anyway, so for a while it fails
// without being evaluated.
type suspensions struct {
	any atomic.Bool // false while nothing has ever been noted, which is the usual case
	mu  sync.Mutex
	of  map[string]*suspension // by callback
}

type suspension struct {
	version int64 // of the callback: an edited one begins anew
	strikes int
	until   time.Time
}

// struck returns how many times in a row the callback's condition has run into its
// deadline.
func (s *suspensions) struck(c *webhook.Callback) int {
	if !s.any.Load() {
		return 0
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if x := s.of[c.ID]; x != nil && x.version == c.Version {
		return x.strikes
	}
	return 0
}

// suspended reports whether the callback's condition is not to be evaluated now.
func (s *suspensions) suspended(c *webhook.Callback, now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	x := s.of[c.ID]
	return x != nil && x.version == c.Version && now.Before(x.until)
}

// note takes notice of an evaluation that was, or was not, stopped by the deadline.
func (s *suspensions) note(c *webhook.Callback, tooLong bool, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !tooLong {
		delete(s.of, c.ID)
		return
	}
	x := s.of[c.ID]
	if x == nil || x.version != c.Version {
		if s.of == nil || len(s.of) >= maxSuspended {
			s.of = make(map[string]*suspension)
		}
		x = &suspension{version: c.Version}
		s.of[c.ID] = x
		s.any.Store(true)
	}
	x.strikes++
	if over := x.strikes - strikes; over >= 0 {
		x.until = now.Add(min(firstSuspension<<min(over, 16), longestSuspension))
	}
}
