package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/mattn/go-sqlite3"
)

// busyTimeout is how long a write waits for other connections.
const busyTimeout = 5 * time.Second

// A writer is the connection through which a store writes: one, so that its
// transactions queue up here, in order, rather than at the file's lock.
type writer struct {
	db   *sql.DB
	conn *sql.Conn
	turn chan struct{} // holds a token unless a transaction is under way
}

// openWriter opens the connection.
func openWriter(ctx context.Context, source string) (*writer, error) {
	db := openOwn(source)
	w := &writer{db: db, turn: make(chan struct{}, 1)}
	// Whoever else opens a new file at this moment keeps it from changing to WAL
	// mode, and SQLite does not wait for that.
	err := whileBusy(ctx, func() (err error) {
		w.conn, err = db.Conn(ctx)
		return err
	})
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	w.turn <- struct{}{}
	return w, nil
}

// close waits for the transaction under way and ends the connection.
func (w *writer) close() error {
	<-w.turn
	defer func() { w.turn <- struct{}{} }()
	return errors.Join(w.conn.Close(), w.db.Close())
}

// transact runs work in a transaction that holds the write lock from the beginning.
// Once it has begun it is not interrupted: it is short, and its end is then known. An
// error, and a panic, leaves nothing of it behind.
func (w *writer) transact(ctx context.Context, work func(tx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case <-w.turn:
		defer func() { w.turn <- struct{}{} }()
	case <-ctx.Done():
		return ctx.Err()
	}
	tx := tx{w.conn}
	err := whileBusy(ctx, func() error {
		_, err := tx.exec("BEGIN IMMEDIATE")
		return err
	})
	if err != nil {
		return err
	}
	committed := false
	defer func() {
		if !committed {
			// The error says that SQLite has rolled back by itself.
			_, _ = tx.exec("ROLLBACK")
		}
	}()
	if err := work(tx); err != nil {
		return err
	}
	_, err = tx.exec("COMMIT")
	committed = err == nil
	return err
}

// whileBusy repeats try while another connection is in its way, for busyTimeout at
// most. SQLite waits by itself, but does not see that a context has ended.
func whileBusy(ctx context.Context, try func() error) error {
	began := time.Now()
	for {
		err := try()
		if !isBusy(err) || time.Since(began) > busyTimeout {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Millisecond):
		}
	}
}

// isBusy reports whether another connection was in the way.
func isBusy(err error) bool {
	var failure sqlite3.Error
	return errors.As(err, &failure) && failure.Code == sqlite3.ErrBusy
}

// A tx is a transaction of the writer's.
type tx struct{ conn *sql.Conn }

// exec runs a statement and returns how many rows it changed.
func (t tx) exec(statement string, args ...any) (int64, error) {
	result, err := t.conn.ExecContext(context.Background(), statement, args...)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

// row runs a query for one row.
func (t tx) row(query string, args ...any) *sql.Row {
	return t.conn.QueryRowContext(context.Background(), query, args...)
}

// rows runs a query and calls scan for each row.
func (t tx) rows(scan func(scanner) error, query string, args ...any) error {
	return scanRows(context.Background(), t.conn, scan, query, args...)
}

// A scanner is a row to be read.
type scanner interface{ Scan(dest ...any) error }

// A querier is what reads: a connection, a transaction or a pool.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// scanRows runs a query and calls scan for each row.
func scanRows(ctx context.Context, q querier, scan func(scanner) error, query string, args ...any) error {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// write runs work in a transaction and names what failed.
func (s *Store) write(ctx context.Context, what string, work func(tx) error) error {
	if err := s.writer.transact(ctx, work); err != nil {
		return fmt.Errorf("sqlite: %s: %w", what, err)
	}
	return nil
}

// read runs queries that see the database as of one moment, and names what failed.
func (s *Store) read(ctx context.Context, what string, work func(querier) error) error {
	err := func() error {
		conn, err := s.readers.Conn(ctx)
		if err != nil {
			return err
		}
		defer conn.Close()
		tx, err := conn.BeginTx(context.WithoutCancel(ctx), nil) // waits for nothing
		if err != nil {
			return err
		}
		defer tx.Rollback() // it has written nothing
		return work(tx)
	}()
	if err != nil {
		return fmt.Errorf("sqlite: %s: %w", what, err)
	}
	return nil
}
