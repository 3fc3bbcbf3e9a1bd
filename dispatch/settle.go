package dispatch

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/ringback-dev/ringback/webhook"
)

// settleBatch is how many outcomes are settled in one transaction at most.
const settleBatch = 256

// An outcome is what became of a delivery in hand.
type outcome struct {
	*job
	webhook.Outcome
}

// An unsettled is an outcome that may have been refused already.
type unsettled struct {
	outcome
	refusals int
	taken    int // how many settlements had succeeded at the last one
	strikes  int // refusals with others taken since the one before
}

// A settler records outcomes. It is used by one goroutine.
type settler struct {
	*run
	in      <-chan outcome // nil once it is closed
	taken   int            // settlements that succeeded
	away    bool           // nothing of the last batch was taken
	probed  bool           // since then one was offered in its plain form
	waiting []unsettled    // to be tried again
	due     time.Time      // when
	pause   time.Duration  // before that
	failing trouble
}

// settleLoop records outcomes, as many in one transaction as there are, until the
// channel is closed and nothing waits, or ctx has ended too. Until an outcome is recorded
// its slot stays taken, so that a store that fails holds the engine back instead of
// filling its memory.
func (r *run) settleLoop(ctx context.Context) {
	s := settler{run: r, in: r.outcomes, pause: firstPause, failing: trouble{log: r.log, doing: "settling"}}
	for s.in != nil || len(s.waiting) > 0 {
		s.step(ctx)
	}
}

// step settles what comes next: new outcomes, or those that are to be tried again. While
// nothing is taken, and it is not a single one that is refused, new ones wait with them:
// a store that is away is not asked more often because more attempts come to their end.
func (s *settler) step(ctx context.Context) {
	in := s.in
	var due <-chan time.Time
	var ended <-chan struct{}
	if len(s.waiting) > 0 {
		due, ended = time.After(time.Until(s.due)), ctx.Done()
		if s.away && len(s.waiting) >= settleBlind {
			in = nil
		}
	}
	select {
	case first, open := <-in:
		s.settleNew(ctx, first, open)
	case <-due:
		s.settleAgain(ctx)
		select {
		case first, open := <-s.in:
			s.settleNew(ctx, first, open)
		default:
		}
	case <-ended:
		s.settleAgain(ctx)
	}
}

// settleNew settles an outcome with those that have come after it by now, unless the
// channel is closed.
func (s *settler) settleNew(ctx context.Context, first outcome, open bool) {
	if !open {
		s.in = nil
		return
	}
	s.settle(ctx, s.collect(first))
}

// collect returns an outcome with those that have come after it by now.
func (s *settler) collect(first outcome) []unsettled {
	batch := []unsettled{{outcome: first}}
	for len(batch) < settleBatch {
		select {
		case next, open := <-s.in:
			if !open {
				s.in = nil
				return batch
			}
			batch = append(batch, unsettled{outcome: next})
		default:
			return batch
		}
	}
	return batch
}

// settle records a batch and frees its slots. What the store does not take waits.
func (s *settler) settle(ctx context.Context, batch []unsettled) {
	waited := len(s.waiting)
	byWorker := make(map[webhook.Worker][]unsettled, 1)
	for _, o := range batch {
		byWorker[o.worker] = append(byWorker[o.worker], o)
	}
	for w, outcomes := range byWorker {
		if err := s.record(ctx, w, outcomes...); err != nil {
			s.settleEach(ctx, w, outcomes, err)
		}
	}
	if waited == 0 {
		s.due = time.Now().Add(s.pause)
	}
	if s.behind.Load() {
		s.ready.raise()
	}
}

// settleAgain settles what waits. When ctx has ended it waits no longer: its worker
// leaves, and it is attempted once more.
func (s *settler) settleAgain(ctx context.Context) {
	waiting := s.waiting
	s.waiting = nil
	s.probed = false
	s.pause = min(2*s.pause, longestPause)
	for batch := range slices.Chunk(waiting, settleBatch) {
		s.settle(ctx, batch)
	}
	if len(s.waiting) == 0 {
		s.pause = firstPause
	}
}

// record settles outcomes of one worker in one transaction, and frees their slots if it
// succeeds.
func (s *settler) record(ctx context.Context, w webhook.Worker, outcomes ...unsettled) error {
	settled := make([]webhook.Outcome, len(outcomes))
	for i, o := range outcomes {
		settled[i] = o.Outcome
	}
	disabled, err := s.store.Settle(ctx, w, settled)
	switch {
	case errors.Is(err, webhook.ErrFenced):
		s.fenced(ctx, w) // they belong to others by now
	case err != nil:
		return err
	default:
		s.taken++
		s.away = false
		s.failing.note(nil)
	}
	if len(disabled) > 0 {
		s.disabled(ctx, disabled)
		s.prunes.raise() // their deliveries become dead
	}
	for _, o := range outcomes {
		if o.Outcome.State == webhook.DeliveryReady {
			s.retries.set(o.Outcome.Due)
		}
	}
	s.finish(ctx, w, outcomes...)
	return nil
}

// finish frees what outcomes of a worker have held.
func (s *settler) finish(ctx context.Context, w webhook.Worker, outcomes ...unsettled) {
	s.slots.release(outcomes)
	s.drop(ctx, w, len(outcomes))
}
