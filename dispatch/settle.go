package dispatch

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
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

// judge decides what an attempt means for its delivery: an answer of 200 to 299 is
// success; anything else is tried again, no sooner than the receiver asks for, until
// the attempts are used up.
func (r *run) judge(c *webhook.Claimed, a *result) webhook.Outcome {
	o := webhook.Outcome{Sequence: c.Sequence, Callback: c.Callback, Attempt: &a.Attempt}
	pause, again := r.engine.options.Retry.pause(a.Number)
	switch {
	case a.Error == "":
		o.State = webhook.DeliveryDelivered
	case again:
		o.State = webhook.DeliveryReady
		o.Due = time.Now().Add(max(pause, a.wait))
	default:
		o.State = webhook.DeliveryDead
		o.Reason = fmt.Sprintf("all %d attempts failed, the last one: %s", a.Number, a.Error)
	}
	r.log.LogAttrs(context.Background(), slog.LevelInfo, "dispatch: attempt",
		slog.String("delivery", c.ID), slog.String("callback", c.Callback), slog.String("database", c.Database),
		slog.String("collection", c.Collection), slog.String("record", c.Record), slog.Int("number", a.Number),
		slog.Int("status", a.Status), slog.String("error", a.Error), slog.Duration("duration", a.Duration),
		slog.String("state", string(o.State)))
	return o
}

// settleLoop records outcomes, as many in one transaction as there are, until the
// channel is closed.
func (r *run) settleLoop(ctx context.Context) {
	for first := range r.outcomes {
		batch := []outcome{first}
	more:
		for len(batch) < settleBatch {
			select {
			case next, open := <-r.outcomes:
				if !open {
					break more
				}
				batch = append(batch, next)
			default:
				break more
			}
		}
		r.settle(ctx, batch)
	}
}

// settle records a batch and frees its slots. It does not give up: until an outcome is
// recorded, or ctx ends, its slot stays taken, so that a store that fails holds the
// engine back instead of filling its memory.
func (r *run) settle(ctx context.Context, batch []outcome) {
	byWorker := make(map[webhook.Worker][]webhook.Outcome, 1)
	for _, o := range batch {
		byWorker[o.worker] = append(byWorker[o.worker], o.Outcome)
	}
	for w, outcomes := range byWorker {
		r.persist(ctx, "settling", func() error {
			err := r.store.Settle(ctx, w, outcomes)
			if errors.Is(err, webhook.ErrFenced) {
				r.fenced(ctx, w) // they belong to others by now
				return nil
			}
			return err
		})
	}
	for _, o := range batch {
		r.slots.release(o.pool, o.Outcome.Callback, o.size)
		r.drop(ctx, o.worker)
		if o.Outcome.State == webhook.DeliveryReady {
			r.retries.set(o.Outcome.Due)
		}
	}
	r.ready.raise()
}
