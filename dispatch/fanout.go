package dispatch

import (
	"context"
	"errors"
	"runtime"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/ringback-dev/ringback/webhook"
	"github.com/ringback-dev/ringback/webhook/message"
)

const (
	// fanOutEvents is how many events are read from the outbox at once.
	fanOutEvents = 128

	// fanOutBytes bounds the events that are read at once, in bytes of their encoded
	// form.
	fanOutBytes = 8 << 20

	// fanOutTargets is how many deliveries one transaction writes, give or take the
	// targets of one event: it bounds how long other writers wait.
	fanOutTargets = 512
)

// fanOutLoop replaces pending events by their deliveries.
func (r *run) fanOutLoop(ctx context.Context) {
	ticker := time.NewTicker(pollInterval)
	defer ticker.Stop()
	cache := newListenerCache(r.store, r.engine.evaluator)
	for {
		select {
		case <-ctx.Done():
			return
		case <-r.appended:
		case <-ticker.C:
		}
		for ctx.Err() == nil {
			more := false
			if !r.persist(ctx, "fanning out", func() (err error) {
				more, err = r.fanOut(ctx, cache)
				return err
			}) || !more {
				break
			}
		}
	}
}

// fanOut takes one batch off the outbox and reports whether there may be more.
func (r *run) fanOut(ctx context.Context, cache *listenerCache) (more bool, err error) {
	pending, err := r.store.Pending(ctx, fanOutEvents, fanOutBytes)
	if err != nil {
		return false, err
	}
	cache.renew(pending.Revision)
	expansions := make([]webhook.Expansion, len(pending.Events))
	var matching errgroup.Group
	matching.SetLimit(runtime.GOMAXPROCS(0))
	for i := range pending.Events {
		event := &pending.Events[i]
		listeners, err := cache.listeners(ctx, event.Scope())
		if err != nil {
			return false, errors.Join(err, matching.Wait())
		}
		matching.Go(func() error {
			expansions[i] = r.expand(event, listeners)
			return nil
		})
	}
	matching.Wait()
	for _, sequence := range pending.Damaged {
		r.log.Error("dispatch: an event is damaged and can't be delivered", "sequence", sequence)
		expansions = append(expansions, webhook.Expansion{Sequence: sequence})
	}
	for len(expansions) > 0 {
		n, targets := 0, 0
		for n < len(expansions) && (n == 0 || targets+len(expansions[n].Targets) <= fanOutTargets) {
			targets += len(expansions[n].Targets)
			n++
		}
		if err := r.store.FanOut(ctx, expansions[:n]); err != nil {
			return false, err
		}
		r.ready.raise()
		expansions = expansions[n:]
	}
	return pending.More, nil
}

// expand decides which listeners hear of an event, and encodes it for them.
func (r *run) expand(event *webhook.Event, listeners []listener) webhook.Expansion {
	x := webhook.Expansion{Sequence: event.Sequence, Messages: make(map[webhook.Method][]byte, 1)}
	scope := r.engine.evaluator.Begin(event)
	defer scope.End()
	refused := make(map[webhook.Method]string, 0)
	for i := range listeners {
		l := &listeners[i]
		if !l.hears(event) {
			continue
		}
		fires, failure := l.fires(event, scope)
		if failure != "" {
			r.log.Warn("dispatch: condition failed", "callback", l.ID, "event", event.ID, "error", failure)
			x.Failures = append(x.Failures, webhook.ExpressionFailure{Callback: l.ID, Message: failure})
		}
		if !fires {
			continue
		}
		if _, encoded := x.Messages[l.Method]; !encoded && refused[l.Method] == "" {
			body, err := message.Encode(l.Method, event)
			if err != nil {
				refused[l.Method] = err.Error()
			} else {
				x.Messages[l.Method] = body
			}
		}
		x.Targets = append(x.Targets, webhook.Target{
			Callback: l.ID, Method: l.Method, Encoding: l.Encoding, Dead: refused[l.Method],
		})
	}
	return x
}
