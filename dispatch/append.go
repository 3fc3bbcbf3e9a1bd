package dispatch

import (
	"context"
	"errors"
	"math"
	"runtime/debug"
	"sync"
	"time"

	"github.com/ringback-dev/ringback/webhook"
)

// What is appended through the engine may be written together with its deliveries, within
// these bounds and those of a fan-out. Beyond them the host would wait for it, and others
// for the transaction; so it is appended as what a host's transaction appends, and fanned
// out later.
const (
	directEvents    = 256                   // of one Dispatch
	directSize      = 64 << 10              // of an event, encoded
	directListeners = 128                   // of an event
	directTime      = 10 * time.Millisecond // for the conditions of one Dispatch

	// outboxWait is how long such an append waits for the outbox to be empty, where
	// something was pending: while anything is, all that comes behind it must be too.
	outboxWait = 5 * time.Millisecond

	// appendMany is how many events in a batch mean that many come: then the next one
	// waits up to appendWait for as many, because most of those who have appended come
	// again. As with outcomes, a transaction costs about the same however many it
	// writes.
	appendMany = 8
	appendWait = 2 * time.Millisecond

	// appendBatch is how many events are written in one transaction, give or take one
	// Dispatch.
	appendBatch = 256
)

// errNotWritten is the end of an appending whose events are to be appended otherwise.
var errNotWritten = errors.New("not written")

// An appending is a Dispatch whose events are to be written together with their deliveries.
type appending struct {
	events   []directEvent
	one      [1]directEvent // room for most
	heard    int            // by so many callbacks
	rows     int            // deliveries and failures
	bytes    int            // of the encoded events, at most
	revision int64          // of the registry, when that was found out
	done     chan struct{}
	err      error // once it is done

	mu sync.Mutex // held while the content of the events is read
}

// newAppending begins an appending of so many events.
func newAppending(events int) *appending {
	a := &appending{done: make(chan struct{})}
	if a.events = a.one[:]; events != len(a.one) {
		a.events = make([]directEvent, events)
	}
	return a
}

// end says what an appending has come to.
func (a *appending) end(err error) {
	a.err = err
	close(a.done)
}

// abandon is for a caller that does not wait for the end: what it does with its events from
// now on is not seen.
func (a *appending) abandon() {
	a.mu.Lock()
	defer a.mu.Unlock()
	for i := range a.events {
		kept := a.events[i].event.Stored()
		a.events[i].content = &kept
	}
}

// plain returns the events as they are appended otherwise.
func (a *appending) plain() []webhook.Event {
	events := make([]webhook.Event, len(a.events))
	for i := range a.events {
		events[i] = a.events[i].event
	}
	return events
}

// A directEvent is an event of an appending. It implements [webhook.ExpandedEvent].
type directEvent struct {
	run     *run
	of      *appending
	event   webhook.Event
	content *webhook.Event // the event, or a copy once the caller has it back
	match   match
}

func (d *directEvent) Event() *webhook.Event { return &d.event }

func (d *directEvent) Encode() []byte {
	d.of.mu.Lock()
	defer d.of.mu.Unlock()
	return webhook.EncodeEvent(d.content)
}

func (d *directEvent) Expand(sequence int64) (x webhook.Expansion) {
	d.of.mu.Lock()
	defer d.of.mu.Unlock()
	defer func() {
		if p := recover(); p != nil {
			d.run.log.Error("dispatch: an event made the engine panic, its deliveries are dead",
				"event", d.event.ID, "sequence", sequence, "panic", p, "stack", string(debug.Stack()))
			x = d.match.dead(sequence, reasonPanic)
		}
	}()
	e := *d.content
	e.Sequence = sequence
	return d.match.encode(&e)
}

// dispatch appends events.
func (r *run) dispatch(ctx context.Context, events []webhook.Event) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if !r.direct.Load() || len(events) == 0 || len(events) > directEvents {
		return r.store.Dispatch(ctx, events...)
	}
	a, err := r.expandAll(ctx, events)
	if err != nil {
		return err
	}
	if a == nil {
		return r.store.Dispatch(ctx, events...)
	}
	err = errNotWritten
	if r.appends.push(a) {
		select {
		case <-a.done:
			err = a.err
		case <-ctx.Done():
			if !r.appends.withdraw(a) {
				a.abandon()
			}
			return ctx.Err()
		}
	}
	if err != errNotWritten {
		return err
	}
	// Should they be there after all, their IDs tell.
	return r.store.Dispatch(ctx, a.plain()...)
}

// expandAll finds out who hears of the events. It returns nil where that takes too long or
// can't be said yet.
func (r *run) expandAll(ctx context.Context, events []webhook.Event) (a *appending, err error) {
	defer func() {
		if p := recover(); p != nil {
			r.log.Error("dispatch: an event made the engine panic, it is fanned out later",
				"panic", p, "stack", string(debug.Stack()))
			a, err = nil, nil
		}
	}()
	a = newAppending(len(events))
	var spent time.Duration
	for i := range events {
		list, ok := r.quickListeners(ctx, events[i].Scope(), a, i == 0)
		if !ok || spent > directTime {
			return nil, nil
		}
		d := &a.events[i]
		d.run, d.of, d.event, d.content = r, a, events[i], &d.event
		e := &d.event
		size, err := e.Complete()
		if err != nil {
			return nil, err
		}
		a.bytes += size
		if size > directSize || a.bytes > fanOutMessages {
			return nil, nil
		}
		if e.Subprofile != nil { // the store looks at whose change it is
			own := *e.Subprofile
			e.Subprofile = &own
		}
		e.Sequence = math.MaxInt64 // it comes after all that is there
		if d.match, err = r.match(ctx, e, list); err != nil {
			return nil, err
		}
		e.Sequence = 0
		spent += d.match.spent
		a.heard += len(d.match.targets)
		if a.rows += len(d.match.targets) + len(d.match.failures); a.rows > fanOutRows {
			return nil, nil
		}
	}
	return a, nil
}

// quickListeners returns the listeners of a scope, if they are few, their conditions were
// quick so far, and they are of the appending's revision, which the first ones decide.
func (r *run) quickListeners(ctx context.Context, scope webhook.Scope, a *appending, first bool) ([]listener, bool) {
	list, revision, ok := r.listeners.few(ctx, scope, directListeners)
	if !ok || !first && revision != a.revision {
		return nil, false
	}
	a.revision = revision
	for i := range list {
		if r.slow.struck(&list[i].Callback) > 0 {
			return nil, false
		}
	}
	return list, true
}

// appendLoop writes appendings, as many in one transaction as there are.
func (r *run) appendLoop(ctx context.Context) {
	store, ok := r.store.(webhook.AppendClaimer)
	if !ok {
		return
	}
	r.direct.Store(true)
	defer func() {
		for _, rest := range r.appends.close() {
			rest.end(errNotWritten)
		}
	}()
	a := appender{
		run: r, store: store, timer: time.NewTimer(outboxWait),
		damaged: trouble{log: r.log, doing: "reading what is stored"},
	}
	defer a.timer.Stop()
	defer a.joins.Wait() // a worker that joins later than that would not leave
	for {
		select {
		case <-ctx.Done():
			return
		case <-a.appends.come:
			for ctx.Err() == nil {
				a.await(ctx)
				batch := a.collect()
				if len(batch) == 0 {
					break
				}
				a.write(ctx, batch)
			}
		}
	}
}

// An appender is the state of appendLoop.
type appender struct {
	*run
	store   webhook.AppendClaimer
	timer   *time.Timer
	last    int                     // how many events were in the last batch
	events  []webhook.ExpandedEvent // room for those of a batch
	joins   sync.WaitGroup
	damaged trouble
}

// await waits for the outbox to be empty, where something was pending.
func (a *appender) await(ctx context.Context) {
	select {
	case <-a.emptied: // it was, before what is pending now
	default:
	}
	if a.pending.Load() == 0 {
		return
	}
	a.timer.Reset(outboxWait)
	defer a.timer.Stop()
	select {
	case <-a.emptied:
	case <-a.timer.C:
	case <-ctx.Done():
	}
}

// collect returns what waits to be written, or soon comes when there was much the last time.
func (a *appender) collect() []*appending {
	if a.last >= appendMany {
		a.appends.gather(min(a.last, appendBatch), appendWait, a.timer)
	}
	batch, events := a.appends.take()
	if events > 0 {
		a.last = events
	}
	return batch
}

// write writes a batch in one transaction and takes in hand what the store gives.
func (a *appender) write(ctx context.Context, batch []*appending) {
	revision, heard := batch[0].revision, 0
	events := a.events[:0]
	written := batch[:0]
	for _, x := range batch {
		if x.revision != revision || !a.direct.Load() {
			x.end(errNotWritten)
			continue
		}
		written = append(written, x)
		for i := range x.events {
			events = append(events, &x.events[i])
		}
		heard += x.heard
	}
	if len(written) == 0 {
		return
	}
	var pending, ended bool
	worker, claimed, err := a.claim(ctx, nil, heard, func(r webhook.ClaimRequest) (claimed []webhook.Claimed, err error) {
		defer func() {
			if p := recover(); p != nil {
				a.log.Error("dispatch: events made the engine or the store panic, they are appended otherwise",
					"panic", p, "stack", string(debug.Stack()))
				err = errNotWritten
			}
		}()
		claimed, pending, err = a.store.AppendAndClaim(ctx, events, revision, r)
		// Before the deliveries begin: most of those who have appended come again, and the
		// deliveries have the time of the next transaction.
		endAll(written, err)
		ended = true
		return claimed, err
	})
	if !ended {
		endAll(written, err)
	}
	clear(events)
	a.events = events
	if errors.Is(err, webhook.ErrDamaged) {
		a.damaged.note(err)
		err = nil
	}
	switch {
	case err == nil && pending:
		a.pending.Add(1)
		a.appended.raise()
	case err == nil:
		a.unclaimed(heard - len(claimed))
	case errors.Is(err, webhook.ErrFenced):
		a.goOn(ctx, func() { a.fenced(ctx, worker) })
	case !refused(err) && ctx.Err() == nil:
		// What it may have claimed is handed back when this worker leaves.
		a.goOn(ctx, func() { a.join(ctx, worker) })
	}
}

// endAll says what a transaction has come to for the appendings in it.
func endAll(appendings []*appending, err error) {
	switch {
	case errors.Is(err, webhook.ErrDamaged):
		err = nil // of callbacks: the events are written
	case err != nil && (len(appendings) > 1 || !refused(err)):
		err = errNotWritten // each by itself may fare better
	}
	for _, a := range appendings {
		a.end(err)
	}
}

// goOn lets the run go on as another worker. Meanwhile events are appended otherwise:
// nobody is to wait for a store that is away.
func (a *appender) goOn(ctx context.Context, join func()) {
	a.direct.Store(false)
	a.joins.Go(func() {
		join()
		a.direct.Store(ctx.Err() == nil)
	})
}

// refused reports whether an error says that the store took nothing and will not.
func refused(err error) bool {
	return errors.Is(err, webhook.ErrBacklogFull) || errors.Is(err, webhook.ErrInvalid)
}
