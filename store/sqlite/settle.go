package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/ringback-dev/ringback/webhook"
)

const (
	// ?8 is the number of the attempt, NULL for none.
	settleDelivery = `UPDATE ringback_deliveries
	SET state = CAST(?4 AS INTEGER), due = ?5, ended = ?6, reason = ?7, attempts = coalesce(?8, attempts), worker = 0
	WHERE event_sequence = ?1 AND callback_id = ?2 AND state = ` + claimed + ` AND worker = ?3
		AND attempts = coalesce(?8 - 1, attempts)
	RETURNING lane`

	insertAttempt = `INSERT INTO ringback_attempts
	(event_sequence, callback_id, number, began, duration, status, error, answer)
	VALUES (?, ?, ?, ?, ?, ?, ?, ?)`

	// The first that is open is the successor of the one that ended.
	readySuccessor = `UPDATE ringback_deliveries SET state = ` + ready + `, due = 0
	WHERE callback_id = ?1 AND state = ` + waiting + ` AND event_sequence = (
		SELECT min(event_sequence) FROM ringback_deliveries INDEXED BY ringback_deliveries_open
		WHERE callback_id = ?1 AND lane = ?2 AND ended = 0)`
)

// Settle implements [webhook.Queue].
func (s *Store) Settle(ctx context.Context, w webhook.Worker, outcomes []webhook.Outcome) error {
	err := s.write(ctx, "settle", func(tx tx) error {
		if err := tx.fence(w); err != nil {
			return err
		}
		now := millis(time.Now())
		for _, o := range outcomes {
			if err := tx.settle(w, o, now); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil && len(outcomes) > 0 {
		s.bell.ring()
	}
	return err
}

// settle records the outcome of a delivery that is claimed by the worker.
func (t tx) settle(w webhook.Worker, o webhook.Outcome, now int64) error {
	state, due, ended, reason := delivered, int64(0), now, ""
	switch o.State {
	case webhook.DeliveryDelivered:
	case webhook.DeliveryDead:
		state, reason = dead, o.Reason
	case webhook.DeliveryReady:
		state, due, ended = ready, millis(o.Due), 0
		if due != 0 {
			state = scheduled
		}
	default:
		return webhook.Invalid("state", "is %q, a claimed delivery becomes delivered, dead or ready", o.State)
	}
	var number sql.NullInt64
	if o.Attempt != nil {
		number = sql.NullInt64{Int64: int64(o.Attempt.Number), Valid: true}
	}
	callback := callbackNumber(o.Callback)
	var lane int64
	err := t.row(settleDelivery, o.Sequence, callback, int64(w), state, due, ended, reason, number).Scan(&lane)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return err
	}
	if a := o.Attempt; a != nil {
		_, err := t.exec(insertAttempt, o.Sequence, callback, a.Number,
			millis(a.Time), int64(a.Duration), a.Status, a.Error, a.Answer)
		if err != nil {
			return err
		}
	}
	if o.State.Ended() {
		_, err = t.exec(readySuccessor, callback, lane)
	}
	return err
}
