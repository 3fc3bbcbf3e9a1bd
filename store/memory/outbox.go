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
		appended[i] = &event{
			id:         e.ID,
			record:     record{e.Scope(), e.Record().ID},
			action:     e.Action,
			encoded:    encoded,
			deliveries: make(map[*callback]*delivery),
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range appended {
		if s.byID[e.id] != nil {
			continue
		}
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

// Pending implements [webhook.Outbox].
func (s *Store) Pending(ctx context.Context, limit, limitBytes int) (webhook.PendingEvents, error) {
	if err := ctx.Err(); err != nil {
		return webhook.PendingEvents{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	pending := webhook.PendingEvents{Revision: s.revision}
	taken, size := 0, 0
	for _, e := range s.pending {
		if e.encoded == nil {
			continue
		}
		size += len(e.encoded)
		if taken >= limit || taken > 0 && size > limitBytes {
			pending.More = true
			break
		}
		taken++
		decoded, err := webhook.DecodeEvent(e.encoded)
		if err != nil {
			pending.Damaged = append(pending.Damaged, e.sequence)
			continue
		}
		decoded.Sequence = e.sequence
		pending.Events = append(pending.Events, decoded)
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
		if c.Collection != scope.Collection {
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
	for _, x := range expansions {
		e := s.event(x.Sequence)
		if e == nil || e.encoded == nil {
			continue
		}
		e.encoded = nil
		e.messages = make(map[webhook.Method][]byte, len(x.Messages))
		for method, message := range x.Messages {
			e.messages[method] = bytes.Clone(message)
		}
		for _, t := range x.Targets {
			s.deliver(e, t)
		}
		for _, f := range x.Failures {
			if c := s.find(f.Callback); c != nil && c.Version == f.Version {
				c.ExpressionFailures++
				c.ExpressionError = webhook.ExpressionError{Message: f.Message, Event: e.id, Time: now()}
			}
		}
	}
	for len(s.pending) > 0 && s.pending[0].encoded == nil {
		s.pending = s.pending[1:]
	}
	s.wake()
	return nil
}

// deliver writes the delivery of an event to a target.
func (s *Store) deliver(e *event, t webhook.Target) {
	c := s.find(t.Callback)
	if c == nil || e.deliveries[c] != nil {
		return
	}
	d := &delivery{event: e, callback: c, method: t.Method, encoding: t.Encoding, created: now()}
	e.deliveries[c] = d
	c.deliveries[e] = d
	if t.Dead != "" {
		d.state = webhook.DeliveryDead
		d.reason = t.Dead
		d.ended = d.created
		return
	}
	lane := append(c.lanes[e.record], d)
	c.lanes[e.record] = lane
	if len(lane) == 1 {
		d.makeReady()
	} else {
		d.state = webhook.DeliveryWaiting
	}
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
