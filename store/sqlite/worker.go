package sqlite

import (
	"context"
	"time"

	"github.com/ringback-dev/ringback/webhook"
)

const (
	selectWorker = "SELECT EXISTS (SELECT 1 FROM ringback_holders WHERE id = ?)"
	beatWorker   = "UPDATE ringback_holders SET beat = beat + 1 WHERE id = ?"

	selectWorkers = `SELECT id, beat, EXISTS (
		SELECT 1 FROM ringback_deliveries INDEXED BY ringback_deliveries_worker
		WHERE worker = ringback_holders.id AND worker > 0 AND ` + visible + `)
		OR EXISTS (SELECT 1 FROM ringback_held WHERE worker = ringback_holders.id)
	FROM ringback_holders ORDER BY id`

	// What a worker held of callbacks that are disabled does not become ready again.
	endClaims = `UPDATE ringback_deliveries INDEXED BY ringback_deliveries_worker
	SET state = ` + dead + `, due = 0, worker = 0, ended = ?2,
		reason = (SELECT reason FROM ringback_callbacks WHERE id = callback_id)
	WHERE worker = ?1 AND worker > 0
		AND (SELECT state FROM ringback_callbacks WHERE id = callback_id) = 'disabled'`

	retireClaims = `UPDATE ringback_deliveries INDEXED BY ringback_deliveries_worker
	SET state = ` + ready + `, due = 0, worker = 0 WHERE worker = ? AND worker > 0`

	leaveClaims = `UPDATE ringback_deliveries INDEXED BY ringback_deliveries_worker
	SET state = CASE due WHEN 0 THEN ` + ready + ` ELSE ` + scheduled + ` END, worker = 0
	WHERE worker = ? AND worker > 0`
)

// fence refuses a worker that is not registered.
func (t tx) fence(w webhook.Worker) error {
	var registered bool
	err := t.row(selectWorker, int64(w)).Scan(&registered)
	if err == nil && !registered {
		err = webhook.ErrFenced
	}
	return err
}

// beat moves a worker's counter on, or refuses it.
func (t tx) beat(w webhook.Worker) error {
	moved, err := t.exec(beatWorker, int64(w))
	if err == nil && moved == 0 {
		err = webhook.ErrFenced
	}
	return err
}

// Join implements [webhook.Queue].
func (s *Store) Join(ctx context.Context) (w webhook.Worker, err error) {
	err = s.writeBesideHeld(ctx, "join", 1, func(tx tx) error {
		return tx.row("INSERT INTO ringback_holders DEFAULT VALUES RETURNING id").Scan(&w)
	})
	return w, err
}

// Beat implements [webhook.Queue].
func (s *Store) Beat(ctx context.Context, w webhook.Worker) error {
	return s.writeBesideHeld(ctx, "beat", 1, func(tx tx) error { return tx.beat(w) })
}

// Workers implements [webhook.Queue].
func (s *Store) Workers(ctx context.Context) (workers []webhook.WorkerBeat, err error) {
	err = s.urgent.read(ctx, "workers", func(tx tx) error {
		return tx.rows(func(row scanner) error {
			var w webhook.WorkerBeat
			err := row.Scan(&w.Worker, &w.Beat, &w.Holds)
			workers = append(workers, w)
			return err
		}, selectWorkers)
	})
	return workers, err
}

// Retire implements [webhook.Queue].
func (s *Store) Retire(ctx context.Context, w webhook.WorkerBeat) (retired bool, err error) {
	err = s.write(ctx, "retire", stepSize, func(tx tx) error {
		retired = false
		ended, err := tx.exec("DELETE FROM ringback_holders WHERE id = ? AND beat = ?", int64(w.Worker), w.Beat)
		if err != nil || ended == 0 {
			return err
		}
		retired = true
		return tx.giveBack(w.Worker, retireClaims)
	})
	if err != nil {
		return false, err
	}
	s.bell.ring()
	return retired, nil
}

// giveBack gives back what a worker has claimed.
func (t tx) giveBack(w webhook.Worker, statement string) error {
	if err := t.run(endClaims, int64(w), millis(time.Now())); err != nil {
		return err
	}
	return t.run(statement, int64(w))
}

// Leave implements [webhook.Queue].
func (s *Store) Leave(ctx context.Context, w webhook.Worker) error {
	err := s.write(ctx, "leave", stepSize, func(tx tx) error {
		ended, err := tx.exec("DELETE FROM ringback_holders WHERE id = ?", int64(w))
		if err != nil || ended == 0 {
			return err
		}
		return tx.giveBack(w, leaveClaims)
	})
	if err == nil {
		s.bell.ring()
	}
	return err
}
