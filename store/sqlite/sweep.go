package sqlite

import (
	"context"
	"database/sql"
	"errors"
)

const (
	// A callback that is gone but has deliveries. It looks from callback to callback,
	// however many deliveries they have.
	selectGone = `WITH RECURSIVE walk (callback) AS (
		SELECT 0
		UNION ALL
		SELECT (SELECT min(callback_id) FROM ringback_deliveries INDEXED BY ringback_deliveries_callback
			WHERE callback_id > callback) FROM walk WHERE callback IS NOT NULL
	)
	SELECT callback FROM walk WHERE callback > 0
	AND callback IS NOT (SELECT id FROM ringback_callbacks WHERE id = callback) LIMIT 1`

	// The first ?2 deliveries of a callback.
	deleteSwept = `DELETE FROM ringback_deliveries INDEXED BY ringback_deliveries_callback
	WHERE callback_id = ?1 AND event_sequence <= (SELECT max(event_sequence) FROM (
		SELECT event_sequence FROM ringback_deliveries INDEXED BY ringback_deliveries_callback
		WHERE callback_id = ?1 ORDER BY event_sequence LIMIT ?2))`
)

// sweep removes deliveries of a callback that is gone, of whatever age and no more
// than pruneDeliveries, and reports whether there were any.
func (s *Store) sweep(ctx context.Context) (swept bool, err error) {
	var callback int64
	// It stays gone, so writers need not wait for the search.
	err = s.read(ctx, "prune", func(q querier) error {
		return q.QueryRowContext(ctx, selectGone).Scan(&callback)
	})
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	err = s.write(ctx, "prune", func(tx tx) error {
		_, err := tx.exec(deleteSwept, callback, pruneDeliveries)
		return err
	})
	return err == nil, err
}
