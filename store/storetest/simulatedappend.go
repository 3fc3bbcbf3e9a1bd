package storetest

import (
	"math"

	"github.com/ringback-dev/ringback/webhook"
)

// appendsAndClaims is the step of a host and of an engine that is done in one.
func (s *simulation) appendsAndClaims() {
	claimer, ok := s.store.(webhook.AppendClaimer)
	if !ok {
		return
	}
	revision := s.revision()
	late := s.chance(4)
	if late {
		revision += int64(1 - 2*s.IntN(2))
	}
	events := s.expanded(nil, s.newEvents()...)
	expansions := make([]webhook.Expansion, len(events))
	for i := range events {
		e := *events[i].Event()
		e.Sequence = math.MaxInt64 // behind whatever there is
		expansions[i] = s.expansion(e)
		events[i].(*expandedEvent).expand = func(e webhook.Event) webhook.Expansion {
			expansions[i].Sequence = e.Sequence
			return expansions[i]
		}
	}
	r, _ := s.claimRequest()
	behind := len(s.harness.pending()) > 0
	claimed, pending, err := claimer.AppendAndClaim(s.ctx(), events, revision, r)
	s.must(err)
	if late || behind {
		equal(s.harness, "left pending", pending, true)
		equal(s.harness, "claimed", len(claimed), 0)
		for _, e := range events {
			s.model.append(*e.Event())
		}
		return
	}
	equal(s.harness, "left pending", pending, false)
	for i := range events {
		e := *events[i].Event()
		if _, known := s.model.events[e.ID]; known {
			continue
		}
		s.model.events[e.ID] = e
		e.Sequence = expansions[i].Sequence
		s.addAll(e, expansions[i])
	}
	s.took(r.Worker, claimed)
}

// appendsFenced appends in the name of a worker that was declared dead.
func (s *simulation) appendsFenced(w webhook.Worker) {
	if claimer, ok := s.store.(webhook.AppendClaimer); ok {
		_, _, err := claimer.AppendAndClaim(s.ctx(), s.expanded(nil, s.newEvents()...), s.revision(), claimAll(w))
		s.wantErr("late append", err, webhook.ErrFenced)
	}
}
