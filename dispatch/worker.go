package dispatch

import (
	"context"
	"sync"

	"github.com/ringback-dev/ringback/webhook"
)

// An identity is the worker that a run is. A run becomes another worker when it was
// declared dead, and when it can't know what a claim that failed has claimed; it still
// settles, in the old one's name, what that had in hand.
type identity struct {
	joining chan struct{} // holds a token while joining, so that a run joins once

	mu      sync.Mutex
	current webhook.Worker
	inHand  map[webhook.Worker]int // deliveries
}

// me returns the worker that the run is now.
func (r *run) me() webhook.Worker {
	r.identity.mu.Lock()
	defer r.identity.mu.Unlock()
	return r.identity.current
}

// workers returns those in whose name something is in hand, and the current one.
func (r *run) workers() map[webhook.Worker]bool {
	r.identity.mu.Lock()
	defer r.identity.mu.Unlock()
	workers := map[webhook.Worker]bool{r.identity.current: false}
	for w := range r.identity.inHand {
		workers[w] = true
	}
	return workers
}

// join registers the run as a worker, unless it is another one than stale by now. It
// reports false when ctx ended first.
func (r *run) join(ctx context.Context, stale webhook.Worker) bool {
	select {
	case r.identity.joining <- struct{}{}:
		defer func() { <-r.identity.joining }()
	case <-ctx.Done():
		return false
	}
	if r.me() != stale {
		return true
	}
	return r.persist(ctx, "joining the queue", func() error {
		w, err := r.store.Join(ctx)
		if err != nil {
			return err
		}
		r.identity.mu.Lock()
		r.identity.current = w
		empty := r.identity.inHand[stale] == 0
		r.identity.mu.Unlock()
		if empty && stale != 0 {
			r.leave(ctx, stale)
		}
		return nil
	})
}

// hold counts a delivery that a worker has in hand.
func (r *run) hold(w webhook.Worker) {
	r.identity.mu.Lock()
	defer r.identity.mu.Unlock()
	r.identity.inHand[w]++
}

// drop is the end of hold. A worker that the run no longer is, and that has nothing in
// hand any more, leaves the queue.
func (r *run) drop(ctx context.Context, w webhook.Worker) {
	r.identity.mu.Lock()
	r.identity.inHand[w]--
	empty := r.identity.inHand[w] == 0
	if empty {
		delete(r.identity.inHand, w)
	}
	former := w != r.identity.current
	r.identity.mu.Unlock()
	if empty && former {
		r.leave(ctx, w)
	}
}

// leave hands back what a worker has claimed and not settled.
func (r *run) leave(ctx context.Context, w webhook.Worker) {
	if err := r.store.Leave(ctx, w); err != nil {
		// It stands still from now on, so another worker will find it dead.
		r.log.Error("dispatch: leaving the queue failed", "error", err)
	}
}
