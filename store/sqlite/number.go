package sqlite

import "context"

const (
	// What SQLite counts, and the number of the last event that is fanned out: as a rule
	// it counts at least up to that.
	counted    = "coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'ringback_outbox'), 0)"
	lastFanned = "coalesce((SELECT max(sequence) FROM ringback_events), 0)"

	// The number that the last event got: none comes back, not even of those that are
	// removed.
	lastSequence = "max(" + counted + ", " + lastFanned + ")"

	selectNext = "SELECT " + lastSequence + " + 1"

	// noteSequence notes the number of the last event that does without the outbox.
	noteSequence = "UPDATE sqlite_sequence SET seq = ?1 WHERE name = 'ringback_outbox'"

	// The highest number that there is.
	highest = "max(" + lastFanned + ", coalesce((SELECT max(sequence) FROM ringback_outbox), 0))"

	// Whether SQLite has begun to count anew.
	selectBehind = "SELECT " + counted + " < " + lastFanned

	selectHighest = "SELECT " + highest

	// What is pending keeps its order. It is moved so far that it meets nothing on its way.
	renumberPending = "UPDATE ringback_outbox SET sequence = sequence + ?1"

	forgetCount = "DELETE FROM sqlite_sequence WHERE name = 'ringback_outbox'"
	countOn     = "INSERT INTO sqlite_sequence (name, seq) SELECT 'ringback_outbox', " + highest
)

// renumber gives what is pending new numbers where SQLite counts anew: a host that empties
// its tables may empty SQLite's own as well, and what it appends then in its transactions
// begins with 1.
func (s *Store) renumber(ctx context.Context) error {
	err := s.write(ctx, "renumber", stepSize, func(tx tx) error {
		var last int64
		if err := tx.row(selectHighest).Scan(&last); err != nil {
			return err
		}
		if err := tx.run(renumberPending, last); err != nil {
			return err
		}
		if err := tx.run(forgetCount); err != nil {
			return err
		}
		return tx.run(countOn)
	})
	s.recent.clear() // it is by number
	return err
}
