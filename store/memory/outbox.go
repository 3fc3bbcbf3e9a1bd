package memory

import (
	"bytes"
	"cmp"
	"context"
	"slices"

	"github.com/ringback-dev/ringback/webhook"
)

// Dispatch implements [webhook.Dispatcher].
func (s *Store) Dispatch(ctx context.Context, events ...webhook.Event) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	appended := make([]*event, len(events))
	for i, e := range events {
		e, encoded, err := webhook.Prepare(e)
		if err != nil {
			return err
		}
		content := e.Stored()
		appended[i] = &event{
			id:         e.ID,
			record:     record{e.Scope(), e.Record().ID},
			action:     e.Action,
			content:    &content,
			size:       len(encoded),
			deliveries: make(map[*callback]*delivery),
		}
		if e.Collection != "" {
			appended[i].parent = e.Profile.ID
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.MaxBacklog > 0 && s.overflows(appended) {
		return webhook.ErrBacklogFull
	}
	for _, e := range appended {
		if s.byID[e.id] != nil {
			continue
		}
		s.backlog++
		s.lastSequence++
		e.sequence = s.lastSequence
		e.appended = now()
		s.byID[e.id] = e
		s.events = append(s.events, e)
		s.pending = append(s.pending, e)
	}
	s.wake()
	return nil
}

// overflows reports whether more would wait than may, if the events were appended.
func (s *Store) overflows(events []*event) bool {
	added := make(map[string]bool)
	for _, e := range events {
		if s.byID[e.id] == nil {
			added[e.id] = true
		}
	}
	return len(added) > 0 && s.backlog+len(added) > s.MaxBacklog
}

// Pending implements [webhook.Outbox].
func (s *Store) Pending(ctx context.Context, r webhook.PendingRequest) (webhook.PendingEvents, error) {
	if err := ctx.Err(); err != nil {
		return webhook.PendingEvents{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	pending := webhook.PendingEvents{Revision: s.revision}
	taken, size := 0, 0
	for _, e := range s.pending {
		if e.content == nil || e.sequence <= r.After {
			continue
		}
		size += e.size
		if taken >= r.Limit || taken > 0 && size > r.LimitBytes {
			pending.More = true
			break
		}
		taken++
		copied := e.content.Stored()
		copied.Sequence = e.sequence
		pending.Events = append(pending.Events, copied)
	}
	return pending, nil
}

// Listeners implements [webhook.Outbox].
func (s *Store) Listeners(ctx context.Context, scope webhook.Scope) (webhook.Listeners, error) {
	if err := ctx.Err(); err != nil {
		return webhook.Listeners{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	listeners := webhook.Listeners{Revision: s.revision}
	for _, c := range s.callbacks {
		if c.Collection != scope.Collection || c.State == webhook.StateDisabled {
			continue
		}
		if c.Database == scope.Database || c.Database == "" {
			listeners.Callbacks = append(listeners.Callbacks, c.Callback)
		}
	}
	return listeners, nil
}

// FanOut implements [webhook.Outbox].
func (s *Store) FanOut(ctx context.Context, expansions []webhook.Expansion) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fanOut(expansions)
	return nil
}

// FanOutAndClaim implements [webhook.FanOutClaimer].
func (s *Store) FanOutAndClaim(ctx context.Context, expansions []webhook.Expansion, r webhook.ClaimRequest) ([]webhook.Claimed, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	w := s.workers[r.Worker]
	if w == nil {
		return nil, webhook.ErrFenced
	}
	return s.claimNew(w, r, s.fanOut(expansions)), nil
}

// fanOut replaces events by their deliveries, and returns these.
func (s *Store) fanOut(expansions []webhook.Expansion) (made []*delivery) {
	for _, x := range expansions {
		e := s.event(x.Sequence)
		if e == nil || e.content == nil {
			continue
		}
		s.takeOff(e)
		e.messages = make(map[webhook.Method][]byte, len(x.Messages))
		for method, message := range x.Messages {
			e.messages[method] = bytes.Clone(message)
		}
		for _, t := range x.Targets {
			if d := s.deliver(e, t); d != nil {
				made = append(made, d)
			}
		}
		for _, f := range x.Failures {
			if c := s.find(f.Callback); c != nil && c.Version == f.Version {
				c.ExpressionFailures++
				c.ExpressionError = webhook.ExpressionError{Message: f.Message, Event: e.id, Time: now()}
			}
		}
	}
	s.wake()
	return made
}

// takeOff takes a pending event off the outbox.
func (s *Store) takeOff(e *event) {
	e.content = nil
	s.backlog--
	for len(s.pending) > 0 && s.pending[0].content == nil {
		s.pending = s.pending[1:]
	}
}

// deliver writes the delivery of an event to a target, and returns it if there is one.
func (s *Store) deliver(e *event, t webhook.Target) *delivery {
	c := s.find(t.Callback)
	if c == nil || c.State == webhook.StateDisabled || e.deliveries[c] != nil {
		return nil
	}
	d := &delivery{event: e, callback: c, method: t.Method, encoding: t.Encoding, created: now()}
	e.deliveries[c] = d
	c.deliveries[e] = d
	if t.Dead != "" {
		d.state = webhook.DeliveryDead
		d.reason = t.Dead
		d.ended = d.created
		return d
	}
	s.open(d)
	return d
}

// event returns the event of a sequence, or nil.
func (s *Store) event(sequence int64) *event {
	i := s.after(sequence - 1)
	if i < len(s.events) && s.events[i].sequence == sequence {
		return s.events[i]
	}
	return nil
}

// after returns the index of the first event behind a sequence.
func (s *Store) after(sequence int64) int {
	i, _ := slices.BinarySearchFunc(s.events, sequence+1, func(e *event, want int64) int {
		return cmp.Compare(e.sequence, want)
	})
	return i
}

// Watch implements [webhook.Outbox].
func (s *Store) Watch(ctx context.Context, wake func()) error {
	woken := make(chan struct{}, 1)
	s.mu.Lock()
	s.watchers[woken] = true
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		delete(s.watchers, woken)
		s.mu.Unlock()
	}()
	wake() // for what came before this watch
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-woken:
			wake()
		}
	}
}

// wake lets the watchers know that there may be work.
func (s *Store) wake() {
	for woken := range s.watchers {
		select {
		case woken <- struct{}{}:
		default: // it is to wake up already
		}
	}
}
