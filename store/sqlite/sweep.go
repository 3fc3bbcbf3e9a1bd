package sqlite

import "context"

const (
	// Up to ?1 deliveries of callbacks that are gone. It looks from callback to callback,
	// however many deliveries they have.
	selectGone = `WITH RECURSIVE walk (callback) AS (
		SELECT 0
		UNION ALL
		SELECT (SELECT min(callback_id) FROM ringback_deliveries INDEXED BY ringback_deliveries_callback
			WHERE callback_id > callback) FROM walk WHERE callback IS NOT NULL
	)
	SELECT event_sequence, callback_id
	FROM walk CROSS JOIN ringback_deliveries INDEXED BY ringback_deliveries_callback ON callback_id = callback
	WHERE callback > 0 AND callback IS NOT (SELECT id FROM ringback_callbacks WHERE id = callback) LIMIT ?1`

	deleteSwept = `DELETE FROM ringback_deliveries WHERE event_sequence = ?1 AND callback_id = ?2`
)

// sweep removes deliveries of callbacks that are gone, of whatever age and no more than
// stepSize, and reports whether there were any.
func (s *Store) sweep(ctx context.Context) (swept bool, err error) {
	var gone [][2]int64
	// They stay gone, so writers need not wait for the search.
	err = s.readers.read(ctx, "prune", func(tx tx) error {
		return tx.rows(func(row scanner) error {
			var key [2]int64
			err := row.Scan(&key[0], &key[1])
			gone = append(gone, key)
			return err
		}, selectGone, stepSize)
	})
	if err != nil || len(gone) == 0 {
		return false, err
	}
	err = s.write(ctx, "prune", stepSize, func(tx tx) error {
		for _, key := range gone {
			if err := tx.run(deleteSwept, key[0], key[1]); err != nil {
				return err
			}
		}
		return nil
	})
	return err == nil, err
}
