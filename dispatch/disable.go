package dispatch

import (
	"context"
	"fmt"
	"time"

	"github.com/ringback-dev/ringback/webhook"
)

// disabling returns why a callback is to be disabled by a failure: it has failed for too
// long. It is nil while it has not.
func (r *run) disabling(c *webhook.Claimed, a *result) *webhook.Disabling {
	h := &c.To.Health
	after := r.engine.options.DisableAfter
	// By a clock that was just set forth, everything has failed for long.
	if after < 0 || h.FailingSince.IsZero() || r.clock.trusted().Sub(h.FailingSince) < after {
		return nil
	}
	return &webhook.Disabling{
		Reason: fmt.Sprintf("it has been failing since %s: %d attempts in a row, the last one: %s",
			h.FailingSince.UTC().Format(time.RFC3339), h.Failures+1, a.Error),
		Version:      c.To.Version,
		FailingSince: h.FailingSince,
	}
}

// disabled tells the log and the host of callbacks that were disabled. The host takes
// as long as it likes.
func (r *run) disabled(ctx context.Context, callbacks []webhook.Callback) {
	for _, c := range callbacks {
		r.log.Warn("dispatch: callback disabled", "callback", c.ID, "database", c.Database,
			"collection", c.Collection, "reason", c.Reason)
	}
	if r.engine.options.OnDisable == nil || len(callbacks) == 0 {
		return
	}
	r.hooks.Go(func() {
		for _, c := range callbacks {
			r.onDisable(ctx, c)
		}
	})
}

// onDisable calls the host's hook, which is not to bring the host down.
func (r *run) onDisable(ctx context.Context, c webhook.Callback) {
	defer func() {
		if p := recover(); p != nil {
			r.log.Error("dispatch: Options.OnDisable panicked", "callback", c.ID, "panic", p)
		}
	}()
	r.engine.options.OnDisable(ctx, c)
}
