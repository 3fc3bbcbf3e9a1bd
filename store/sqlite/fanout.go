package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/ringback-dev/ringback/webhook"
)

const (
	// The body that is kept from then on is the messages'.
	takeOff = `UPDATE ringback_events SET pending = 0, data = x'', json = ?2, xml = ?3
	WHERE sequence = ?1 AND pending = 1 RETURNING lane`

	insertDelivery = `INSERT INTO ringback_deliveries
	(event_sequence, callback_id, lane, state, method, encoding, created, ended, reason)
	SELECT ?1, id, ?3, CASE
			WHEN ?7 <> '' THEN ` + dead + `
			WHEN EXISTS (SELECT 1 FROM ringback_deliveries INDEXED BY ringback_deliveries_open
				WHERE callback_id = ?2 AND lane = ?3 AND track = 0 AND ended = 0) THEN ` + waiting + `
			ELSE ` + ready + ` END,
		?4, ?5, ?6, CASE WHEN ?7 <> '' THEN ?6 ELSE 0 END, ?7
	FROM ringback_callbacks WHERE id = ?2 AND state <> 'disabled'
	ON CONFLICT DO NOTHING`

	noteFailure = `UPDATE ringback_callbacks SET failures = failures + 1, failure = ?2, failure_time = ?3,
		failure_event = (SELECT id FROM ringback_events WHERE sequence = ?4)
	WHERE id = ?1 AND version = ?5`
)

// FanOut implements [webhook.Outbox].
func (s *Store) FanOut(ctx context.Context, expansions []webhook.Expansion) error {
	if len(expansions) == 0 {
		return ctx.Err()
	}
	err := s.write(ctx, "fan out", func(tx tx) error {
		now := millis(time.Now())
		for _, x := range expansions {
			if err := tx.fanOut(x, now); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil {
		s.bell.ring()
	}
	return err
}

// message returns a message of an event: nil, which is NULL, where there is none.
func message(x webhook.Expansion, method webhook.Method) []byte {
	message, found := x.Messages[method]
	if found && message == nil {
		return []byte{}
	}
	return message
}

// fanOut replaces an event by its deliveries, unless that was done before.
func (t tx) fanOut(x webhook.Expansion, now int64) error {
	var lane int64
	err := t.row(takeOff, x.Sequence, message(x, webhook.MethodJSON), message(x, webhook.MethodXML)).Scan(&lane)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, target := range x.Targets {
		method, err := code(methods[:], "method", target.Method)
		if err != nil {
			return err
		}
		encoding, err := code(encodings[:], "encoding", target.Encoding)
		if err != nil {
			return err
		}
		_, err = t.exec(insertDelivery, x.Sequence, callbackNumber(target.Callback), lane, method, encoding, now, target.Dead)
		if err != nil {
			return err
		}
	}
	for _, f := range x.Failures {
		_, err := t.exec(noteFailure, callbackNumber(f.Callback), f.Message, now, x.Sequence, f.Version)
		if err != nil {
			return err
		}
	}
	return nil
}
