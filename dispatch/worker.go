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
	// claiming counts the claims that are under way: they may have got something already.
	claiming map[webhook.Worker]int
	inHand   map[webhook.Worker]int // deliveries
}

// over reports whether a worker is done with: it is a former one that has nothing in hand,
// and nothing to come. It is called with mu held.
func (i *identity) over(w webhook.Worker) bool {
	return w != 0 && w != i.current && i.claiming[w]+i.inHand[w] == 0
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
		over := r.identity.over(stale)
		r.identity.mu.Unlock()
		if over {
			r.leave(ctx, stale)
		}
		return nil
	})
}

// beginClaim returns the worker that is to claim. It does not leave before endClaim: what
// it is just being given would be handed back, and go out twice.
func (r *run) beginClaim() webhook.Worker {
	r.identity.mu.Lock()
	defer r.identity.mu.Unlock()
	r.identity.claiming[r.identity.current]++
	return r.identity.current
}

func (r *run) endClaim(ctx context.Context, w webhook.Worker) {
	r.identity.mu.Lock()
	if r.identity.claiming[w]--; r.identity.claiming[w] == 0 {
		delete(r.identity.claiming, w)
	}
	over := r.identity.over(w)
	r.identity.mu.Unlock()
	if over {
		r.leave(ctx, w)
	}
}

// hold counts deliveries that a worker has in hand.
func (r *run) hold(w webhook.Worker, deliveries int) {
	r.identity.mu.Lock()
	defer r.identity.mu.Unlock()
	r.identity.inHand[w] += deliveries
}

// drop is the end of hold. A worker that the run no longer is, and that has nothing in
// hand any more, leaves the queue.
func (r *run) drop(ctx context.Context, w webhook.Worker, deliveries int) {
	r.identity.mu.Lock()
	r.identity.inHand[w] -= deliveries
	if r.identity.inHand[w] == 0 {
		delete(r.identity.inHand, w)
	}
	over := r.identity.over(w)
	r.identity.mu.Unlock()
	if over {
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
