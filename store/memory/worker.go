package memory

import (
	"context"
	"slices"

	"github.com/ringback-dev/ringback/webhook"
)

// A worker is a registered worker.
type worker struct {
	beat   int64
	claims []*delivery // each knows its index
}

// take gives the worker a delivery, drop takes one back.
func (w *worker) take(d *delivery) {
	d.worker, d.index = w, len(w.claims)
	w.claims = append(w.claims, d)
}

func (w *worker) drop(d *delivery) {
	last := len(w.claims) - 1
	moved := w.claims[last]
	moved.index = d.index
	w.claims[d.index] = moved
	w.claims[last] = nil
	w.claims = w.claims[:last]
	d.worker = nil
}

// Join implements [webhook.Queue].
func (s *Store) Join(ctx context.Context) (webhook.Worker, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lastWorker++
	s.workers[s.lastWorker] = new(worker)
	return s.lastWorker, nil
}

// Beat implements [webhook.Queue].
func (s *Store) Beat(ctx context.Context, number webhook.Worker) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	w := s.workers[number]
	if w == nil {
		return webhook.ErrFenced
	}
	w.beat++
	return nil
}

// Workers implements [webhook.Queue].
func (s *Store) Workers(ctx context.Context) ([]webhook.WorkerBeat, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	beats := make([]webhook.WorkerBeat, 0, len(s.workers))
	for number, w := range s.workers {
		beats = append(beats, webhook.WorkerBeat{Worker: number, Beat: w.beat, Holds: len(w.claims) > 0})
	}
	return beats, nil
}

// Retire implements [webhook.Queue].
func (s *Store) Retire(ctx context.Context, seen webhook.WorkerBeat) (bool, error) {
	if err := ctx.Err(); err != nil {
		return false, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	w := s.workers[seen.Worker]
	if w == nil || w.beat != seen.Beat {
		return false, nil
	}
	for _, d := range w.claims {
		d.due = 0
	}
	s.dismiss(seen.Worker, w)
	return true, nil
}

// Leave implements [webhook.Queue].
func (s *Store) Leave(ctx context.Context, number webhook.Worker) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if w := s.workers[number]; w != nil {
		s.dismiss(number, w)
	}
	return nil
}

// dismiss removes a worker and hands back its claims.
func (s *Store) dismiss(number webhook.Worker, w *worker) {
	for _, d := range slices.Clone(w.claims) {
		s.release(d, false)
	}
	delete(s.workers, number)
}
