package sqlite

import "strings"

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

// statementFor returns the index in lookupKeys of the statement to begin with, so that they
// are few: the last one may ask about less than it could.
func statementFor(keys int) int {
	switch {
	case keys == 1:
		return 2
	case keys < lookupKeys[0]:
		return 1
	}
	return 0
}

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

// all runs the query for all keys, which are given one behind the other, and calls scan for
// each row. What is behind the keys has the parameters that are given last. Rows of the last
// key may come more than once, unless it is a union.
func (l *lookup) all(tx tx, scan func(scanner) error, keys []any, last ...any) error {
	args := tx.conn.keys[:0]
	defer func() {
		clear(args)
		tx.conn.keys = args
	}()
	for len(keys) > 0 {
		i := statementFor(len(keys) / l.columns)
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
