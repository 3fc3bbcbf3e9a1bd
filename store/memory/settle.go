package memory

import (
	"context"
	"fmt"

	"github.com/ringback-dev/ringback/webhook"
)

// Settle implements [webhook.Queue].
func (s *Store) Settle(
	ctx context.Context, number webhook.Worker, outcomes []webhook.Outcome,
) (disabled []webhook.Callback, err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	for _, o := range outcomes {
		if o.State != webhook.DeliveryReady && !o.State.Ended() {
			return nil, fmt.Errorf("memory: settle: %w", webhook.Invalid("state", "is %q", o.State))
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	w := s.workers[number]
	if w == nil {
		return nil, webhook.ErrFenced
	}
	var ended []*callback
	for _, o := range outcomes {
		d := s.delivery(o.Sequence, o.Callback)
		if d == nil || d.worker != w || !d.follows(o.Attempt) {
			continue
		}
		if s.settle(d, o) {
			ended = append(ended, d.callback)
		}
	}
	for _, c := range ended {
		disabled = append(disabled, c.Callback)
	}
	return disabled, nil
}

// delivery returns the delivery of an event to a callback, or nil.
func (s *Store) delivery(sequence int64, callback string) *delivery {
	e, c := s.event(sequence), s.registered[callback]
	if e == nil || c == nil {
		return nil
	}
	return e.to(c)
}

// follows reports whether an attempt, if any was made, is the delivery's next.
func (d *delivery) follows(a *webhook.Attempt) bool {
	return a == nil || a.Number == d.tried+1
}

// settle records the outcome of a claimed delivery, and reports whether that disabled
// its callback.
func (s *Store) settle(d *delivery, o webhook.Outcome) (disabled bool) {
	c := d.callback
	disabled = o.Disable != nil && c.is(o.Disable)
	var from instant
	if o.Attempt != nil {
		a := *o.Attempt
		a.Time = millis(a.Time)
		d.tried++
		d.attempts = append(d.attempts[max(len(d.attempts)-webhook.MaxAttempts+1, 0):], a)
		from = at(a.Time)
		d.from = from
		c.count(a, o.State == webhook.DeliveryDelivered)
	}
	c.pause(from, millis(o.Pause))
	if disabled {
		s.disable(c, o.Disable.Reason)
		c.Updated = now().time()
		c.Version++
		s.revision++
		s.wake()
	}
	d.due = at(o.Due)
	if !o.State.Ended() {
		s.release(d, o.Pass)
		return disabled
	}
	d.worker.drop(d)
	if o.State != webhook.DeliveryDead {
		o.Reason = ""
	}
	s.end(d, o.State, o.Reason)
	return disabled
}

// release makes a claimed delivery ready again, for when it is due, or dead where its
// callback is disabled.
func (s *Store) release(d *delivery, pass bool) {
	d.worker.drop(d)
	if d.callback.State == webhook.StateDisabled {
		s.end(d, webhook.DeliveryDead, d.callback.Reason)
		return
	}
	if pass && !d.passed {
		s.exit(d)
		d.passed = true
	}
	s.offer(d)
}
