package dispatch

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ringback-dev/ringback/webhook"
)

const (
	// fanOutRows and fanOutMessages bound the deliveries and failures, and the bytes
	// of messages, that one transaction writes, give or take one event: and so how
	// long other writers wait.
	fanOutRows     = 512
	fanOutMessages = 4 << 20

	// refusals is how many times in a row an expansion must be refused by itself to be
	// given up, and refusalPause what lies between two of them: a store that fails at
	// random, even every third time, loses nothing by it.
	refusals     = 10
	refusalPause = 70 * time.Millisecond

	// blindTries is how many expansions are tried one by one while none is written:
	// most likely the store is away.
	blindTries = 32
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
	tries int    // by itself
}

// A pageWriter writes the expansions of a page in their order, as many in one transaction
// as are ready and fit in. Once a transaction fails it writes them one by one, to find
// out whether the store is away or refuses some of them.
type pageWriter struct {
	*fanOut
	batch       []*expanded
	rows, bytes int   // of the batch
	last        int64 // the sequence of the last expansion

	failure error           // the last one
	failed  int             // tries
	wrote   bool            // one by one: something with deliveries
	refused []*expanded     // in order, with what waits behind them
	held    map[record]bool // the records of refused
}

// writeAll writes the expansions of all events as they are made: one event with slow
// conditions does not hold up those before it. An error says that some are not written.
func (w *pageWriter) writeAll(ctx context.Context, events []*pendingEvent) error {
	for _, e := range events {
		w.last = e.sequence
		x := new(expanded)
		select {
		case x.Expansion = <-e.made:
		default:
			w.flush(ctx)
			select {
			case x.Expansion = <-e.made:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		if e.event != nil {
			x.about = record{e.scope, e.event.Record().ID}
		}
		w.add(ctx, x)
	}
	w.flush(ctx)
	return w.finish(ctx)
}

// add writes an expansion, now or with the next ones.
func (w *pageWriter) add(ctx context.Context, x *expanded) {
	if w.left.has(x.Sequence) {
		w.parkLater(ctx, x)
		return
	}
	rows := len(x.Targets) + len(x.Failures)
	bytes := len(x.Messages[webhook.MethodJSON]) + len(x.Messages[webhook.MethodXML])
	if w.rows+rows > fanOutRows || w.bytes+bytes > fanOutMessages {
		w.flush(ctx)
	}
	if w.failure != nil {
		w.try(ctx, x)
		return
	}
	w.batch = append(w.batch, x)
	w.rows += rows
	w.bytes += bytes
}

// flush writes the batch, one by one when it is refused as a whole.
func (w *pageWriter) flush(ctx context.Context) {
	batch := w.batch
	if len(batch) == 0 {
		return
	}
	w.batch, w.rows, w.bytes = nil, 0, 0
	expansions := make([]webhook.Expansion, len(batch))
	for i, x := range batch {
		expansions[i] = x.Expansion
	}
	if w.failure = w.putAndClaim(ctx, expansions); w.failure == nil {
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
	written := false
	p := &w.slots.answering
	worker, claimed, err := w.claim(p, func(r webhook.ClaimRequest) ([]webhook.Claimed, error) {
		written = true
		return store.FanOutAndClaim(ctx, expansions, r)
	})
	switch {
	case !written: // there is no room
		return w.put(ctx, expansions...)
	case errors.Is(err, webhook.ErrFenced):
		w.fenced(ctx, worker)
		return w.put(ctx, expansions...)
	case err != nil:
		// What it may have claimed is handed back when this worker leaves.
		w.join(ctx, worker)
		return err
	}
	w.startAll(ctx, p, worker, claimed)
	open := 0
	for i := range expansions {
		for j := range expansions[i].Targets {
			if expansions[i].Targets[j].Dead == "" {
				open++
			}
		}
	}
	if open > len(claimed) {
		w.ready.raise()
	}
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

// try writes an expansion by itself, unless one about the same record waits before it.
func (w *pageWriter) try(ctx context.Context, x *expanded) {
	if w.held[x.about] || ctx.Err() != nil || !w.wrote && w.failed >= blindTries {
		w.hold(x)
		return
	}
	x.tries++
	if err := w.put(ctx, x.Expansion); err != nil {
		w.failure = err
		w.failed++
		w.hold(x)
		return
	}
	w.wrote = w.wrote || len(x.Targets) > 0
}

// hold keeps an expansion for another try, and those about the same record behind it.
func (w *pageWriter) hold(x *expanded) {
	w.refused = append(w.refused, x)
	if x.about != (record{}) {
		w.held[x.about] = true
	}
}

// finish tries again what was refused, and parks what is refused again and again. What
// waited behind that is left to the next reading of the outbox.
func (w *pageWriter) finish(ctx context.Context) error {
	for try := 1; try < refusals && len(w.refused) > 0; try++ {
		if !sleep(ctx, refusalPause) {
			return ctx.Err()
		}
		w.tryAgain(ctx)
	}
	w.parkRefused(ctx)
	if len(w.refused) == 0 || w.wrote {
		w.stuckSince = time.Time{}
	} else if w.stuckSince.IsZero() {
		w.stuckSince = time.Now()
	}
	if len(w.refused) == 0 {
		w.left.advance(w.last)
		return nil
	}
	w.left.advance(w.refused[0].Sequence - 1)
	return fmt.Errorf("%d events are not written: %w", len(w.refused), w.failure)
}

// tryAgain tries what was refused; only the first of it while nothing is written.
func (w *pageWriter) tryAgain(ctx context.Context) {
	refused := w.refused
	w.refused, w.failed = nil, 0
	clear(w.held)
	for i, x := range refused {
		if i > 0 && !w.wrote {
			w.hold(x)
			continue
		}
		w.try(ctx, x)
	}
}
