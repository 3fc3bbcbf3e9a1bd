package dispatch

import (
	"context"
	"errors"
	"time"

	"github.com/ringback-dev/ringback/webhook"
)

// maxClaim bounds the deliveries that are read and claimed in one transaction: other
// writers wait for its end.
const maxClaim = 256

// After so many looks in a row for ready deliveries because something has happened in the
// store, all in vain, there is a pause before the next: a host may append all the time, which
// leaves none.
const (
	vainLooks = 16
	vainPause = 25 * time.Millisecond
)

// claimLoop takes ready deliveries in hand as there is room, and starts their attempts.
func (r *run) claimLoop(ctx context.Context) {
	ticker := time.NewTicker(pollInterval)
	defer ticker.Stop()
	stirred := r.stirred
	var rested <-chan time.Time
	vain := 0
	c := claimer{
		run:     r,
		after:   make(map[*pool]string),
		pause:   firstPause,
		failing: trouble{log: r.log, doing: "claiming"},
		damaged: trouble{log: r.log, doing: "reading what is stored"},
	}
	for {
		unsure := false
		select {
		case <-ctx.Done():
			return
		case <-r.ready:
		case <-ticker.C:
		case <-stirred:
			unsure = true
		case <-rested:
			stirred, rested = r.stirred, nil
			continue
		}
		r.slots.behind.Store(false)
		if unsure {
			vain++
		}
		for c.fillPools(ctx) {
			vain = 0
		}
		if vain == vainLooks {
			stirred, rested, vain = nil, time.After(vainPause), vain-1
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
	w, claimed, err := c.claim(ctx, p, maxClaim, func(r webhook.ClaimRequest) ([]webhook.Claimed, error) {
		r.After = c.after[p]
		return c.store.Claim(ctx, r)
	})
	if len(claimed) > 0 {
		c.after[p] = claimed[len(claimed)-1].Callback
	}
	if ctx.Err() != nil {
		return false
	}
	return c.heed(ctx, w, err) || len(claimed) > 0
}

// claim calls a function that claims what a pool has room for, be it none, and at most so
// much, and starts what was claimed, whatever the error. Without a pool it is for new
// deliveries.
func (r *run) claim(
	ctx context.Context, p *pool, most int, claim func(webhook.ClaimRequest) ([]webhook.Claimed, error),
) (w webhook.Worker, claimed []webhook.Claimed, err error) {
	if err := ctx.Err(); err != nil {
		return 0, nil, err
	}
	w = r.beginClaim()
	defer r.endClaim(ctx, w)
	revision := r.listeners.latest()
	v := reservation{slots: r.slots, pool: p, began: time.Now(), most: most}
	request := webhook.ClaimRequest{Worker: w, Now: v.began}
	request.Limit, request.LimitBytes = r.slots.begin(&v)
	request.Room = v.room
	if p == nil || request.Limit > 0 {
		claimed, err = claim(request)
	}
	jobs := make([]job, len(claimed))
	if len(claimed) > 0 {
		since := r.claimedSince(ctx, w, request.Now)
		for i := range claimed {
			jobs[i] = job{Claimed: &claimed[i], worker: w, pool: v.poolOf(claimed[i].Callback), since: since}
		}
		r.hold(w, len(jobs))
	}
	probing, paused, denied := r.slots.take(&v, jobs)
	if denied {
		r.ready.raise()
	}
	if r.listeners.latest() != revision {
		r.changed.raise() // the callbacks that were claimed may be older
	}
	r.start(probing)
	for _, j := range paused {
		r.giveBack(j)
	}
	return w, claimed, err
}

// claimedSince returns since when what was asked for at the given time waits in hand. Where
// the answer was slow the worker shows life first: a store that is always slow would have
// everything given back that it gives.
func (r *run) claimedSince(ctx context.Context, w webhook.Worker, asked time.Time) time.Time {
	now := time.Now()
	if now.Sub(asked) > staleAfter/2 && r.store.Beat(ctx, w) == nil {
		return now
	}
	return asked
}

// openTargets returns how many deliveries of an expansion are not born dead.
func openTargets(x *webhook.Expansion) (open int) {
	for i := range x.Targets {
		if x.Targets[i].Dead == "" {
			open++
		}
	}
	return open
}

// unclaimed takes notice of new deliveries that were not claimed as they were written.
func (r *run) unclaimed(deliveries int) {
	if deliveries > 0 {
		r.ready.raise()
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
