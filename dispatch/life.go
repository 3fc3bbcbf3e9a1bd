package dispatch

import (
	"context"
	"errors"
	"time"

	"github.com/ringback-dev/ringback/webhook"
)

const (
	// beatInterval is how often a worker that holds claims moves its counter, and
	// idleBeatInterval how often one that holds none.
	beatInterval     = 2 * time.Second
	idleBeatInterval = 15 * time.Minute

	// deadAfter is how long the counter of a worker that holds claims must stand
	// still, by the clock of the one who looks, before it is declared dead; goneAfter
	// is the same for one that holds none, for which nobody waits. Clocks are never
	// compared.
	deadAfter = 8 * time.Second
	goneAfter = time.Hour

	// lookInterval is how often a worker looks at the others. When two looks are more
	// than maxBlink apart (the store was away, or this process was stopped), it can't
	// say what happened meanwhile, and begins anew.
	lookInterval = 500 * time.Millisecond
	maxBlink     = 2 * time.Second
)

// beatLoop shows that the run's workers are alive.
func (r *run) beatLoop(ctx context.Context) {
	trouble := trouble{log: r.log, doing: "showing life"}
	last := time.Now()
	pause := beatInterval
	for sleep(ctx, pause) {
		pause = beatInterval
		idle := time.Since(last) < idleBeatInterval
		for w, holds := range r.workers() {
			if !holds && idle {
				continue
			}
			err := r.store.Beat(ctx, w)
			if errors.Is(err, webhook.ErrFenced) {
				r.fenced(ctx, w)
				err = nil
			}
			if ctx.Err() == nil {
				trouble.note(err)
			}
			if err != nil {
				pause = lookInterval // others wonder already
			}
			last = time.Now()
		}
	}
}

// fenced is called when the store has refused a worker: another one declared it
// dead. The run goes on as a new worker.
func (r *run) fenced(ctx context.Context, w webhook.Worker) {
	if w == r.me() {
		r.log.Warn("dispatch: worker was declared dead, going on as a new one", "worker", w)
		r.join(ctx, w)
	}
}

// A sight is when a worker's counter was first seen where it stands.
type sight struct {
	webhook.WorkerBeat
	since time.Time // with its monotonic reading
}

// takeOverLoop declares workers dead whose counter stands still, so that what they had
// claimed is delivered by others.
func (r *run) takeOverLoop(ctx context.Context) {
	trouble := trouble{log: r.log, doing: "looking after the other workers"}
	var seen map[webhook.Worker]sight
	var looked time.Time
	for {
		workers, err := r.store.Workers(ctx)
		now := time.Now()
		if err != nil || now.Sub(looked) > maxBlink { // the answer may have taken long too
			seen = nil
		}
		looked = now
		if err == nil {
			seen = r.look(workers, seen, now)
			if err = r.retire(ctx, seen, now); err != nil {
				seen = nil // where nobody can write, nobody can show life
			}
		}
		if ctx.Err() == nil {
			trouble.note(err)
		}
		if !sleep(ctx, lookInterval) {
			return
		}
	}
}

// look compares the workers with what was seen of them before.
func (r *run) look(workers []webhook.WorkerBeat, before map[webhook.Worker]sight, now time.Time) map[webhook.Worker]sight {
	own := r.workers()
	seen := make(map[webhook.Worker]sight, len(workers))
	for _, w := range workers {
		if _, ok := own[w.Worker]; ok {
			continue
		}
		s, known := before[w.Worker]
		if !known || s.WorkerBeat != w {
			s = sight{w, now}
		}
		seen[w.Worker] = s
	}
	return seen
}

// retire declares those dead that have stood still for too long.
func (r *run) retire(ctx context.Context, seen map[webhook.Worker]sight, now time.Time) error {
	var failures []error
	for _, s := range seen {
		patience := goneAfter
		if s.Holds {
			patience = deadAfter
		}
		if now.Sub(s.since) < patience {
			continue
		}
		retired, err := r.store.Retire(ctx, s.WorkerBeat)
		failures = append(failures, err)
		if retired {
			r.log.Info("dispatch: took over from a worker that showed no life", "worker", s.Worker)
			r.ready.raise()
		}
	}
	return errors.Join(failures...)
}
