package load_test

import (
	"context"
	"sync"
	"time"

	"github.com/ringback-dev/ringback/webhook"
)

// A skewed is a store as an engine sees it whose wall clock is ahead, or behind where
// that is negative. It counts the engine's attempts.
type skewed struct {
	webhook.Store
	ahead time.Duration

	mu       sync.Mutex
	attempts map[string]int // by callback
}

func newSkewed(store webhook.Store, ahead time.Duration) *skewed {
	return &skewed{Store: store, ahead: ahead, attempts: make(map[string]int)}
}

// Claim implements [webhook.Queue].
func (s *skewed) Claim(ctx context.Context, r webhook.ClaimRequest) ([]webhook.Claimed, error) {
	r.Now = r.Now.Add(s.ahead)
	if room := r.Room; room != nil {
		r.Room = func(callback string, h webhook.Health) int { return room(callback, s.seen(h)) }
	}
	claimed, err := s.Store.Claim(ctx, r)
	for i := range claimed {
		to := *claimed[i].To
		to.Health = s.seen(to.Health)
		claimed[i].To = &to
	}
	return claimed, err
}

// seen returns a health by the clock that the engine really reads.
func (s *skewed) seen(h webhook.Health) webhook.Health {
	shift(&h.FailingSince, -s.ahead)
	shift(&h.PausedUntil, -s.ahead)
	return h
}

// Settle implements [webhook.Queue].
func (s *skewed) Settle(ctx context.Context, w webhook.Worker, outcomes []webhook.Outcome) ([]webhook.Callback, error) {
	s.mu.Lock()
	for i := range outcomes {
		o := &outcomes[i]
		shift(&o.Due, s.ahead)
		shift(&o.Pause, s.ahead)
		if o.Attempt != nil {
			attempt := *o.Attempt
			shift(&attempt.Time, s.ahead)
			o.Attempt = &attempt
			s.attempts[o.Callback]++
		}
		if o.Disable != nil {
			disabling := *o.Disable
			shift(&disabling.FailingSince, s.ahead)
			o.Disable = &disabling
		}
	}
	s.mu.Unlock()
	return s.Store.Settle(ctx, w, outcomes)
}

// Reschedule implements [webhook.Queue].
func (s *skewed) Reschedule(ctx context.Context, now time.Time) error {
	return s.Store.Reschedule(ctx, now.Add(s.ahead))
}

// made returns how many attempts to a callback were settled.
func (s *skewed) made(callback string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.attempts[callback]
}

// shift moves a time that is not zero.
func shift(t *time.Time, by time.Duration) {
	if !t.IsZero() {
		*t = t.Add(by)
	}
}
