package sqlite

import "strings"

// A lookup is a query about many keys. One statement for several takes half the time of as
// many statements, and less where most keys give no row.
type lookup struct {
	columns    int
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

// all runs the query for all keys, which are given one behind the other, and calls scan for
// each row. What is behind the keys has the parameters that are given last. Rows of the last
// key may come more than once.
func (l *lookup) all(tx tx, scan func(scanner) error, keys []any, last ...any) error {
	args := tx.conn.keys[:0]
	defer func() {
		clear(args)
		tx.conn.keys = args
	}()
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
			args = append(args, keys[n-l.columns:n]...)
		}
		keys = keys[n:]
		args = append(args, last...)
		if err := tx.rows(scan, l.statements[i], args...); err != nil {
			return err
		}
	}
	return nil
}
