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
	size   int // of the request, in bytes
}

// claimLoop takes ready deliveries in hand as slots allow, and starts their attempts.
func (r *run) claimLoop(ctx context.Context) {
	ticker := time.NewTicker(pollInterval)
	defer ticker.Stop()
	defer r.attempts.Wait()
	trouble := trouble{log: r.log, doing: "claiming"}
	after := make(map[*pool]string)
	pause := firstPause
	for {
		select {
		case <-ctx.Done():
			return
		case <-r.ready:
		case <-ticker.C:
		}
		for more := true; more && ctx.Err() == nil; {
			more = false
			for _, p := range r.slots.pools() {
				free, bytes := r.slots.free(p)
				if free <= 0 || bytes <= 0 {
					continue // the next settlement raises ready
				}
				w := r.me()
				claimed, err := r.store.Claim(ctx, webhook.ClaimRequest{
					Worker:     w,
					Now:        time.Now(),
					Limit:      free,
					LimitBytes: bytes,
					After:      after[p],
					Room:       func(callback string) int { return r.slots.room(p, callback) },
				})
				switch {
				case ctx.Err() != nil:
				case errors.Is(err, webhook.ErrFenced):
					r.fenced(ctx, w)
					more = true
				case err != nil:
					// Whether it claimed anything is not known. What it may have is
					// handed back when this worker leaves.
					trouble.note(err)
					sleep(ctx, pause)
					pause = min(2*pause, longestPause)
					r.join(ctx, w)
				default:
					trouble.note(nil)
					pause = firstPause
				}
				for i := range claimed {
					r.start(ctx, &job{Claimed: claimed[i], worker: w, pool: p})
					after[p] = claimed[i].Callback
					more = true
				}
			}
		}
	}
}

// start attempts a delivery in its own goroutine, and passes on what became of it. When
// ctx has ended it hands the delivery back instead.
func (r *run) start(ctx context.Context, j *job) {
	j.size = requestSize(&j.Claimed)
	r.slots.take(j.pool, j.Callback, j.size)
	r.hold(j.worker)
	if ctx.Err() != nil {
		r.outcomes <- outcome{j, webhook.Outcome{
			Sequence: j.Sequence, Callback: j.Callback, State: webhook.DeliveryReady, Due: j.Due,
		}}
		return
	}
	r.attempts.Go(func() {
		// The requests in flight outlive ctx: that is what draining means.
		result := r.engine.attempt(context.WithoutCancel(ctx), &j.Claimed)
		r.slots.note(j.Callback, result.Duration)
		r.outcomes <- outcome{j, r.judge(&j.Claimed, &result)}
	})
}
