package sqlite

import "context"

const (
	// The last number that was given, as the outbox has it: where the event is gone, in a
	// mark, a row without an ID.
	lastAppended = "coalesce((SELECT max(sequence) FROM ringback_pending), 0)"

	// The number of the last event that is fanned out, as far as it is known: as a rule the
	// outbox has one that is no lower.
	lastFanned = `max(coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'ringback_events'), 0),
		coalesce((SELECT max(sequence) FROM ringback_events), 0))`

	// The number that the last event got: none comes back, not even of those that are
	// removed.
	lastSequence = "max(" + lastAppended + ", " + lastFanned + ")"

	selectNumbers = "SELECT " + lastAppended + ", " + lastFanned

	selectLast = "SELECT " + lastSequence

	insertEmpty = ` INTO ringback_pending
	(sequence, id, database_id, collection_id, record_id, parent_id, action, appended, data) `
	emptyEvent = ", '', '', '', '', '', '', 0, x''"

	// leaveMark keeps a number from coming back, where the outbox has no higher one.
	leaveMark = "INSERT" + insertEmpty + "SELECT ?1" + emptyEvent + " WHERE ?1 > " + lastAppended

	// fillEmpty gives an empty outbox a mark, and the rows that are always there.
	fillEmpty = "INSERT OR IGNORE" + insertEmpty +
		"VALUES (-2" + emptyEvent + "), (-1" + emptyEvent + "), (0" + emptyEvent + "), (?1" + emptyEvent + ")"

	// What is pending keeps its order. It is moved so far that it meets nothing on its way.
	renumberPending = "UPDATE ringback_pending SET sequence = sequence + ?1 WHERE sequence > 0"
)

// next returns the number that the next event gets, given the last ones that were read in
// this transaction.
func (t tx) next(appended, fanned int64) (int64, error) {
	if appended < fanned {
		if err := t.renumber(); err != nil {
			return 0, err
		}
		if err := t.row(selectNumbers).Scan(&appended, &fanned); err != nil {
			return 0, err
		}
	}
	return appended + 1, nil
}

// renumber gives what is pending new numbers where SQLite counts anew: what a host that has
// emptied the outbox appends then in its transactions begins with 1.
func (t tx) renumber() error {
	var last int64
	if err := t.row(selectLast).Scan(&last); err != nil {
		return err
	}
	if err := t.run(renumberPending, last); err != nil {
		return err
	}
	return t.run(leaveMark, last)
}

// renumber does so in a transaction of its own.
func (s *Store) renumber(ctx context.Context) error {
	return s.writeBesideHeld(ctx, "renumber", stepSize, tx.renumber)
}
