package sqlite

import (
	"context"
	"database/sql"
	"errors"
)

const (
	// Ends up to ?2 open deliveries of a disabled callback that no worker holds.
	endOpen = `UPDATE ringback_deliveries SET state = ` + dead + `, due = 0,
		ended = (SELECT updated FROM ringback_callbacks WHERE id = ?1),
		reason = (SELECT reason FROM ringback_callbacks WHERE id = ?1)
	WHERE callback_id = ?1 AND event_sequence IN (
		SELECT event_sequence FROM ringback_deliveries INDEXED BY ringback_deliveries_order
		WHERE callback_id = ?1 AND ended = 0 AND state <> ` + claimed + ` LIMIT ?2)`

	selectEnding = "SELECT id FROM ringback_callbacks INDEXED BY ringback_callbacks_ending WHERE ending = 1 LIMIT 1"

	disableCallback = `UPDATE ringback_callbacks SET state = 'disabled', reason = ?2, updated = ?3, version = version + 1
	WHERE id = ?1`
)

// stepSize is how many deliveries are ended or removed in one transaction: other
// writers wait for it.
const stepSize = 1000

// beginEnding ends the requests to replay for a callback that has just been disabled,
// and a first part of its open deliveries.
func (t tx) beginEnding(callback int64, most int) (ended int, err error) {
	if _, err := t.exec("DELETE FROM ringback_replays WHERE callback_id = ?", callback); err != nil {
		return 0, err
	}
	if _, err := t.exec("UPDATE ringback_callbacks SET ending = 1 WHERE id = ?", callback); err != nil {
		return 0, err
	}
	return t.end(callback, most)
}

// end ends open deliveries of a disabled callback, up to so many.
func (t tx) end(callback int64, most int) (ended int, err error) {
	n, err := t.exec(endOpen, callback, most)
	if err == nil && int(n) < most {
		_, err = t.exec("UPDATE ringback_callbacks SET ending = 0 WHERE id = ?", callback)
	}
	return int(n), err
}

// endSome ends open deliveries of a callback that is disabled, and reports whether there was
// such a callback.
func (s *Store) endSome(ctx context.Context) (ended bool, err error) {
	var callback int64
	err = s.readers.read(ctx, "prune", func(tx tx) error {
		return tx.row(selectEnding).Scan(&callback)
	})
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	err = s.write(ctx, "prune", stepSize, func(tx tx) error {
		// It may have become active since.
		err := tx.row("SELECT id FROM ringback_callbacks WHERE id = ? AND ending = 1", callback).Scan(&callback)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		if err != nil {
			return err
		}
		_, err = tx.end(callback, stepSize)
		return err
	})
	return err == nil, err
}
