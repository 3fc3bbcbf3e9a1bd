package dispatch

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/ringback-dev/ringback/webhook"
)

// judge decides what an attempt means for its delivery and its callback: an answer of
// 200 to 299 is success, 410 is the receiver's wish to hear no more, anything else may
// be tried again.
func (r *run) judge(c *webhook.Claimed, a *result) webhook.Outcome {
	o := webhook.Outcome{Sequence: c.Sequence, Callback: c.Callback, Attempt: &a.Attempt}
	switch {
	case a.Error == "":
		o.State = webhook.DeliveryDelivered
	case a.Status == http.StatusGone:
		o.State = webhook.DeliveryDead
		o.Reason = "the receiver answered 410 Gone"
		o.Disable = &webhook.Disabling{
			Reason:  "the receiver answered 410 Gone: it asks for no more messages",
			Version: c.To.Version,
		}
	default:
		r.judgeFailure(c, a, &o)
	}
	r.log.LogAttrs(context.Background(), slog.LevelInfo, "dispatch: attempt",
		slog.String("delivery", c.ID), slog.String("callback", c.Callback), slog.String("database", c.Database),
		slog.String("collection", c.Collection), slog.String("record", c.Record), slog.Int("number", a.Number),
		slog.Int("status", a.Status), slog.String("error", a.Error), slog.Duration("duration", a.Duration),
		slog.String("state", string(o.State)))
	return o
}

// judgeFailure decides whether a failed attempt is repeated, and what it means for the
// other deliveries of the callback.
func (r *run) judgeFailure(c *webhook.Claimed, a *result, o *webhook.Outcome) {
	now := time.Now()
	retry := &r.engine.options.Retry
	attempts := a.Number - c.Earlier
	backoff, again := retry.pause(attempts)
	switch {
	case !again:
		o.State = webhook.DeliveryDead
		o.Reason = fmt.Sprintf("all %d attempts failed, the last one: %s", attempts, a.Error)
	case !r.retryable(a.Attempt):
		o.State = webhook.DeliveryDead
		o.Reason = fmt.Sprintf("attempt %d failed and is not to be repeated: %s", attempts, a.Error)
	default:
		o.State = webhook.DeliveryReady
		o.Due = now.Add(max(backoff, a.wait))
		o.Pass = c.To.Ordering == webhook.OrderingSkip
	}
	pause := probePause(c.To.Health, now)
	if a.Status == 0 {
		pause = max(pause, r.slots.silentPause(c.Callback, &a.Attempt))
	}
	if pause = max(a.wait, retry.jitter(pause)); pause > 0 {
		o.Pause = now.Add(pause).Truncate(time.Millisecond) // as it is stored
	}
	o.Disable = r.disabling(c, a)
}

// retryable asks the host's policy, which is not to bring the host down.
func (r *run) retryable(a webhook.Attempt) (again bool) {
	retryable := r.engine.options.Retry.Retryable
	if retryable == nil {
		return true
	}
	defer func() {
		if p := recover(); p != nil {
			r.log.Error("dispatch: Retry.Retryable panicked, the attempt will be repeated", "panic", p)
			again = true
		}
	}()
	return retryable(a)
}
