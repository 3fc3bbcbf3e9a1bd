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
	left       leftBehind
	damaged    trouble
	expansions []webhook.Expansion // room for those of a transaction
}

// A pendingEvent is an event of the outbox on its way to its expansion.
type pendingEvent struct {
	sequence  int64
	id        string
	action    webhook.Action
	scope     webhook.Scope
	event     *webhook.Event // nil when it is damaged
	listeners []listener
	made      expanded // once it is done
	done      atomic.Bool
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
	all := make([]pendingEvent, len(pending.Events)+len(pending.Damaged))
	events := make([]*pendingEvent, len(all))
	for i := range all {
		p := &all[i]
		events[i] = p
		if i < len(pending.Events) {
			e := &pending.Events[i]
			p.sequence, p.id, p.action, p.scope, p.event = e.Sequence, e.ID, e.Action, e.Scope(), e
		} else {
			d := &pending.Damaged[i-len(pending.Events)]
			p.sequence, p.id, p.action, p.scope = d.Sequence, d.ID, d.Action, d.Scope
		}
	}
	slices.SortStableFunc(events, func(a, b *pendingEvent) int { return cmp.Compare(a.sequence, b.sequence) })
	return events
}

// replace writes the deliveries of the events. Conditions are evaluated side by side;
// what they say is written in the order of the events.
func (f *fanOut) replace(ctx context.Context, events []*pendingEvent) error {
	group, ctx := errgroup.WithContext(ctx)
	var next atomic.Int64
	made := newSignal()
	for range runtime.GOMAXPROCS(0) {
		group.Go(func() error {
			for i := next.Add(1) - 1; i < int64(len(events)) && ctx.Err() == nil; i = next.Add(1) - 1 {
				e := events[i]
				var err error
				if e.made.Expansion, err = f.expand(ctx, e); err != nil {
					return err
				}
				e.done.Store(true)
				made.raise()
			}
			return nil
		})
	}
	group.Go(func() error {
		w := pageWriter{fanOut: f, made: made, held: make(map[record]bool)}
		return w.writeAll(ctx, events)
	})
	return group.Wait()
}
