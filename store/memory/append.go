package memory

import (
	"context"

	"github.com/ringback-dev/ringback/webhook"
)

// Dispatch implements [webhook.Dispatcher].
func (s *Store) Dispatch(ctx context.Context, events ...webhook.Event) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	made := make([]*event, len(events))
	for i, e := range events {
		e, encoded, err := webhook.Prepare(e)
		if err != nil {
			return err
		}
		made[i] = newEvent(&e)
		made[i].keep(&e, encoded)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.append(made); err != nil {
		return err
	}
	s.leavePending(made)
	return nil
}

// AppendAndClaim implements [webhook.AppendClaimer].
func (s *Store) AppendAndClaim(
	ctx context.Context, events []webhook.ExpandedEvent, revision int64, r webhook.ClaimRequest,
) (claimed []webhook.Claimed, pending bool, err error) {
	if err := ctx.Err(); err != nil {
		return nil, false, err
	}
	made := make([]*event, len(events))
	for i := range events {
		made[i] = newEvent(events[i].Event())
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	b, err := s.newBatch(r)
	if err != nil {
		return nil, false, err
	}
	pending = revision != s.revision || len(s.pending) > 0
	if pending {
		for i, e := range made {
			encoded := events[i].Encode()
			content, err := webhook.DecodeEvent(encoded)
			if err != nil {
				return nil, false, err
			}
			e.content, e.size = &content, len(encoded)
		}
	}
	if err := s.append(made); err != nil {
		return nil, false, err
	}
	if pending {
		s.leavePending(made)
		return nil, true, nil
	}
	for i, e := range made {
		if e.sequence != 0 {
			s.fanOut(e, events[i].Expand(e.sequence), b)
		}
	}
	return b.claimed(), false, nil
}

// newEvent returns an event that is to be appended, without its content.
func newEvent(e *webhook.Event) *event {
	made := &event{
		id:     e.ID,
		record: record{e.Scope(), e.Record().ID},
		action: e.Action,
	}
	if e.Collection != "" {
		made.parent = e.Profile.ID
	}
	return made
}

// keep keeps the content of an event for a later fan-out.
func (e *event) keep(content *webhook.Event, encoded []byte) {
	stored := content.Stored()
	e.content, e.size = &stored, len(encoded)
}

// append appends events, those excepted whose ID is known: they get no sequence.
func (s *Store) append(events []*event) error {
	if s.MaxBacklog > 0 && s.overflows(events) {
		return webhook.ErrBacklogFull
	}
	now := now()
	for _, e := range events {
		if s.byID[e.id] != nil {
			continue
		}
		s.lastSequence++
		e.sequence = s.lastSequence
		e.appended = now
		s.byID[e.id] = e
		s.events = append(s.events, e)
	}
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

// leavePending leaves those of the events that were appended to a later fan-out.
func (s *Store) leavePending(events []*event) {
	for _, e := range events {
		if e.sequence != 0 {
			s.backlog++
			s.pending = append(s.pending, e)
		}
	}
	s.wake()
}
