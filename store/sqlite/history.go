package sqlite

import (
	"context"
	"database/sql"
	"errors"

	"github.com/ringback-dev/ringback/webhook"
)

// A host may run ANALYZE at a moment when the tables are almost empty, after which
// SQLite reads whole tables in a join, and for EXISTS, however large they have
// become. So events are looked up one by one: by a unique key it does not do that.
const (
	deliveryColumns = `event_sequence, callback_id, state, track, due, attempts, earlier, method, encoding,
		created, ended, reason`

	// What belongs to a callback that is gone is gone as well.
	visible = `callback_id = (SELECT id FROM ringback_callbacks WHERE id = callback_id)`

	selectEventNumber = `SELECT sequence FROM ringback_events WHERE id = ?`

	selectEvent = `SELECT id, database_id, collection_id, record_id, action FROM ringback_events WHERE sequence = ?`

	selectDelivery = `SELECT ` + deliveryColumns + ` FROM ringback_deliveries
	WHERE event_sequence = ? AND callback_id = ? AND ` + visible

	selectAttempts = `SELECT number, began, duration, status, error, answer FROM ringback_attempts
	WHERE event_sequence = ?1 AND callback_id = ?2
	UNION ALL
	SELECT 1, first_began, first_duration, first_status, '', first_answer FROM ringback_deliveries
	WHERE event_sequence = ?1 AND callback_id = ?2 AND first_status IS NOT NULL
	ORDER BY number`

	selectReasons = `SELECT id, reason, updated FROM ringback_callbacks INDEXED BY ringback_callbacks_ending
	WHERE ending = 1`
)

// scanDelivery reads deliveryColumns. What the event says is missing then: see
// describe. The error of one that can't be read matches [webhook.ErrDamaged].
func scanDelivery(row scanner) (d webhook.Delivery, err error) {
	var state, track, method, encoding int
	var due, created, ended int64
	err = row.Scan(&d.Sequence, &d.Callback, &state, &track, &due, &d.Attempts, &d.Earlier,
		&method, &encoding, &created, &ended, &d.Reason)
	if errors.Is(err, sql.ErrNoRows) {
		err = webhook.ErrNotFound
	}
	if err != nil {
		return webhook.Delivery{}, err
	}
	if state < 0 || state >= len(states) || track < 0 || track > 3 ||
		method < 0 || method >= len(methods) || encoding < 0 || encoding >= len(encodings) {
		return webhook.Delivery{Sequence: d.Sequence, Callback: d.Callback}, damaged("delivery of event %d to callback %s: state %d, track %d, method %d, encoding %d",
			d.Sequence, d.Callback, state, track, method, encoding)
	}
	d.State, d.Method, d.Encoding = states[state], methods[method], encodings[encoding]
	d.Passed, d.Replayed = track&1 != 0, track&2 != 0
	d.Due, d.Created, d.Ended = fromMillis(due), fromMillis(created), fromMillis(ended)
	return d, nil
}

// describe sets what a delivery has of its event.
func (t tx) describe(d *webhook.Delivery) error {
	err := t.row(selectEvent, d.Sequence).
		Scan(&d.EventID, &d.Database, &d.Collection, &d.Record, &d.Action)
	if errors.Is(err, sql.ErrNoRows) {
		return damaged("delivery of event %d to callback %s: the event is gone", d.Sequence, d.Callback)
	}
	d.ID = webhook.DeliveryID(d.EventID, d.Callback)
	return err
}

// An ending is what is shown of open deliveries of a disabled callback: they are dead
// already, but for their rows.
type ending struct {
	reason string
	since  int64
}

// endings returns the callbacks that have any, by their IDs. As a rule there are none.
func (t tx) endings() (map[string]ending, error) {
	var all map[string]ending
	err := t.rows(func(row scanner) error {
		var id string
		var e ending
		err := row.Scan(&id, &e.reason, &e.since)
		if all == nil {
			all = make(map[string]ending)
		}
		all[id] = e
		return err
	}, selectReasons)
	return all, err
}

// show shows a delivery as dead where it is.
func show(d *webhook.Delivery, all map[string]ending) {
	e, found := all[d.Callback]
	if found && (d.State == webhook.DeliveryWaiting || d.State == webhook.DeliveryReady) {
		d.State, d.Reason, d.Due, d.Ended = webhook.DeliveryDead, e.reason, fromMillis(0), fromMillis(e.since)
	}
}

// delivery returns one delivery, or ErrNotFound.
func (t tx) delivery(id string) (webhook.Delivery, error) {
	event, callback, _ := webhook.SplitDeliveryID(id)
	var sequence int64
	err := t.row(selectEventNumber, event).Scan(&sequence)
	if errors.Is(err, sql.ErrNoRows) {
		err = webhook.ErrNotFound
	}
	if err != nil {
		return webhook.Delivery{}, err
	}
	d, err := scanDelivery(t.row(selectDelivery, sequence, callbackNumber(callback)))
	if errors.Is(err, webhook.ErrNotFound) {
		d, err = scanDelivery(t.row(selectHeldDelivery, sequence, callbackNumber(callback)))
	}
	if errors.Is(err, webhook.ErrNotFound) {
		var unread damage
		if err := errors.Join(t.noteHeld(sequence, &unread), unread.found("delivery")); err != nil {
			return webhook.Delivery{}, err // it may be among them
		}
	}
	if err != nil {
		return webhook.Delivery{}, err
	}
	all, err := t.endings()
	if err != nil {
		return webhook.Delivery{}, err
	}
	show(&d, all)
	return d, t.describe(&d)
}

// Delivery implements [webhook.History]. The error for one that can't be read matches
// [webhook.ErrDamaged].
func (s *Store) Delivery(ctx context.Context, id string) (d webhook.Delivery, err error) {
	err = s.readers.read(ctx, "delivery", func(tx tx) error {
		d, err = tx.delivery(id)
		return err
	})
	return d, err
}

// Attempts implements [webhook.History].
func (s *Store) Attempts(ctx context.Context, id string) (attempts []webhook.Attempt, err error) {
	err = s.readers.read(ctx, "attempts", func(tx tx) error {
		d, err := tx.delivery(id)
		if err != nil {
			return err
		}
		return tx.rows(func(row scanner) error {
			var a webhook.Attempt
			var began int64
			err := row.Scan(&a.Number, &began, &a.Duration, &a.Status, &a.Error, &a.Answer)
			a.Time = fromMillis(began)
			attempts = append(attempts, a)
			return err
		}, selectAttempts, d.Sequence, callbackNumber(d.Callback))
	})
	return attempts, err
}
