package sqlite

import (
	"fmt"
	"strings"
)

// A lookup is a query about many keys. One statement for several takes half the time of as
// many statements, and less where most keys give no row.
type lookup struct {
	columns    int
	statements [len(batchSizes)]string
}

// newLookup returns a query about keys of so many columns, given what comes before and
// behind them.
func newLookup(before string, columns int, behind string) *lookup {
	key := "(?" + strings.Repeat(", ?", columns-1) + ")"
	l := &lookup{columns: columns}
	for i, keys := range batchSizes {
		l.statements[i] = before + "(VALUES " + key + strings.Repeat(", "+key, keys-1) + ")" + behind
	}
	return l
}

// newUnion returns a query that asks about each key, of so many columns, by a SELECT of its
// own. SQLite looks up by a unique key then, what it may not do in a join: see history.go.
func newUnion(query string, columns int) *lookup {
	l := &lookup{columns: columns}
	for i, keys := range batchSizes {
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
	for i, keys := range batchSizes {
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
// last.
func (l *lookup) all(tx tx, scan func(scanner) error, keys []any, last ...any) error {
	args := tx.conn.args.take(batchSizes[0]*l.columns + len(last))
	defer func() { tx.conn.args.give(args) }()
	for i, n := range batchSizes {
		for n *= l.columns; len(keys) >= n; keys = keys[n:] {
			args = append(append(args[:0], keys[:n]...), last...)
			if err := tx.rows(scan, l.statements[i], args...); err != nil {
				return err
			}
		}
	}
	return nil
}
