package dispatch

import (
	"context"
	"errors"
	"time"

	"github.com/ringback-dev/ringback/webhook"
)

// renewShare is the part of its time that renewLoop may take where callbacks are changed
// all the time: one of so many. It rests for renewRest at most, as after a store that was
// away: what waits in hand would be sent before it follows a change.
const (
	renewShare = 10
	renewRest  = 50 * time.Millisecond
)

// renewLoop lets what waits in hand follow the changes of its callback: to its new URL,
// with its new secret, and nowhere once it is disabled or gone.
func (r *run) renewLoop(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-r.changed:
		}
		began := time.Now()
		for _, callback := range r.slots.awaited() {
			r.persist(ctx, "reading a callback", func() error { return r.renew(ctx, callback) })
		}
		sleep(ctx, min((renewShare-1)*time.Since(began), renewRest))
	}
}

// renew lets what waits for a callback follow its changes.
func (r *run) renew(ctx context.Context, callback string) error {
	to, err := r.store.Callback(ctx, callback)
	switch {
	case err == nil && to.State == webhook.StateActive && !to.Health.Paused(time.Now()):
		r.slots.renew(callback, &to)
	case err == nil, errors.Is(err, webhook.ErrNotFound), errors.Is(err, webhook.ErrDamaged):
		for _, j := range r.slots.withdraw(callback) { // the store knows what becomes of it
			r.giveBack(j)
		}
	default:
		return err
	}
	return nil
}

// registryChanged takes notice of a change of callbacks.
func (r *run) registryChanged() {
	r.changes.Add(1)
	r.changed.raise()
}
