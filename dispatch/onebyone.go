package dispatch

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ringback-dev/ringback/webhook"
)

const (
	// refusals is how many times in a row an expansion must be refused by itself to be
	// given up, and refusalPause what lies between two of them: a store that fails at
	// random, even every third time, loses nothing by it.
	refusals     = 10
	refusalPause = 70 * time.Millisecond

	// blindTries is how many expansions are tried one by one while none is written:
	// most likely the store is away.
	blindTries = 32
)

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
	w.written(x, x.size)
}

// written takes notice that an expansion was written by itself, with so many bytes of
// messages.
func (w *pageWriter) written(x *expanded, size int) {
	if len(x.Targets) > 0 {
		w.wrote = true
		w.largest = max(w.largest, size)
	}
}

// hold keeps an expansion for another try, and those about the same record behind it.
func (w *pageWriter) hold(x *expanded) {
	w.refused = append(w.refused, x)
	if x.about != (record{}) {
		w.held[x.about] = true
	}
}

// finish tries again what was refused, and parks what is refused again and again. What
// waited behind that is left to the next reading of the outbox. Where the store takes not
// even a beat it is away or busy, and what it does not take says nothing of itself.
func (w *pageWriter) finish(ctx context.Context) error {
	for try := 1; try < refusals && len(w.refused) > 0; try++ {
		if !sleep(ctx, refusalPause) {
			return ctx.Err()
		}
		if err := w.store.Beat(ctx, w.me()); err == nil || errors.Is(err, webhook.ErrFenced) {
			w.tryAgain(ctx)
		}
	}
	w.parkRefused(ctx)
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
