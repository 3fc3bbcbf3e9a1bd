package sqlite

import (
	"context"
	"database/sql"
	"errors"

	"github.com/ringback-dev/ringback/webhook"
)

const (
	// Whether there is a message to send.
	hasMessage = `CASE method
		WHEN 0 THEN (SELECT json IS NOT NULL FROM ringback_events WHERE sequence = event_sequence)
		WHEN 1 THEN (SELECT xml IS NOT NULL FROM ringback_events WHERE sequence = event_sequence) END`

	replayDelivery = `UPDATE ringback_deliveries AS replayed SET
		state = CASE WHEN EXISTS (SELECT 1 FROM ringback_deliveries AS earlier INDEXED BY ringback_deliveries_order
			WHERE earlier.callback_id = ?2 AND earlier.lane = replayed.lane AND earlier.track = ` + replayed + `
				AND earlier.ended = 0)
			THEN ` + waiting + ` ELSE ` + ready + ` END,
		track = ` + replayed + `, earlier = attempts, due = 0, began = 0, ended = 0, reason = ''
	WHERE event_sequence = ?1 AND callback_id = ?2 AND ended > 0 AND ` + hasMessage

	selectState = "SELECT state FROM ringback_callbacks WHERE id = ?"
)

// active returns ErrNotFound or ErrDisabled unless a callback is active.
func (t tx) active(callback int64) error {
	var state webhook.State
	err := t.row(selectState, callback).Scan(&state)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return webhook.ErrNotFound
	case err != nil:
		return err
	case state == webhook.StateDisabled:
		return webhook.ErrDisabled
	}
	return nil
}

// Replay implements [webhook.History].
func (s *Store) Replay(ctx context.Context, id string) (d webhook.Delivery, err error) {
	err = s.write(ctx, "replay", 1, func(tx tx) error {
		if d, err = tx.delivery(id); err != nil {
			return err
		}
		number := callbackNumber(d.Callback)
		if err := tx.active(number); err != nil {
			return err
		}
		if !d.State.Ended() {
			return nil
		}
		replayed, err := tx.exec(replayDelivery, d.Sequence, number)
		if err != nil {
			return err
		}
		if replayed == 0 {
			return webhook.Invalid("delivery", "has no message to send")
		}
		d, err = tx.delivery(id)
		return err
	})
	if err != nil {
		return webhook.Delivery{}, err
	}
	s.bell.ring()
	return d, nil
}
