package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/ringback-dev/ringback/webhook"
)

const (
	insertEvents = `INSERT INTO ringback_events
	(id, database_id, collection_id, record_id, action, lane, appended, data) VALUES `
	eventValues = "(?, ?, ?, ?, ?, ?, ?, ?)"
	passOver    = " ON CONFLICT (id) DO NOTHING"
)

// prepareEvents returns the columns of eventValues for each event.
func prepareEvents(events []webhook.Event) ([][]any, error) {
	now := millis(time.Now())
	prepared := make([][]any, len(events))
	for i, event := range events {
		e, encoded, err := webhook.Prepare(event)
		if err != nil {
			return nil, err
		}
		prepared[i] = []any{e.ID, e.Database, e.Collection, e.Record().ID, string(e.Action), lane(&e), now, encoded}
	}
	return prepared, nil
}

// Dispatch implements [webhook.Dispatcher].
func (s *Store) Dispatch(ctx context.Context, events ...webhook.Event) error {
	prepared, err := prepareEvents(events)
	if err != nil {
		return err
	}
	if len(prepared) == 0 {
		return ctx.Err()
	}
	err = s.write(ctx, "dispatch", func(tx tx) error {
		for _, values := range prepared {
			if _, err := tx.exec(insertEvents+eventValues+passOver, values...); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil {
		s.bell.ring()
	}
	return err
}

// InTx returns a dispatcher that appends to the outbox in a transaction of the
// host's, on the database that the store is in: the events are durable once the
// transaction commits, and never existed when it rolls back. Dispatch is one
// statement, and reads nothing.
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

const selectPending = `SELECT sequence, data FROM ringback_events INDEXED BY ringback_events_pending
	WHERE pending = 1 ORDER BY sequence LIMIT ?`

// Pending implements [webhook.Outbox].
func (s *Store) Pending(ctx context.Context, limit, limitBytes int) (webhook.PendingEvents, error) {
	var pending webhook.PendingEvents
	err := s.read(ctx, "pending", func(q querier) (err error) {
		if pending.Revision, err = revision(ctx, q); err != nil {
			return err
		}
		rows, err := q.QueryContext(ctx, selectPending, limit+1)
		if err != nil {
			return err
		}
		defer rows.Close()
		for taken, size := 0, 0; rows.Next(); taken++ {
			var sequence int64
			var data sql.RawBytes
			if err := rows.Scan(&sequence, &data); err != nil {
				return err
			}
			size += len(data)
			if taken == limit || taken > 0 && size > limitBytes {
				pending.More = true
				return nil
			}
			e, err := webhook.DecodeEvent(data)
			if err != nil {
				pending.Damaged = append(pending.Damaged, sequence)
				continue
			}
			e.Sequence = sequence
			pending.Events = append(pending.Events, e)
		}
		return rows.Err()
	})
	if err != nil {
		return webhook.PendingEvents{}, err
	}
	return pending, nil
}

// revision returns the registry's revision.
func revision(ctx context.Context, q querier) (revision int64, err error) {
	err = q.QueryRowContext(ctx, "SELECT revision FROM ringback_registry").Scan(&revision)
	return revision, err
}

const (
	listenersOfDatabase   = "database_id = ? AND collection_id = '' ORDER BY id"
	listenersOfCollection = "collection_id = ? AND database_id IN ('', ?) ORDER BY id"
)

// Listeners implements [webhook.Outbox].
func (s *Store) Listeners(ctx context.Context, scope webhook.Scope) (webhook.Listeners, error) {
	var listeners webhook.Listeners
	err := s.read(ctx, "listeners", func(q querier) (err error) {
		if listeners.Revision, err = revision(ctx, q); err != nil {
			return err
		}
		if scope.Collection == "" {
			listeners.Callbacks, err = queryCallbacks(ctx, q,
				listenersOfDatabase, scope.Database)
		} else {
			listeners.Callbacks, err = queryCallbacks(ctx, q,
				listenersOfCollection, scope.Collection, scope.Database)
		}
		return err
	})
	if err != nil {
		return webhook.Listeners{}, err
	}
	return listeners, nil
}
