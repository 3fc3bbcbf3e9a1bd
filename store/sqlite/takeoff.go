package sqlite

const (
	// The events whose numbers are between ?1 and ?2, and the marks right before them.
	takeOff = `DELETE FROM ringback_pending WHERE sequence <= ?2 AND sequence > coalesce((
		SELECT max(sequence) FROM ringback_pending WHERE sequence < ?1 AND id <> ''), 0)`

	// Without a condition SQLite clears the pages as a whole. That takes less time, and
	// leaves nothing in them, such as copies of rows that it has moved from page to page.
	takeOffAll = "DELETE FROM ringback_pending"

	// How many events are pending, of so many at most.
	countPending = "SELECT count(*) FROM (SELECT 1 FROM ringback_pending WHERE sequence > 0 AND id <> '' LIMIT " + int1 + ")"

	selectPendingCount = "SELECT (" + countPending + "), " + lastAppended
)

// takeOff takes pending events off the outbox: all at once where there are no others,
// otherwise those whose numbers follow one another.
func (t tx) takeOff(sequences []int64) error {
	var pending int
	var last int64
	if err := t.row(selectPendingCount, len(sequences)+1).Scan(&pending, &last); err != nil {
		return err
	}
	if pending == len(sequences) {
		return t.emptyOutbox(last)
	}
	for i := 0; i < len(sequences); {
		first := i
		for i++; i < len(sequences) && sequences[i] == sequences[i-1]+1; i++ {
		}
		if err := t.run(takeOff, sequences[first], sequences[i-1]); err != nil {
			return err
		}
	}
	return t.run(leaveMark, last)
}

// emptyOutbox takes everything off the outbox, and keeps the last number from coming back.
func (t tx) emptyOutbox(last int64) error {
	if err := t.run(takeOffAll); err != nil {
		return err
	}
	return t.run(fillEmpty, last)
}
