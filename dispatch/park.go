package dispatch

import (
	"context"
	"slices"
	"time"

	"github.com/ringback-dev/ringback/webhook"
)

// Why a delivery was born dead, as its callback's owner reads it.
const (
	reasonDamaged = "the event was damaged where it is kept, so there is no message to send"
	reasonPanic   = "a mistake in the sender's program kept the event from being made into a message"
	reasonRefused = "the delivery could not be stored, so it was not sent"
)

// stuckTime is how long it must not have been possible to park an event for it to be
// parked without its messages though nothing shows that the store has room for them: what
// is about the same record waits behind it.
const stuckTime = time.Hour

// dead returns an expansion of dead deliveries, without messages, to all listeners that
// may hear of the event: conditions can't be asked.
func (e *pendingEvent) dead(reason string) webhook.Expansion {
	x := webhook.Expansion{Sequence: e.sequence}
	for i := range e.listeners {
		if l := &e.listeners[i]; l.hears(e.sequence, e.action) {
			x.Targets = append(x.Targets, webhook.Target{
				Callback: l.ID, Method: l.Method, Encoding: l.Encoding, Dead: reason,
			})
		}
	}
	return x
}

// dead returns an expansion of dead deliveries, without messages.
func (m *match) dead(sequence int64, reason string) webhook.Expansion {
	for i := range m.targets {
		m.targets[i].Dead = reason
	}
	return webhook.Expansion{Sequence: sequence, Targets: m.targets, Failures: m.failures}
}

// dead returns the expansion with its deliveries dead, and without what the store may
// have refused.
func (x *expanded) dead(messages bool) webhook.Expansion {
	dead := webhook.Expansion{Sequence: x.Sequence, Targets: slices.Clone(x.Targets)}
	if messages {
		dead.Messages = x.Messages
	}
	for i := range dead.Targets {
		if t := &dead.Targets[i]; t.Dead == "" {
			t.Dead = reasonRefused
		}
	}
	return dead
}

// parkRefused parks what was refused again and again.
func (w *pageWriter) parkRefused(ctx context.Context) {
	refused := w.refused
	w.refused = nil
	for i, x := range refused {
		if ctx.Err() != nil || i > 0 && !w.wrote {
			w.refused = append(w.refused, refused[i:]...)
			return
		}
		if x.tries < refusals || !w.park(ctx, x) {
			w.refused = append(w.refused, x)
		}
	}
}

// park takes an expansion that the store refuses out of the way of the others.
func (w *pageWriter) park(ctx context.Context, x *expanded) (done bool) {
	why := w.failure
	if err := w.putDead(ctx, x); err != nil {
		w.failure = err
		if !w.wrote || !w.left.strike(x.Sequence, time.Now()) {
			return false
		}
		w.log.Error("dispatch: the store refuses an event, it is left behind", "sequence", x.Sequence, "error", err)
		return true
	}
	w.log.Error("dispatch: the store refuses an event, its deliveries are dead", "sequence", x.Sequence, "error", why)
	return true
}

// putDead writes an expansion with its deliveries dead. With its messages it can be
// replayed; without, its content is lost: that is not risked while the store may just be
// short of space.
func (w *pageWriter) putDead(ctx context.Context, x *expanded) error {
	refusedFor, size := w.left.refused(x.Sequence, time.Now()), x.size
	err := w.put(ctx, x.dead(true))
	if err != nil && (w.wrote && w.largest >= size || refusedFor >= stuckTime) {
		size = 0
		err = w.put(ctx, x.dead(false))
	}
	if err == nil {
		w.written(x, size)
	}
	return err
}

// parkLater parks an event that was left behind. Later ones about its record may be
// delivered by now, so it is not to be sent any more.
func (w *pageWriter) parkLater(ctx context.Context, x *expanded) {
	if w.putDead(ctx, x) != nil {
		return // until the next time
	}
	w.left.done(x.Sequence)
	w.log.Info("dispatch: an event that was left behind is written, its deliveries are dead", "sequence", x.Sequence)
}
