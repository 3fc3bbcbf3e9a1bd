package dispatch

import (
	"context"
	"errors"
	"time"

	"github.com/ringback-dev/ringback/webhook"
)

// A job is a delivery in hand, from its claim to its settlement.
type job struct {
	webhook.Claimed
	worker webhook.Worker // in whose name it is claimed
	pool   *pool
}

// claimLoop takes ready deliveries in hand as slots allow, and starts their attempts.
func (r *run) claimLoop(ctx context.Context) {
	ticker := time.NewTicker(pollInterval)
	defer ticker.Stop()
	c := claimer{
		run:     r,
		after:   make(map[*pool]string),
		pause:   firstPause,
		failing: trouble{log: r.log, doing: "claiming"},
		damaged: trouble{log: r.log, doing: "reading what is stored"},
	}
	for {
		select {
		case <-ctx.Done():
			return
		case <-r.ready:
		case <-ticker.C:
		}
		for c.fillPools(ctx) {
		}
	}
}

// A claimer is the state of claimLoop.
type claimer struct {
	*run
	after   map[*pool]string // the callback that was claimed of last
	pause   time.Duration    // after the next failure
	fencing bool             // the last claim was refused
	failing trouble
	damaged trouble
}

// fillPools claims once for each pool, and reports whether there may be more.
func (c *claimer) fillPools(ctx context.Context) (more bool) {
	for _, p := range c.slots.pools() {
		if ctx.Err() == nil && c.fill(ctx, p) {
			more = true
		}
	}
	return more
}

// fill claims what a pool has room for, and reports whether to claim again.
func (c *claimer) fill(ctx context.Context, p *pool) (again bool) {
	w, claimed, err := c.claim(ctx, p, func(r webhook.ClaimRequest) ([]webhook.Claimed, error) {
		r.After = c.after[p]
		return c.store.Claim(ctx, r)
	})
	if len(claimed) > 0 {
		c.after[p] = claimed[len(claimed)-1].Callback
	}
	c.startAll(ctx, p, w, claimed)
	if ctx.Err() != nil {
		return false
	}
	return c.heed(ctx, w, err) || len(claimed) > 0
}

// claim claims what a pool has room for, and counts it as taken: whatever the error, what
// was claimed is to be started. Where there is no room it claims nothing: the next
// settlement raises ready.
func (r *run) claim(
	ctx context.Context, p *pool, claim func(webhook.ClaimRequest) ([]webhook.Claimed, error),
) (w webhook.Worker, claimed []webhook.Claimed, err error) {
	select {
	case r.claiming <- struct{}{}:
		defer func() { <-r.claiming }()
	case <-ctx.Done():
		return 0, nil, ctx.Err()
	}
	w = r.beginClaim()
	defer r.endClaim(ctx)
	free, bytes := r.slots.free(p)
	if free <= 0 || bytes <= 0 {
		return w, nil, nil
	}
	claimed, err = claim(webhook.ClaimRequest{
		Worker:     w,
		Now:        time.Now(),
		Limit:      free,
		LimitBytes: bytes,
		Room:       func(callback string, h webhook.Health) int { return r.slots.room(p, callback, h) },
	})
	for i := range claimed {
		r.slots.take(p, claimed[i].Callback, requestSize(&claimed[i]))
		r.hold(w)
	}
	return w, claimed, err
}

// startAll starts the attempts of what was claimed.
func (r *run) startAll(ctx context.Context, p *pool, w webhook.Worker, claimed []webhook.Claimed) {
	for i := range claimed {
		r.start(ctx, &job{Claimed: claimed[i], worker: w, pool: p})
	}
}

// heed takes notice of how a claim ended, and reports whether to claim again.
func (c *claimer) heed(ctx context.Context, w webhook.Worker, err error) (again bool) {
	fenced := errors.Is(err, webhook.ErrFenced)
	switch {
	case fenced:
		if c.fencing {
			c.rest(ctx) // the new worker was refused at once: there is no hurry
		}
		c.run.fenced(ctx, w)
		again = true
	case errors.Is(err, webhook.ErrDamaged):
		c.damaged.note(err)
		c.works()
	case err != nil:
		// Whether it claimed anything is not known. What it may have is handed back
		// when this worker leaves.
		c.failing.note(err)
		c.rest(ctx)
		c.join(ctx, w)
	default:
		c.works()
	}
	c.fencing = fenced
	return again
}

// works takes notice of a claim that succeeded.
func (c *claimer) works() {
	c.failing.note(nil)
	c.pause = firstPause
}

// rest waits after a failure, longer each time.
func (c *claimer) rest(ctx context.Context) {
	sleep(ctx, c.pause)
	c.pause = min(2*c.pause, longestPause)
}

// start attempts a delivery in its own goroutine, and passes on what became of it. When
// ctx has ended it hands the delivery back instead.
func (r *run) start(ctx context.Context, j *job) {
	if ctx.Err() != nil {
		r.outcomes <- outcome{job: j, Outcome: webhook.Outcome{
			Sequence: j.Sequence, Callback: j.Callback, State: webhook.DeliveryReady, Due: j.Due,
		}}
		return
	}
	r.attempts.Go(func() {
		// The requests in flight outlive ctx: that is what draining means.
		result := r.engine.attempt(context.WithoutCancel(ctx), &j.Claimed)
		r.slots.note(j.Callback, &result.Attempt)
		o := r.judge(&j.Claimed, &result)
		if !o.Pause.IsZero() {
			r.slots.notePause(j.Callback, result.Time, o.Pause)
			r.retries.set(o.Pause)
		}
		r.outcomes <- outcome{job: j, Outcome: o}
	})
}
