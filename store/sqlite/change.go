package sqlite

import "strings"

// A change is an UPDATE of many deliveries of a callback. One statement for several takes
// little more than half the time of as many statements.
type change struct{ statements [len(lookupKeys)]string }

// newChange returns an UPDATE that sets columns. The callback is the parameter ?1, and
// others that it has come next.
//
// OR FAIL keeps SQLite from saving each page that the statement touches, so that it could be
// undone alone: where one fails, the transaction is rolled back. A join with a list of keys,
// as UPDATE FROM has it, SQLite may plan the other way round: see history.go.
func newChange(columns string) *change {
	c := &change{}
	for i, keys := range lookupKeys {
		c.statements[i] = "UPDATE OR FAIL ringback_deliveries SET " + columns +
			" WHERE callback_id = ?1 AND event_sequence IN (?" + strings.Repeat(", ?", keys-1) + ")"
	}
	return c
}

// all changes deliveries, by the sequences of their events.
func (c *change) all(tx tx, sequences []any, first ...any) error {
	args := tx.conn.keys[:0]
	defer func() {
		clear(args)
		tx.conn.keys = args
	}()
	for len(sequences) > 0 {
		i := statementFor(len(sequences))
		n := min(len(sequences), lookupKeys[i])
		args = append(append(args[:0], first...), sequences[:n]...)
		for range lookupKeys[i] - n {
			args = append(args, sequences[n-1])
		}
		sequences = sequences[n:]
		if err := tx.run(c.statements[i], args...); err != nil {
			return err
		}
	}
	return nil
}
