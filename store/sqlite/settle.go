package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/ringback-dev/ringback/webhook"
)

const (
	// ?4 is the number of the attempt, NULL for none. It is looked for and then changed,
	// in a transaction, because RETURNING would take 3 µs longer.
	selectClaimed = `SELECT lane, track FROM ringback_deliveries
	WHERE event_sequence = ?1 AND callback_id = ?2 AND state = ` + claimed + ` AND worker = ?3
		AND attempts = coalesce(?4 - 1, attempts)`

	// ?7 is the number of the attempt and ?8 when it began, NULL for none.
	settleDelivery = `UPDATE ringback_deliveries
	SET state = CAST(?3 AS INTEGER), due = ?4, ended = ?5, reason = ?6, attempts = coalesce(?7, attempts),
		began = coalesce(?8, began), worker = 0
	WHERE event_sequence = ?1 AND callback_id = ?2`

	insertAttempt = `INSERT INTO ringback_attempts
	(event_sequence, callback_id, number, began, duration, status, error, answer)
	VALUES (?, ?, ?, ?, ?, ?, ?, ?)`

	forgetAttempts = `DELETE FROM ringback_attempts
	WHERE event_sequence = ?1 AND callback_id = ?2 AND number <= ?3`

	passDelivery = `UPDATE ringback_deliveries SET track = track | ` + passed + `
	WHERE event_sequence = ?1 AND callback_id = ?2`

	// The first that is open, and was not passed, is the successor of the one that ended
	// or was passed: for no other delivery may it be asked.
	readySuccessor = `UPDATE ringback_deliveries SET state = ` + ready + `, due = 0
	WHERE callback_id = ` + int1 + ` AND state = ` + waiting + ` AND event_sequence = (
		SELECT min(event_sequence) FROM ringback_deliveries INDEXED BY ringback_deliveries_open
		WHERE callback_id = ` + int1 + ` AND lane = ` + int2 + ` AND track = ` + int3 + ` AND ended = 0)`
)

// Settle implements [webhook.Queue].
func (s *Store) Settle(ctx context.Context, w webhook.Worker, outcomes []webhook.Outcome) ([]webhook.Callback, error) {
	var disabled []webhook.Callback
	err := s.write(ctx, "settle", len(outcomes), func(tx tx) error {
		if err := tx.fence(w); err != nil {
			return err
		}
		batch := settlement{tx: tx, worker: w, now: millis(time.Now()), accounts: make(map[int64]*account)}
		for _, o := range outcomes {
			if err := batch.settle(o); err != nil {
				return err
			}
		}
		var err error
		disabled, err = batch.close()
		return err
	})
	if err != nil {
		return nil, err
	}
	if len(outcomes) > 0 {
		s.bell.ring()
	}
	return disabled, nil
}

// A settlement is a Settle under way.
type settlement struct {
	tx       tx
	worker   webhook.Worker
	now      int64
	accounts map[int64]*account
	order    []*account
}

// settle records the outcome of a delivery that is claimed by the worker.
func (b *settlement) settle(o webhook.Outcome) error {
	a := b.account(callbackNumber(o.Callback))
	state, due, ended, reason := delivered, int64(0), b.now, ""
	switch o.State {
	case webhook.DeliveryDelivered:
	case webhook.DeliveryDead:
		state, reason = dead, o.Reason
	case webhook.DeliveryReady:
		if err := b.look(a); err != nil {
			return err
		}
		if a.disabled {
			state, reason = dead, a.reason
			break
		}
		state, due, ended = ready, millis(o.Due), 0
		if due != 0 {
			state = scheduled
		}
	default:
		return webhook.Invalid("state", "is %q, a claimed delivery becomes delivered, dead or ready", o.State)
	}
	var number, began any
	if o.Attempt != nil {
		number, began = o.Attempt.Number, millis(o.Attempt.Time)
	}
	var lane, track int64
	err := b.tx.row(selectClaimed, o.Sequence, a.callback, int64(b.worker), number).Scan(&lane, &track)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := b.tx.run(settleDelivery, o.Sequence, a.callback, state, due, ended, reason, number, began); err != nil {
		return err
	}
	if at := o.Attempt; at != nil {
		err := b.tx.run(insertAttempt, o.Sequence, a.callback, at.Number,
			millis(at.Time), int64(at.Duration), at.Status, at.Error, at.Answer)
		if err == nil && at.Number > webhook.MaxAttempts {
			err = b.tx.run(forgetAttempts, o.Sequence, a.callback, at.Number-webhook.MaxAttempts)
		}
		if err != nil {
			return err
		}
	}
	if err := b.note(a, o); err != nil {
		return err
	}
	return b.tx.makeWay(o, a, lane, track, ended != 0)
}

// makeWay lets the later deliveries about a record go on when one has ended, or is to
// be passed.
func (t tx) makeWay(o webhook.Outcome, a *account, lane, track int64, ended bool) error {
	if track&1 != 0 {
		return nil // they do not wait for it
	}
	if !ended {
		if !o.Pass || a.disabled {
			return nil
		}
		if err := t.run(passDelivery, o.Sequence, a.callback); err != nil {
			return err
		}
	}
	return t.run(readySuccessor, a.callback, lane, track)
}

// close writes what the batch means to the callbacks, and returns those that it has
// disabled.
func (b *settlement) close() (disabled []webhook.Callback, err error) {
	left := stepSize
	for _, a := range b.order {
		if err := b.tx.addHealth(a.callback, a.health); err != nil {
			return nil, err
		}
		if !a.ends {
			continue
		}
		if _, err := b.tx.exec(disableCallback, a.callback, a.reason, b.now); err != nil {
			return nil, err
		}
		ended, err := b.tx.beginEnding(a.callback, left)
		if err != nil {
			return nil, err
		}
		left -= ended
		if err := b.tx.changeRegistry(); err != nil {
			return nil, err
		}
		c, err := scanCallback(b.tx.row(selectCallback, a.callback))
		if err != nil && !errors.Is(err, webhook.ErrDamaged) {
			return nil, err
		}
		if err == nil {
			disabled = append(disabled, c)
		}
	}
	return disabled, nil
}
