package dispatch

import (
	"context"
	"errors"
	"time"

	"github.com/ringback-dev/ringback/webhook"
)

// claimLoop takes ready deliveries in hand as slots allow, and starts their attempts.
func (r *run) claimLoop(ctx context.Context) {
	ticker := time.NewTicker(pollInterval)
	defer ticker.Stop()
	// The requests in flight outlive ctx: that is what draining means.
	inFlight := context.WithoutCancel(ctx)
	defer r.attempts.Wait()
	after := ""
	for {
		select {
		case <-ctx.Done():
			return
		case <-r.ready:
		case <-ticker.C:
		}
		for ctx.Err() == nil {
			free, bytes := r.slots.free()
			if free <= 0 || bytes <= 0 {
				break // the next settlement raises ready
			}
			claimed, err := r.claim(ctx, free, bytes, after)
			if err != nil {
				if ctx.Err() == nil {
					r.log.Error("dispatch: claiming failed", "error", err)
					sleep(ctx, firstPause)
				}
				break
			}
			if len(claimed) == 0 || ctx.Err() != nil {
				break // what was claimed too late is handed back by leave
			}
			after = claimed[len(claimed)-1].Callback
			w := r.me()
			for i := range claimed {
				r.start(inFlight, w, &claimed[i])
			}
		}
	}
}

// claim takes up to limit deliveries from the store, with messages of up to so many
// bytes.
func (r *run) claim(ctx context.Context, limit, bytes int, after string) ([]webhook.Claimed, error) {
	w := r.me()
	claimed, err := r.store.Claim(ctx, webhook.ClaimRequest{
		Worker:     w,
		Now:        time.Now(),
		Limit:      limit,
		LimitBytes: bytes,
		After:      after,
		Room:       r.slots.room,
	})
	if errors.Is(err, webhook.ErrFenced) {
		r.fenced(ctx, w)
		r.ready.raise()
		return nil, nil
	}
	return claimed, err
}

// start attempts a delivery in its own goroutine, and passes on what became of it.
func (r *run) start(ctx context.Context, w webhook.Worker, c *webhook.Claimed) {
	r.slots.take(c.Callback, len(c.Message))
	r.attempts.Go(func() {
		attempt := r.engine.attempt(ctx, c)
		r.outcomes <- outcome{worker: w, size: len(c.Message), Outcome: r.judge(c, attempt)}
	})
}
