package sqlite

import "strings"

// A bulk is an INSERT of many rows into a table. One statement for several takes half the
// time of as many statements.
type bulk struct {
	columns    int
	statements [len(batchSizes)]string
}

// batchSizes are how many rows a statement inserts, and how many keys it asks about: each
// number is a statement to be prepared.
var batchSizes = [...]int{32, 16, 8, 4, 2, 1}

// bulkBytes is how large rows may be to share a statement: the driver keeps room for as much
// as a statement was ever given.
const bulkBytes = 256 << 10

// newBulk returns what inserts rows, given the values of one, and what comes before and
// behind them.
//
// A text that is empty as a rule is better given as NULL and made empty by coalesce: where
// all texts of a statement are empty the driver binds its arguments one by one, each in a
// call into C.
func newBulk(before, row, behind string) *bulk {
	b := &bulk{columns: strings.Count(row, "?")}
	for i, rows := range batchSizes {
		b.statements[i] = before + " VALUES " + row + strings.Repeat(", "+row, rows-1) + behind
	}
	return b
}

// single returns the statement that inserts one row.
func (b *bulk) single() string { return b.statements[len(batchSizes)-1] }

// A bulkRun is the use of a bulk in a transaction.
type bulkRun struct {
	*bulk
	tx     tx
	values []any // of rows that are not inserted yet
	bytes  int

	counts   bool
	inserted int // rows, where it counts: some may have been passed over
}

// bulk begins to insert rows.
func (t tx) bulk(b *bulk) *bulkRun { return &bulkRun{bulk: b, tx: t} }

// add inserts a row, of so many bytes beside small values, now or with the next ones.
func (r *bulkRun) add(bytes int, values ...any) error {
	if r.values == nil {
		r.values = r.tx.conn.values.take(batchSizes[0] * r.columns)
	}
	r.values = append(r.values, values...)
	r.bytes += bytes
	if len(r.values) < batchSizes[0]*r.columns {
		return nil
	}
	return r.flush()
}

// flush inserts the rows that wait.
func (r *bulkRun) flush() error {
	if r.values == nil {
		return nil
	}
	values := r.values
	for i, rows := range batchSizes {
		if rows > 1 && r.bytes > bulkBytes {
			continue
		}
		for n := rows * r.columns; len(values) >= n; values = values[n:] {
			if err := r.tx.run(r.statements[i], values[:n]...); err != nil {
				return err
			}
			if !r.counts {
				continue
			}
			var inserted int
			if err := r.tx.row("SELECT changes()").Scan(&inserted); err != nil {
				return err
			}
			r.inserted += inserted
		}
	}
	r.tx.conn.values.give(r.values)
	r.values, r.bytes = nil, 0
	return nil
}

// orNull returns a text as an argument, NULL where it is empty.
func orNull(text string) any {
	if text == "" {
		return nil
	}
	return text
}
