package dispatch

import (
	"context"
	"time"

	"github.com/ringback-dev/ringback/webhook"
)

const (
	// pruneInterval is the time between two walks over what is kept.
	pruneInterval = time.Minute

	// pruneStep is how many events one step looks at, prunePause what lies between
	// two steps: writers come through.
	pruneStep  = 200
	prunePause = 20 * time.Millisecond
)

// pruneLoop removes what has been kept long enough.
func (r *run) pruneLoop(ctx context.Context) {
	ticker := time.NewTicker(pruneInterval)
	defer ticker.Stop()
	trouble := trouble{log: r.log, doing: "pruning"}
	for {
		select {
		case <-ctx.Done():
			return
		case <-r.prunes:
		case <-ticker.C:
		}
		if err := r.prune(ctx); ctx.Err() == nil {
			trouble.note(err)
		}
	}
}

// prune walks once over what is kept.
func (r *run) prune(ctx context.Context) error {
	now := r.clock.trusted()
	request := webhook.PruneRequest{
		Limit:     pruneStep,
		Delivered: now.Add(-r.engine.options.KeepDelivered),
		Dead:      now.Add(-r.engine.options.KeepDead),
	}
	for {
		result, err := r.store.Prune(ctx, request)
		if err != nil || result.Next == 0 || !sleep(ctx, prunePause) {
			return err
		}
		request.After = result.Next
	}
}
