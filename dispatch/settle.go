package dispatch

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/ringback-dev/ringback/webhook"
)

const (
	// settleBatch is how many outcomes are settled in one transaction at most.
	settleBatch = 1024

	// settleMany is how many of them mean that many come: then the next one waits up to
	// settleWait for others. A transaction costs about the same however many it settles. But
	// the next delivery about a record waits as long too.
	settleMany = 8
	settleWait = time.Millisecond
)

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
	many    bool // outcomes in the last batch
	gather  *time.Timer
	batch   []unsettled       // room for one
	settled []webhook.Outcome // the same
}

// settleLoop records outcomes, as many in one transaction as there are, until the
// channel is closed and nothing waits, or ctx has ended too. Until an outcome is recorded
// its delivery counts as in hand, so that a store that fails holds the engine back instead
// of filling its memory.
func (r *run) settleLoop(ctx context.Context) {
	s := settler{
		run: r, in: r.outcomes, pause: firstPause, gather: time.NewTimer(settleWait),
		failing: trouble{log: r.log, doing: "settling"},
	}
	defer s.gather.Stop()
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

// collect returns an outcome with those that have come after it by now, or soon come when
// there are many: meanwhile they wait in the channel, rather than each wakes the settler.
// They are valid until the next call.
func (s *settler) collect(first outcome) []unsettled {
	batch := append(s.batch[:0], unsettled{outcome: first})
	if s.many {
		s.gather.Reset(settleWait)
		select {
		case <-s.gather.C:
		case <-s.run.ctx.Done(): // the run waits for the last ones
		}
		s.gather.Stop()
	}
	for range min(len(s.in), settleBatch-1) { // nobody else takes them
		batch = append(batch, unsettled{outcome: <-s.in})
	}
	s.many = len(batch) >= settleMany
	s.batch = batch
	return batch
}

// settle records a batch and frees what it holds. What the store does not take waits.
func (s *settler) settle(ctx context.Context, batch []unsettled) {
	waited := len(s.waiting)
	slices.SortStableFunc(batch, func(a, b unsettled) int { return cmp.Compare(a.worker, b.worker) })
	for len(batch) > 0 {
		w := batch[0].worker // hardly ever are there others
		n := slices.IndexFunc(batch, func(o unsettled) bool { return o.worker != w })
		if n < 0 {
			n = len(batch)
		}
		if err := s.record(ctx, w, batch[:n]...); err != nil {
			s.settleEach(ctx, w, batch[:n], err)
		}
		batch = batch[n:]
	}
	if waited == 0 {
		s.due = time.Now().Add(s.pause)
	}
	if s.slots.behind.Load() {
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

// record settles outcomes of one worker in one transaction, and frees what they hold if it
// succeeds.
func (s *settler) record(ctx context.Context, w webhook.Worker, outcomes ...unsettled) error {
	s.settled = s.settled[:0]
	for i := range outcomes {
		s.settled = append(s.settled, outcomes[i].Outcome)
	}
	disabled, err := s.store.Settle(ctx, w, s.settled)
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
		if o.Outcome.State == webhook.DeliveryReady && !o.Outcome.Due.IsZero() {
			s.retries.set(o.Outcome.Due) // of what is ready at once, Watch tells
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
