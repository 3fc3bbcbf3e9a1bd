package dispatch

import (
	"context"
	"errors"
	"time"

	"github.com/ringback-dev/ringback/webhook"
)

const (
	// beatInterval is how often a worker that holds claims moves its counter.
	beatInterval = 2 * time.Second

	// deadAfter is how long a worker's counter must stand still, by the clock of
	// the one who looks, before it is declared dead. Clocks are never compared.
	deadAfter = 8 * time.Second
)

// join registers the run as a worker.
func (r *run) join(ctx context.Context) bool {
	return r.persist(ctx, "joining the queue", func() error {
		id, err := r.store.Join(ctx)
		if err != nil {
			return err
		}
		r.worker.Lock()
		defer r.worker.Unlock()
		r.worker.id = id
		return nil
	})
}

// me returns the worker that the run is now.
func (r *run) me() webhook.Worker {
	r.worker.Lock()
	defer r.worker.Unlock()
	return r.worker.id
}

// fenced is called when the store has refused a worker: another one declared it
// dead. The run goes on as a new worker.
func (r *run) fenced(ctx context.Context, w webhook.Worker) {
	r.worker.Lock()
	stale := r.worker.id == w
	r.worker.Unlock()
	if stale {
		r.log.Warn("dispatch: worker was declared dead, going on as a new one", "worker", w)
		r.join(ctx)
	}
}

// leave hands back what the run has claimed and not settled.
func (r *run) leave(ctx context.Context) {
	if err := r.store.Leave(ctx, r.me()); err != nil {
		// Another worker will find it dead.
		r.log.Error("dispatch: leaving the queue failed", "error", err)
	}
}

// beatLoop shows that the worker is alive, while it holds anything that others could
// be waiting for.
func (r *run) beatLoop(ctx context.Context) {
	for sleep(ctx, beatInterval) {
		if r.slots.busy() {
			r.beat(ctx)
		}
	}
}

func (r *run) beat(ctx context.Context) {
	w := r.me()
	switch err := r.store.Beat(ctx, w); {
	case errors.Is(err, webhook.ErrFenced):
		r.fenced(ctx, w)
	case err != nil && ctx.Err() == nil:
		r.log.Error("dispatch: showing life failed", "error", err)
	}
}

// takeOverLoop declares workers dead whose counter stands still, so that what they had
// claimed is delivered by others.
func (r *run) takeOverLoop(ctx context.Context) {
	type sight struct {
		beat  int64
		since time.Time // with its monotonic reading
	}
	seen := make(map[webhook.Worker]sight)
	for {
		workers, err := r.store.Workers(ctx)
		if err != nil && ctx.Err() == nil {
			r.log.Error("dispatch: looking at the other workers failed", "error", err)
		}
		now := time.Now()
		last := seen
		seen = make(map[webhook.Worker]sight, len(workers))
		for _, w := range workers {
			if w.Worker == r.me() {
				continue
			}
			s, known := last[w.Worker]
			if !known || s.beat != w.Beat {
				s = sight{w.Beat, now}
			}
			seen[w.Worker] = s
			if now.Sub(s.since) >= deadAfter {
				r.retire(ctx, w)
			}
		}
		if err != nil {
			seen = last
		}
		if !sleep(ctx, pollInterval/2) {
			return
		}
	}
}

func (r *run) retire(ctx context.Context, w webhook.WorkerBeat) {
	retired, err := r.store.Retire(ctx, w)
	if err != nil {
		if ctx.Err() == nil {
			r.log.Error("dispatch: taking over from a dead worker failed", "worker", w.Worker, "error", err)
		}
		return
	}
	if retired {
		r.log.Info("dispatch: took over from a worker that showed no life", "worker", w.Worker)
		r.ready.raise()
	}
}
