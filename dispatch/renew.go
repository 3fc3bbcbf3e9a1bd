package dispatch

import (
	"context"
	"errors"
	"time"

	"github.com/ringback-dev/ringback/webhook"
)

// renewPause lies between two looks at callbacks, which may be changed all the time.
const renewPause = 20 * time.Millisecond

// renewLoop lets what waits in hand follow the changes of its callback: to its new URL,
// with its new secret, and nowhere once it is disabled or gone.
func (r *run) renewLoop(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-r.changed:
		}
		for _, callback := range r.slots.awaited() {
			r.persist(ctx, "reading a callback", func() error { return r.renew(ctx, callback) })
		}
		sleep(ctx, renewPause)
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
