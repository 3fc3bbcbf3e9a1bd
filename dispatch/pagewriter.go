package dispatch

import (
	"context"
	"errors"
	"time"

	"github.com/ringback-dev/ringback/webhook"
)

const (
	// fanOutRows and fanOutMessages bound the deliveries and failures, and the bytes
	// of messages, that one transaction writes, give or take one event: and so how
	// long other writers wait.
	fanOutRows     = 512
	fanOutMessages = 4 << 20

	// fanOutWait is how long those that are ready wait for the next one.
	fanOutWait = 2 * time.Millisecond
)

// A record names the record that an event is about.
type record struct {
	scope webhook.Scope
	id    string
}

// An expanded is an expansion that is to be written.
type expanded struct {
	webhook.Expansion
	about record // zero where that is not known: then all of its deliveries are dead
	size  int    // of its messages, in bytes
	tries int    // by itself
}

// A pageWriter writes the expansions of a page in their order, as many in one transaction
// as are ready and fit in. Once a transaction fails it writes them one by one, to find
// out whether the store is away or refuses some of them.
type pageWriter struct {
	*fanOut
	made        signal // another expansion is
	batch       []*expanded
	rows, bytes int   // of the batch
	last        int64 // the sequence of the last expansion

	failure error           // the last one
	failed  int             // tries
	wrote   bool            // one by one: something with deliveries
	largest int             // the size of what was written so
	refused []*expanded     // in order, with what waits behind them
	held    map[record]bool // the records of refused
}

// writeAll writes the expansions of all events as they are made: one event with slow
// conditions does not hold up those before it. An error says that some are not written.
func (w *pageWriter) writeAll(ctx context.Context, events []*pendingEvent) error {
	for _, e := range events {
		w.last = e.sequence
		if err := w.await(ctx, e); err != nil {
			return err
		}
		x := &e.made
		if e.event != nil {
			x.about = record{e.scope, e.event.Record().ID}
		}
		x.size = len(x.Messages.JSON) + len(x.Messages.XML)
		w.add(ctx, x)
	}
	w.flush(ctx)
	return w.finish(ctx)
}

// await waits for an event's expansion. When it takes long it writes those before it.
func (w *pageWriter) await(ctx context.Context, e *pendingEvent) error {
	if e.done.Load() {
		return nil
	}
	var late <-chan time.Time
	if len(w.batch) > 0 {
		late = time.After(fanOutWait)
	}
	for !e.done.Load() {
		select {
		case <-w.made:
		case <-late:
			w.flush(ctx)
			late = nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// add writes an expansion, now or with the next ones.
func (w *pageWriter) add(ctx context.Context, x *expanded) {
	if w.left.has(x.Sequence) {
		w.parkLater(ctx, x)
		return
	}
	rows := len(x.Targets) + len(x.Failures)
	if w.rows+rows > fanOutRows || w.bytes+x.size > fanOutMessages {
		w.flush(ctx)
	}
	if w.failure != nil {
		w.try(ctx, x)
		return
	}
	w.batch = append(w.batch, x)
	w.rows += rows
	w.bytes += x.size
}

// flush writes the batch, one by one when it is refused as a whole.
func (w *pageWriter) flush(ctx context.Context) {
	batch := w.batch
	if len(batch) == 0 {
		return
	}
	w.batch, w.rows, w.bytes = batch[:0], 0, 0
	w.expansions = w.expansions[:0]
	for _, x := range batch {
		w.expansions = append(w.expansions, x.Expansion)
	}
	w.failure = w.putAndClaim(ctx, w.expansions)
	clear(w.expansions)
	if w.failure == nil {
		for _, x := range batch {
			x.Expansion = webhook.Expansion{} // the page is in memory for longer
		}
		return
	}
	for _, x := range batch {
		w.try(ctx, x)
	}
}

// putAndClaim writes expansions in one transaction, and takes in hand at once what the
// store gives and the answering receivers have room for.
func (w *pageWriter) putAndClaim(ctx context.Context, expansions []webhook.Expansion) error {
	store, ok := w.store.(webhook.FanOutClaimer)
	if !ok {
		return w.put(ctx, expansions...)
	}
	open := 0
	for i := range expansions {
		open += openTargets(&expansions[i])
	}
	worker, claimed, err := w.claim(ctx, nil, open, func(r webhook.ClaimRequest) ([]webhook.Claimed, error) {
		return store.FanOutAndClaim(ctx, expansions, r)
	})
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, webhook.ErrFenced):
		w.fenced(ctx, worker)
		return w.put(ctx, expansions...)
	case errors.Is(err, webhook.ErrDamaged):
		w.damaged.note(err)
	case err != nil:
		// What it may have claimed is handed back when this worker leaves.
		w.join(ctx, worker)
		return err
	}
	w.unclaimed(open - len(claimed))
	return nil
}

// put writes expansions in one transaction.
func (w *pageWriter) put(ctx context.Context, expansions ...webhook.Expansion) error {
	err := w.store.FanOut(ctx, expansions)
	if err == nil {
		w.ready.raise()
	}
	return err
}
