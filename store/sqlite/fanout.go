package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/ringback-dev/ringback/webhook"
)

const (
	selectTaken = `SELECT lane, id, database_id, collection_id, record_id, action FROM ringback_events
	WHERE sequence = ? AND pending = 1`

	// The body that is kept from then on is the messages'.
	takeOff = `UPDATE ringback_events SET pending = 0, data = x'', json = ?2, xml = ?3 WHERE sequence = ?1`

	selectBehind = `SELECT EXISTS (SELECT 1 FROM ringback_deliveries INDEXED BY ringback_deliveries_open
	WHERE callback_id = ` + int1 + ` AND lane = ` + int2 + ` AND track = 0 AND ended = 0)`

	insertDelivery = `INSERT INTO ringback_deliveries
	(event_sequence, callback_id, lane, state, worker, method, encoding, created, ended, reason)
	VALUES (?1, ?2, ?3, CAST(?4 AS INTEGER), ?5, ?6, ?7, ?8, ?9, ?10) ON CONFLICT DO NOTHING`

	noteFailure = `UPDATE ringback_callbacks SET failures = failures + 1, failure = ?2, failure_time = ?3,
		failure_event = (SELECT id FROM ringback_events WHERE sequence = ?4)
	WHERE id = ?1 AND version = ?5`
)

// FanOut implements [webhook.Outbox].
func (s *Store) FanOut(ctx context.Context, expansions []webhook.Expansion) error {
	if len(expansions) == 0 {
		return ctx.Err()
	}
	return s.fanOut(ctx, expansions, func(tx tx, f *fanOut) error { return f.replaceAll(tx, expansions) })
}

// fanOut runs a FanOut, or a part of one with more to it, in a transaction.
func (s *Store) fanOut(ctx context.Context, expansions []webhook.Expansion, run func(tx, *fanOut) error) error {
	rows := len(expansions)
	for _, x := range expansions {
		rows += len(x.Targets)
	}
	err := s.write(ctx, "fan out", rows, func(tx tx) error {
		return run(tx, &fanOut{now: millis(time.Now()), listening: make(map[string]bool)})
	})
	if err == nil {
		s.bell.ring()
	}
	return err
}

// A fanOut is a FanOut under way.
type fanOut struct {
	now       int64
	listening map[string]bool // whether a callback is there and not disabled, once it was looked up
	birth     *birth          // nil where no delivery is to be claimed
}

// A takenOff is what is known of an event that was just taken off the outbox.
type takenOff struct {
	webhook.Expansion
	lane                             int64
	id, database, collection, record string
	action                           webhook.Action
}

func (f *fanOut) replaceAll(tx tx, expansions []webhook.Expansion) error {
	for _, x := range expansions {
		if err := f.replace(tx, x); err != nil {
			return err
		}
	}
	return nil
}

// message returns a message of an event: nil, which is NULL, where there is none.
func message(x webhook.Expansion, method webhook.Method) []byte {
	message, found := x.Messages[method]
	if found && message == nil {
		return []byte{}
	}
	return message
}

// replace replaces an event by its deliveries, unless that was done before.
func (f *fanOut) replace(tx tx, x webhook.Expansion) error {
	e := takenOff{Expansion: x}
	err := tx.row(selectTaken, x.Sequence).Scan(&e.lane, &e.id, &e.database, &e.collection, &e.record, &e.action)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := tx.run(takeOff, x.Sequence, message(x, webhook.MethodJSON), message(x, webhook.MethodXML)); err != nil {
		return err
	}
	for _, target := range x.Targets {
		if err := f.deliver(tx, &e, target); err != nil {
			return err
		}
	}
	for _, failure := range x.Failures {
		err := tx.run(noteFailure, callbackNumber(failure.Callback), failure.Message, f.now, x.Sequence, failure.Version)
		if err != nil {
			return err
		}
	}
	return nil
}

// deliver writes the delivery of an event to a target.
func (f *fanOut) deliver(tx tx, e *takenOff, target webhook.Target) error {
	method, err := code(methods[:], "method", target.Method)
	if err != nil {
		return err
	}
	encoding, err := code(encodings[:], "encoding", target.Encoding)
	if err != nil {
		return err
	}
	callback := callbackNumber(target.Callback)
	if listens, err := f.listens(tx, target.Callback, callback); err != nil || !listens {
		return err
	}
	state, ended, worker := ready, int64(0), webhook.Worker(0)
	if target.Dead != "" {
		state, ended = dead, f.now
	} else if state, worker, err = f.stand(tx, e, target.Callback, methods[method]); err != nil {
		return err
	}
	made, err := tx.exec(insertDelivery,
		e.Sequence, callback, e.lane, state, int64(worker), method, encoding, f.now, ended, target.Dead)
	if err == nil && made > 0 && worker != 0 {
		f.birth.add(e, webhook.Delivery{
			ID: webhook.DeliveryID(e.id, target.Callback), EventID: e.id, Sequence: e.Sequence, Callback: target.Callback,
			Database: e.database, Collection: e.collection, Record: e.record, Action: e.action,
			Method: methods[method], Encoding: encodings[encoding],
			State: webhook.DeliveryClaimed, Created: fromMillis(f.now),
		})
	}
	return err
}

// listens reports whether a callback, whose number is given too, is there and not disabled.
func (f *fanOut) listens(tx tx, id string, number int64) (listens bool, err error) {
	listens, known := f.listening[id]
	if known {
		return listens, nil
	}
	var state webhook.State
	err = tx.row(selectState, number).Scan(&state)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return false, err
	}
	listens = err == nil && state != webhook.StateDisabled
	f.listening[id] = listens
	return listens, nil
}

// stand returns the state in which the delivery of an event to a callback begins, and the
// worker that claims it, 0 for none.
func (f *fanOut) stand(
	tx tx, e *takenOff, callback string, method webhook.Method,
) (state string, worker webhook.Worker, err error) {
	var behind bool
	if err := tx.row(selectBehind, callbackNumber(callback), e.lane).Scan(&behind); err != nil || behind {
		return waiting, 0, err
	}
	if f.birth != nil {
		worker, err = f.birth.claimant(tx, callback, message(e.Expansion, method))
	}
	if worker != 0 {
		return claimed, worker, err
	}
	return ready, 0, err
}
