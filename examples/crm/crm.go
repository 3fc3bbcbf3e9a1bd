package main

import (
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"time"

	"github.com/ringback-dev/ringback/store/sqlite"
	"github.com/ringback-dev/ringback/webhook"
)

// errNotFound: there is no such record.
var errNotFound = errors.New("not found")

// A crm is the product.
type crm struct {
	db     *sql.DB
	store  *sqlite.Store
	logger *slog.Logger
}

// transaction makes a change, which returns the events that tell of it. Either all
// of it comes to be, events included, or none. The cause is that of the events.
func (c *crm) transaction(
	ctx context.Context, cause *webhook.Cause, change func(*sql.Tx) ([]webhook.Event, error),
) error {
	// SQLite lets only one write anyway, but its waiting is a lottery that somebody loses
	// again and again.
	writing := c.store.WriteLock()
	writing.Lock()
	defer writing.Unlock()
	tx, err := c.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() // of no effect after the commit
	events, err := change(tx)
	if err != nil {
		return err
	}
	for i := range events {
		events[i].Cause = cause
	}
	if err := c.store.InTx(tx).Dispatch(ctx, events...); err != nil {
		return err
	}
	return tx.Commit()
}

// A querier is the database, or a transaction on it.
type querier interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// found turns the error of a query for one row into the product's own.
func found(err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return errNotFound
	}
	return err
}

// now returns the time, to the millisecond as everywhere in the library.
func now() time.Time { return time.Now().UTC().Truncate(time.Millisecond) }
