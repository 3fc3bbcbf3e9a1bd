package sqlite

import (
	"fmt"
	"strings"
)

// A lookup is a query about many keys. One statement for several takes half the time of as
// many statements, and less where most keys give no row.
type lookup struct {
	columns    int
	union      bool // each key has a SELECT of its own
	statements [len(lookupKeys)]string
}

// lookupKeys are how many keys a statement asks about: each number is a statement to be
// prepared.
var lookupKeys = [...]int{32, 8, 1}

// newLookup returns a query about keys of so many columns, given what comes before and
// behind them.
func newLookup(before string, columns int, behind string) *lookup {
	key := "(?" + strings.Repeat(", ?", columns-1) + ")"
	l := &lookup{columns: columns}
	for i, keys := range lookupKeys {
		l.statements[i] = before + "(VALUES " + key + strings.Repeat(", "+key, keys-1) + ")" + behind
	}
	return l
}

// newUnion returns a query that asks about each key, of so many columns, by a SELECT of its
// own. SQLite looks up by a unique key then, what it may not do in a join: see history.go.
// A key of which all columns are NULL must give no row.
func newUnion(query string, columns int) *lookup {
	l := &lookup{columns: columns, union: true}
	for i, keys := range lookupKeys {
		l.statements[i] = query + strings.Repeat(" UNION ALL "+query, keys-1)
	}
	return l
}

// newChange returns an UPDATE of deliveries of a callback, by the sequences of their events:
// of the last two parameters the first is one of the columns', the other the callback.
//
// OR FAIL keeps SQLite from saving each page that the statement touches, so that it could be
// undone alone: where one fails, the transaction is rolled back. That works for a plain list
// of keys; a join with them, as UPDATE FROM has it, may be planned the other way round too.
func newChange(columns string) *lookup {
	l := &lookup{columns: 1}
	for i, keys := range lookupKeys {
		list := "?1"
		for key := 2; key <= keys; key++ {
			list += fmt.Sprintf(", ?%d", key)
		}
		l.statements[i] = fmt.Sprintf("UPDATE OR FAIL ringback_deliveries SET "+columns+
			" WHERE callback_id = ?%d AND event_sequence IN (%s)", keys+1, keys+2, list)
	}
	return l
}

// all runs the query for all keys, which are given one behind the other, and calls scan for
// each row, if there may be any. What is behind the keys has the parameters that are given
// last. Rows of the last key may come more than once, unless it is a union.
func (l *lookup) all(tx tx, scan func(scanner) error, keys []any, last ...any) error {
	args := tx.conn.args.take(lookupKeys[0]*l.columns + len(last))
	defer func() { tx.conn.args.give(args) }()
	for len(keys) > 0 {
		i := 0 // as few statements as possible
		switch n := len(keys) / l.columns; {
		case n == 1:
			i = 2
		case n < lookupKeys[0]:
			i = 1
		}
		n := min(len(keys), lookupKeys[i]*l.columns)
		args = append(args[:0], keys[:n]...)
		for len(args) < lookupKeys[i]*l.columns {
			if l.union {
				args = append(args, nil)
			} else {
				args = append(args, keys[n-l.columns:n]...)
			}
		}
		keys = keys[n:]
		args = append(args, last...)
		if err := tx.rows(scan, l.statements[i], args...); err != nil {
			return err
		}
	}
	return nil
}
