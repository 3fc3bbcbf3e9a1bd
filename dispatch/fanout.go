package dispatch

import (
	"context"
	"runtime"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/ringback-dev/ringback/webhook"
)

const (
	// fanOutEvents is how many events are read from the outbox at once.
	fanOutEvents = 128

	// fanOutBytes bounds the events that are read at once, in bytes of their encoded
	// form. As messages they may be several times as large.
	fanOutBytes = 2 << 20

	// fanOutRows and fanOutMessages bound the deliveries and failures, and the bytes
	// of messages, that one transaction writes, give or take one event: and so how
	// long other writers wait.
	fanOutRows     = 512
	fanOutMessages = 4 << 20
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
	expansions := make([]chan webhook.Expansion, len(pending.Events))
	listeners := make([][]listener, len(pending.Events))
	for i := range pending.Events {
		expansions[i] = make(chan webhook.Expansion, 1)
		if listeners[i], err = cache.listeners(ctx, pending.Events[i].Scope()); err != nil {
			return false, err
		}
	}
	// Conditions are evaluated side by side; what they say is written in the order of
	// the events.
	group, ctx := errgroup.WithContext(ctx)
	var next atomic.Int64
	for range runtime.GOMAXPROCS(0) {
		group.Go(func() error {
			for i := next.Add(1) - 1; i < int64(len(expansions)) && ctx.Err() == nil; i = next.Add(1) - 1 {
				x, err := r.expand(ctx, &pending.Events[i], listeners[i])
				if err != nil {
					return err
				}
				expansions[i] <- x
			}
			return nil
		})
	}
	group.Go(func() error { return r.writeExpansions(ctx, expansions, pending.Damaged) })
	return pending.More, group.Wait()
}

// writeExpansions writes expansions in their order, as many in one transaction as are
// ready and fit in: one event with slow conditions does not hold up those before it.
func (r *run) writeExpansions(ctx context.Context, expansions []chan webhook.Expansion, damaged []int64) error {
	var batch []webhook.Expansion
	rows, bytes := 0, 0
	write := func() error {
		if len(batch) == 0 {
			return nil
		}
		err := r.store.FanOut(ctx, batch)
		batch, rows, bytes = nil, 0, 0
		r.ready.raise()
		return err
	}
	add := func(x webhook.Expansion) error {
		more := len(x.Targets) + len(x.Failures)
		size := len(x.Messages[webhook.MethodJSON]) + len(x.Messages[webhook.MethodXML])
		if rows+more > fanOutRows || bytes+size > fanOutMessages {
			if err := write(); err != nil {
				return err
			}
		}
		batch = append(batch, x)
		rows += more
		bytes += size
		return nil
	}
	for _, expansion := range expansions {
		var x webhook.Expansion
		select {
		case x = <-expansion:
		default:
			if err := write(); err != nil {
				return err
			}
			select {
			case x = <-expansion:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		if err := add(x); err != nil {
			return err
		}
	}
	for _, sequence := range damaged {
		r.log.Error("dispatch: an event is damaged and can't be delivered", "sequence", sequence)
		if err := add(webhook.Expansion{Sequence: sequence}); err != nil {
			return err
		}
	}
	return write()
}
