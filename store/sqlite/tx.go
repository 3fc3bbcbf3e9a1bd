package sqlite

import (
	"context"
	"database/sql"
	sqldriver "database/sql/driver"
	"errors"
)

// A tx is a transaction on a connection of the store's own. What it reads ends when its
// context does; what writes has one that does not end.
type tx struct {
	ctx  context.Context
	conn *conn
}

// exec runs a statement and returns how many rows it changed.
func (t tx) exec(statement string, args ...any) (int64, error) {
	result, err := t.conn.result(t.ctx, statement, args)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

// run runs a statement of which it does not matter how many rows it changes. It takes
// less time than exec.
func (t tx) run(statement string, args ...any) error {
	return t.conn.run(t.ctx, statement, args...)
}

// row runs a statement for one row, which is then to be scanned.
func (t tx) row(query string, args ...any) *row {
	s, rows, err := t.conn.query(t.ctx, query, args)
	return &row{s, rows, err}
}

// rows runs a query and calls scan for each row. scan must not run statements: to make room
// for another one, the query might be closed, which looks like its end.
func (t tx) rows(scan func(scanner) error, query string, args ...any) (err error) {
	s, rows, err := t.conn.query(t.ctx, query, args)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	columns := len(rows.Columns())
	for {
		if more, err := s.next(rows, columns); err != nil || !more {
			return err
		}
		if err := scan(&s.values); err != nil {
			return err
		}
	}
}

// A scanner is a row to be read.
type scanner interface{ Scan(dest ...any) error }

// A row is the first one of a statement that has been started, or the reason why there
// is none.
type row struct {
	statement *statement
	rows      sqldriver.Rows
	err       error
}

// Scan implements [scanner]. Without a row it returns [sql.ErrNoRows].
func (r *row) Scan(dest ...any) error {
	if r.err != nil {
		return r.err
	}
	found, err := r.statement.next(r.rows, len(dest))
	if err == nil && !found {
		err = sql.ErrNoRows
	}
	if err == nil {
		err = r.statement.values.Scan(dest...)
	}
	if closed := r.rows.Close(); err == nil {
		err = closed
	}
	return err
}
