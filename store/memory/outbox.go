package memory

import (
	"cmp"
	"context"
	"slices"

	"github.com/ringback-dev/ringback/webhook"
)

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
	hearing := s.bound[scope]
	if anywhere := s.bound[webhook.Scope{Collection: scope.Collection}]; scope.Database != "" && len(anywhere) > 0 {
		hearing = slices.Concat(hearing, anywhere)
		slices.SortFunc(hearing, func(a, b *callback) int { return cmp.Compare(a.number, b.number) })
	}
	listeners := webhook.Listeners{Revision: s.revision}
	for _, c := range hearing {
		if c.State == webhook.StateActive {
			listeners.Callbacks = append(listeners.Callbacks, c.Callback)
		}
	}
	return listeners, nil
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
	n := int64(len(s.events))
	if n == 0 {
		return 0
	}
	// Sequences are whole numbers that grow, so each event bounds where another one is:
	// where none is missing, there is one place only.
	wanted := sequence + 1
	least := min(max(n-1-(s.events[n-1].sequence-wanted), 0), n)
	most := min(max(wanted-s.events[0].sequence, least), n)
	i, _ := slices.BinarySearchFunc(s.events[least:most], wanted, func(e *event, wanted int64) int {
		return cmp.Compare(e.sequence, wanted)
	})
	return int(least) + i
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
