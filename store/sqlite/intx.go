package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/mattn/go-sqlite3"

	"github.com/ringback-dev/ringback/webhook"
)

// InTx returns a dispatcher that appends to the outbox in a transaction of the
// host's, on the database that the store is in: the events are durable once the
// transaction commits, and never existed when it rolls back. Dispatch is one insert
// for every 500 events, with a savepoint around more than one, after a BEGIN that must
// fail to show that the transaction is open. It writes to the table of what is pending,
// which is small as a rule, and reads nothing else. With _stmt_cache_size=16 in its DSN the
// driver keeps the statement prepared, which saves almost a third of the time.
//
// An event whose ID is that of another is passed over when it would be fanned out, if the
// other is kept still: until then [Store.Pending] shows it, and the event that it repeats is
// not pruned.
//
// An error leaves the transaction as it was before, unless SQLite had to roll it back
// (as when the disk is full), after which it cannot commit. In a transaction that SQLite
// has rolled back earlier, of which database/sql knows nothing (as by INSERT OR ROLLBACK),
// Dispatch returns an error and appends nothing.
func (s *Store) InTx(tx *sql.Tx) webhook.Dispatcher { return &hostDispatcher{s, tx} }

// A hostDispatcher dispatches in a transaction of the host's.
type hostDispatcher struct {
	store *Store
	tx    *sql.Tx
}

const (
	// eventsPerStatement keeps a statement well below SQLite's limit of 32,766 values.
	eventsPerStatement = 500

	// fusedEvents is from how many events on an insert is run as a query: then the driver
	// gives SQLite all values in one call, instead of each in its own, which costs more than
	// what database/sql does for a query. It keeps room for as much as a statement was ever
	// given, so up to bulkBytes.
	fusedEvents = 16
)

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
	ctx = context.WithoutCancel(ctx)
	if err := d.checkOpen(ctx); err != nil {
		return fmt.Errorf("sqlite: dispatch: %w", err)
	}
	if err := d.insert(ctx, prepared); err != nil {
		return fmt.Errorf("sqlite: dispatch: %w", err)
	}
	d.store.writer.turns.yield(d.store.writer.lock.tell())
	return nil
}

const (
	// The event's number is the next one.
	dispatchEvents = `INSERT INTO ringback_pending
	(id, database_id, collection_id, record_id, parent_id, action, appended, data) VALUES `
	dispatchValues = "(?, ?, ?, ?, ?, ?, ?, ?)"
)

// errRolledBack tells of a transaction that has ended before Commit or Rollback.
var errRolledBack = errors.New("SQLite has rolled the transaction back already, after an earlier statement in it: " +
	"nothing of it is left, roll it back and begin again")

// checkOpen returns an error unless the transaction is open in SQLite too. Otherwise what
// is appended would commit at once, without the change that it tells of.
func (d *hostDispatcher) checkOpen(ctx context.Context) error {
	// The driver does not keep prepared what is executed without values.
	err := d.query(ctx, "BEGIN")
	if failure, ok := errors.AsType[sqlite3.Error](err); ok && failure.Code == sqlite3.ErrError {
		return nil // there is no transaction within a transaction
	}
	if err != nil {
		return err
	}
	_, err = d.tx.ExecContext(ctx, "ROLLBACK")
	return errors.Join(errRolledBack, err)
}

// insert appends all or none. One statement does by itself.
func (d *hostDispatcher) insert(ctx context.Context, prepared []preparedEvent) error {
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

func (d *hostDispatcher) insertStatement(ctx context.Context, prepared []preparedEvent) error {
	statement := dispatchEvents + dispatchValues
	if len(prepared) > 1 {
		statement = dispatchEvents + dispatchValues + strings.Repeat(", "+dispatchValues, len(prepared)-1)
	}
	now := any(millis(time.Now()))
	args := make([]any, 0, len(prepared)*8)
	size := 0
	var database, collection, action boxed[string]
	for i := range prepared {
		p := &prepared[i]
		e := &p.event
		database, collection, action = database.or(e.Database), collection.or(e.Collection), action.or(string(e.Action))
		args = append(args, e.ID, database.argument, collection.argument, e.Record().ID, parentID(e), action.argument,
			now, p.encoded)
		size += len(p.encoded)
	}
	if len(prepared) < fusedEvents || size > bulkBytes {
		_, err := d.tx.ExecContext(ctx, statement, args...)
		return err
	}
	return d.query(ctx, statement, args...)
}

// query runs a statement that gives no rows as a query.
func (d *hostDispatcher) query(ctx context.Context, statement string, args ...any) error {
	rows, err := d.tx.QueryContext(ctx, statement, args...)
	if err != nil {
		return err
	}
	rows.Next() // a driver may take the first step only now
	return errors.Join(rows.Err(), rows.Close())
}
