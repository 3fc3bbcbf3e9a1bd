package dispatch

import (
	"context"
	"slices"

	"github.com/ringback-dev/ringback/webhook"
)

const (
	// settleBlind is how many outcomes are tried one by one while none is taken: most
	// likely the store is away.
	settleBlind = 8

	// settleStrikes is how many times the store must refuse an outcome, with others
	// taken in between, for it to be given up: that takes about half a minute.
	settleStrikes = 10

	// settleProbe is how many times the store must refuse an outcome, whatever becomes
	// of others, for the first of all to be offered in its plain form: what is refused
	// may hold all there is room for, and then there are no others.
	settleProbe = 20
)

// reasonUnrecorded stands for what the store did not want to hear of an attempt.
const reasonUnrecorded = "what became of the attempt could not be recorded in full"

// settleEach settles one by one what was refused together. What it does not come to, as
// none was taken so far, comes first the next time: it may wait behind what is never taken.
func (s *settler) settleEach(ctx context.Context, w webhook.Worker, outcomes []unsettled, err error) {
	s.away = true
	outcomes = s.letGoUnsent(ctx, w, outcomes)
	for i, o := range outcomes {
		blind := s.away && i >= settleBlind
		if blind && ctx.Err() == nil {
			s.untried(outcomes[i:])
			break
		}
		if len(outcomes) > 1 && !blind {
			if err = s.record(ctx, w, o); err == nil {
				continue
			}
		}
		s.refused(ctx, o, err)
	}
	if ctx.Err() == nil {
		s.failing.note(err)
	}
}

// letGoUnsent gives up the outcomes that only give deliveries back, and returns the others.
// The store may have taken them and given the deliveries to this worker again: then to
// repeat them would take those from their attempts. What it has not taken is handed back
// when this worker leaves.
func (s *settler) letGoUnsent(ctx context.Context, w webhook.Worker, outcomes []unsettled) []unsettled {
	if s.run.ctx.Err() != nil {
		return outcomes // nothing is claimed any more
	}
	var tried, unsent []unsettled
	for _, o := range outcomes {
		if o.Attempt == nil {
			unsent = append(unsent, o)
		} else {
			tried = append(tried, o)
		}
	}
	if len(unsent) > 0 {
		s.join(ctx, w)
		s.finish(ctx, w, unsent...)
	}
	return tried
}

// untried lets outcomes wait in front of the others. Nothing is known against them.
func (s *settler) untried(outcomes []unsettled) {
	for i := range outcomes {
		outcomes[i].refusals++
		outcomes[i].taken = s.taken
	}
	s.waiting = slices.Concat(outcomes, s.waiting)
}

// refused takes notice of an outcome that the store did not take: it waits for another
// try, unless it has been refused too often.
func (s *settler) refused(ctx context.Context, o unsettled, err error) {
	if ctx.Err() != nil {
		s.finish(ctx, o.worker, o)
		return
	}
	if o.refusals > 0 && s.taken > o.taken {
		o.strikes++
	}
	o.refusals++
	o.taken = s.taken
	givenUp := o.strikes >= settleStrikes
	if (givenUp || o.refusals >= settleProbe && !s.probed) && s.recordPlain(ctx, o, err) {
		return
	}
	if !givenUp {
		s.waiting = append(s.waiting, o)
		return
	}
	s.log.Error("dispatch: the store refuses what became of an attempt, it is given up",
		"delivery", o.ID, "callback", o.Claimed.Callback, "error", err)
	s.letGo(ctx, o)
}

// recordPlain records the least of an outcome, and reports whether the store takes that.
func (s *settler) recordPlain(ctx context.Context, o unsettled, refused error) bool {
	s.probed = true
	plain := o
	plain.Outcome = plainOutcome(o.Outcome)
	if s.record(ctx, o.worker, plain) != nil {
		return false
	}
	s.log.Error("dispatch: the store refuses what became of an attempt, the least of it is recorded",
		"delivery", o.ID, "callback", o.Claimed.Callback, "error", refused)
	return true
}

// plainOutcome returns the least that is to be known of an outcome: without texts of the
// receiver, and without what it means for the callback.
func plainOutcome(o webhook.Outcome) webhook.Outcome {
	plain := webhook.Outcome{
		Sequence: o.Sequence, Callback: o.Callback, State: o.State, Due: o.Due, Pass: o.Pass,
	}
	if o.Reason != "" {
		plain.Reason = reasonUnrecorded
	}
	if a := o.Attempt; a != nil {
		plain.Attempt = &webhook.Attempt{Number: a.Number, Time: a.Time, Duration: a.Duration, Status: a.Status}
		if a.Error != "" {
			plain.Attempt.Error = reasonUnrecorded
		}
	}
	return plain
}

// letGo gives up an outcome that the store does not take in any form. The delivery stays
// claimed by its worker, so the run becomes another one: the old worker leaves when the
// rest of what it has in hand is settled, and then the delivery is attempted again. When
// that is refused too it goes on so, twice a minute at most: the receiver may hear it
// again and again, but it is not lost, and nobody else waits for it.
func (s *settler) letGo(ctx context.Context, o unsettled) {
	s.join(ctx, o.worker)
	s.finish(ctx, o.worker, o)
}
