package sqlite

import (
	"context"
	sqldriver "database/sql/driver"
	"errors"
	"io"

	"github.com/mattn/go-sqlite3"
)

// A conn is a connection of the store's own, used by one goroutine at a time. It keeps
// its statements prepared. It is the driver's: for a statement of a few microseconds
// database/sql would take as long again.
type conn struct {
	driver     *sqlite3.SQLiteConn
	statements map[int][]*statement // by the lengths of their texts
	prepared   int
	bound      []sqldriver.NamedValue // to the statement being started

	values  room[any] // of a bulkRun
	keys    room[any] // of a lookup
	args    room[any] // of the statements of a lookup
	fanned  room[fanned]
	open    tableRoom[place]
	claims  room[claimedOne]
	settled tableRoom[deliveryKey]

	held *held // of the writer's
}

// maxPrepared bounds the statements of a connection. The store has fewer, but for the
// conditions of queries in all their combinations.
const maxPrepared = 256

// A statement is one that is prepared.
type statement struct {
	*sqlite3.SQLiteStmt
	text   string
	values values // of the row that is read
}

// statement returns a prepared statement. To compare a text with itself takes no time, however
// long it is; as the key of a map it would be read as a whole each time.
func (c *conn) statement(text string) (*statement, error) {
	for _, s := range c.statements[len(text)] {
		if s.text == text {
			return s, nil
		}
	}
	if c.prepared >= maxPrepared {
		if err := c.closeStatements(); err != nil {
			return nil, err
		}
	}
	prepared, err := c.driver.Prepare(text)
	if err != nil {
		return nil, err
	}
	s := &statement{SQLiteStmt: prepared.(*sqlite3.SQLiteStmt), text: text}
	if c.statements == nil {
		c.statements = make(map[int][]*statement)
	}
	c.statements[len(text)] = append(c.statements[len(text)], s)
	c.prepared++
	return s, nil
}

// bind returns arguments as the driver wants them, until the next call.
func (c *conn) bind(args []any) ([]sqldriver.NamedValue, error) {
	c.bound = c.bound[:0]
	for i, arg := range args {
		switch v := arg.(type) {
		case int64, string, []byte, bool, nil:
		case int:
			arg = int64(v)
		default:
			var err error
			if arg, err = sqldriver.DefaultParameterConverter.ConvertValue(arg); err != nil {
				return nil, err
			}
		}
		c.bound = append(c.bound, sqldriver.NamedValue{Ordinal: i + 1, Value: arg})
	}
	return c.bound, nil
}

// query starts a statement. The driver takes its first step together with binding the
// arguments, in one call into C: so this is the quick way also for one that gives no
// rows.
func (c *conn) query(ctx context.Context, text string, args []any) (*statement, sqldriver.Rows, error) {
	s, err := c.statement(text)
	if err != nil {
		return nil, nil, err
	}
	bound, err := c.bind(args)
	if err != nil {
		return nil, nil, err
	}
	rows, err := s.QueryContext(ctx, bound)
	return s, rows, err
}

// run runs a statement whose rows, if any, do not matter.
func (c *conn) run(ctx context.Context, text string, args ...any) error {
	_, rows, err := c.query(ctx, text, args)
	if err != nil {
		return err
	}
	return rows.Close()
}

// result runs a statement of which it matters what it changes.
func (c *conn) result(ctx context.Context, text string, args []any) (sqldriver.Result, error) {
	s, err := c.statement(text)
	if err != nil {
		return nil, err
	}
	bound, err := c.bind(args)
	if err != nil {
		return nil, err
	}
	return s.ExecContext(ctx, bound)
}

// Parameters, the first to the third, as SQLite does not look into them when it plans.
// Where it does, which it may for those of LIMIT and of conditions that more than one index
// could serve, it plans anew, for 5 to 50 µs, whenever a statement is run.
const (
	int1 = "CAST(?1 AS INTEGER)"
	int2 = "CAST(?2 AS INTEGER)"
	int3 = "CAST(?3 AS INTEGER)"
)

// script runs several statements, without arguments.
func (c *conn) script(text string) error {
	_, err := c.driver.Exec(text, nil)
	return err
}

func (c *conn) closeStatements() error {
	var errs []error
	for _, list := range c.statements {
		for _, s := range list {
			errs = append(errs, s.Close())
		}
	}
	clear(c.statements)
	c.prepared = 0
	return errors.Join(errs...)
}

func (c *conn) close() error { return errors.Join(c.closeStatements(), c.driver.Close()) }

// next reads the next row, and reports whether there is one.
func (s *statement) next(rows sqldriver.Rows, columns int) (bool, error) {
	if cap(s.values) < columns {
		s.values = make(values, columns)
	}
	s.values = s.values[:columns]
	err := rows.Next(s.values)
	if errors.Is(err, io.EOF) {
		return false, nil
	}
	return err == nil, err
}
