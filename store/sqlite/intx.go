package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"github.com/ringback-dev/ringback/webhook"
)

// InTx returns a dispatcher that appends to the outbox in a transaction of the
// host's, on the database that the store is in: the events are durable once the
// transaction commits, and never existed when it rolls back. Dispatch is one
// statement for every 500 events, with a savepoint around more than one, and reads
// nothing in the transaction.
//
// An error leaves the transaction as it was before, unless SQLite had to roll it back
// (as when the disk is full), after which it cannot commit.
func (s *Store) InTx(tx *sql.Tx) webhook.Dispatcher { return &hostDispatcher{s, tx} }

// A hostDispatcher dispatches in a transaction of the host's.
type hostDispatcher struct {
	store *Store
	tx    *sql.Tx
}

// eventsPerStatement keeps a statement well below SQLite's limit of 32,766 values.
const eventsPerStatement = 500

// Dispatch implements [webhook.Dispatcher].
func (d *hostDispatcher) Dispatch(ctx context.Context, events ...webhook.Event) error {
	if d.tx == nil {
		return errors.New("sqlite: InTx needs a transaction, got nil")
	}
	prepared, err := prepareEvents(events)
	if err != nil {
		return err
	}
	if err := ctx.Err(); err != nil || len(prepared) == 0 {
		return err
	}
	if err := d.store.admit(ctx); err != nil {
		return err
	}
	// An insert that is interrupted makes SQLite roll the whole transaction back:
	// https://www.sqlite.org/c3ref/interrupt.html
	if err := d.insert(context.WithoutCancel(ctx), prepared); err != nil {
		return fmt.Errorf("sqlite: dispatch: %w", err)
	}
	d.store.bell.hint()
	return nil
}

// insert appends all or none. One statement does by itself.
func (d *hostDispatcher) insert(ctx context.Context, prepared [][]any) error {
	if len(prepared) <= eventsPerStatement {
		return d.insertStatement(ctx, prepared)
	}
	if _, err := d.tx.ExecContext(ctx, "SAVEPOINT ringback_dispatch"); err != nil {
		return err
	}
	for len(prepared) > 0 {
		n := min(len(prepared), eventsPerStatement)
		if err := d.insertStatement(ctx, prepared[:n]); err != nil {
			_, undone := d.tx.ExecContext(ctx, "ROLLBACK TO ringback_dispatch; RELEASE ringback_dispatch")
			return errors.Join(err, undone)
		}
		prepared = prepared[n:]
	}
	_, err := d.tx.ExecContext(ctx, "RELEASE ringback_dispatch")
	return err
}

func (d *hostDispatcher) insertStatement(ctx context.Context, prepared [][]any) error {
	var args []any
	for _, values := range prepared {
		args = append(args, values...)
	}
	values := eventValues + strings.Repeat(", "+eventValues, len(prepared)-1)
	_, err := d.tx.ExecContext(ctx, insertEvents+values+passOver, args...)
	return err
}
