package memory

import (
	"context"

	"github.com/ringback-dev/ringback/webhook"
)

// Purge implements [webhook.History].
func (s *Store) Purge(ctx context.Context, scope webhook.Scope, id string) (events int, err error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	kept := s.events[:0]
	for _, e := range s.events {
		if e.tellsOf(record{scope, id}) {
			s.remove(e)
		} else {
			kept = append(kept, e)
		}
	}
	events = len(s.events) - len(kept)
	clear(s.events[len(kept):])
	s.events = kept
	return events, nil
}

// tellsOf reports whether the event is about a record, or about a subprofile of it.
func (e *event) tellsOf(r record) bool {
	return e.record == r || r.scope.Collection == "" && e.record.scope.Collection != "" &&
		e.record.scope.Database == r.scope.Database && e.parent == r.id
}

// remove removes an event with its deliveries.
func (s *Store) remove(e *event) {
	delete(s.byID, e.id)
	if e.content != nil {
		s.takeOff(e)
	}
	for _, d := range e.deliveries {
		d.forget()
		if d.state.Ended() {
			continue
		}
		s.backlog--
		if d.worker != nil {
			d.worker.drop(d)
		}
		s.dequeue(d)
		s.exit(d)
	}
	e.deliveries = nil
}
