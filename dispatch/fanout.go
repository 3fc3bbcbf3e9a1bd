package dispatch

import (
	"cmp"
	"context"
	"runtime"
	"slices"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/ringback-dev/ringback/webhook"
)

const (
	// fanOutEvents is how many events are read from the outbox at once.
	fanOutEvents = 512

	// fanOutBytes bounds the events that are read at once, in bytes of their encoded
	// form. As messages they may be several times as large.
	fanOutBytes = 2 << 20

	// fanOutPause is the longest wait after a failure: what is appended meanwhile waits
	// no longer than for a poll.
	fanOutPause = 250 * time.Millisecond
)

// A fanOut replaces pending events by their deliveries. It is used by one goroutine.
type fanOut struct {
	*run
	left    leftBehind
	damaged trouble
}

// A pendingEvent is an event of the outbox on its way to its expansion.
type pendingEvent struct {
	sequence  int64
	id        string
	action    webhook.Action
	scope     webhook.Scope
	event     *webhook.Event // nil when it is damaged
	listeners []listener
	made      chan webhook.Expansion // takes one
}

// fanOutLoop replaces pending events by their deliveries until ctx ends.
func (r *run) fanOutLoop(ctx context.Context) {
	ticker := time.NewTicker(pollInterval)
	defer ticker.Stop()
	f := fanOut{
		run:     r,
		damaged: trouble{log: r.log, doing: "reading what is stored"},
	}
	trouble := trouble{log: r.log, doing: "fanning out"}
	for {
		select {
		case <-ctx.Done():
			return
		case <-r.appended:
		case <-ticker.C:
		}
		pause := firstPause
		for more := true; more && ctx.Err() == nil; {
			var err error
			known := r.pending.Load()
			more, err = f.page(ctx)
			if ctx.Err() == nil {
				trouble.note(err)
			}
			if err == nil {
				pause = firstPause
				if !more && r.pending.CompareAndSwap(known, 0) { // otherwise there is another page
					r.emptied.raise()
				}
				continue
			}
			more = sleep(ctx, pause)
			pause = min(2*pause, fanOutPause)
		}
	}
}

// page takes one page of events off the outbox and reports whether there may be more.
func (f *fanOut) page(ctx context.Context) (more bool, err error) {
	after := f.left.begin(time.Now())
	pending, err := f.store.Pending(ctx, webhook.PendingRequest{
		After: after, Limit: fanOutEvents, LimitBytes: fanOutBytes,
	})
	if err != nil {
		return false, err
	}
	if f.listeners.renew(pending.Revision) {
		f.changed.raise()
	}
	events := inOrder(&pending)
	f.left.forget(after, events, pending.More)
	for _, e := range events {
		if e.listeners, err = f.listeners.of(ctx, e.scope); err != nil {
			return false, err
		}
	}
	return pending.More, f.replace(ctx, events)
}

// inOrder returns the events of a page, the damaged ones among the others.
func inOrder(pending *webhook.PendingEvents) []*pendingEvent {
	events := make([]*pendingEvent, 0, len(pending.Events)+len(pending.Damaged))
	for i := range pending.Events {
		e := &pending.Events[i]
		events = append(events, &pendingEvent{
			sequence: e.Sequence, id: e.ID, action: e.Action, scope: e.Scope(), event: e,
			made: make(chan webhook.Expansion, 1),
		})
	}
	for _, d := range pending.Damaged {
		events = append(events, &pendingEvent{
			sequence: d.Sequence, id: d.ID, action: d.Action, scope: d.Scope,
			made: make(chan webhook.Expansion, 1),
		})
	}
	slices.SortStableFunc(events, func(a, b *pendingEvent) int { return cmp.Compare(a.sequence, b.sequence) })
	return events
}

// replace writes the deliveries of the events. Conditions are evaluated side by side;
// what they say is written in the order of the events.
func (f *fanOut) replace(ctx context.Context, events []*pendingEvent) error {
	group, ctx := errgroup.WithContext(ctx)
	var next atomic.Int64
	for range runtime.GOMAXPROCS(0) {
		group.Go(func() error {
			for i := next.Add(1) - 1; i < int64(len(events)) && ctx.Err() == nil; i = next.Add(1) - 1 {
				x, err := f.expand(ctx, events[i])
				if err != nil {
					return err
				}
				events[i].made <- x
			}
			return nil
		})
	}
	group.Go(func() error {
		w := pageWriter{fanOut: f, held: make(map[record]bool)}
		return w.writeAll(ctx, events)
	})
	return group.Wait()
}
