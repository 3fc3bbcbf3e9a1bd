package sqlite

import (
	"context"
	"database/sql"
	"time"

	"github.com/ringback-dev/ringback/webhook"
)

const (
	insertEvents = `INSERT INTO ringback_events
	(id, database_id, collection_id, record_id, parent_id, action, lane, appended, data) VALUES `
	eventValues = "(?, ?, ?, ?, ?, ?, ?, ?, ?)"
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
		parent := ""
		if e.Collection != "" {
			parent = e.Profile.ID
		}
		prepared[i] = []any{
			e.ID, e.Database, e.Collection, e.Record().ID, parent, string(e.Action), lane(&e), now, encoded,
		}
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
	if err := s.admit(ctx); err != nil {
		return err
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

const selectPending = `SELECT sequence, id, database_id, collection_id, action, data
	FROM ringback_events INDEXED BY ringback_events_pending
	WHERE pending = 1 AND sequence > ?1 ORDER BY sequence LIMIT ?2`

// Pending implements [webhook.Outbox].
func (s *Store) Pending(ctx context.Context, r webhook.PendingRequest) (webhook.PendingEvents, error) {
	var pending webhook.PendingEvents
	err := s.read(ctx, "pending", func(q querier) (err error) {
		if pending.Revision, err = revision(ctx, q); err != nil {
			return err
		}
		rows, err := q.QueryContext(ctx, selectPending, r.After, r.Limit+1)
		if err != nil {
			return err
		}
		defer rows.Close()
		for taken, size := 0, 0; rows.Next(); taken++ {
			var known webhook.DamagedEvent // in case that is all
			var data sql.RawBytes
			err := rows.Scan(&known.Sequence, &known.ID, &known.Scope.Database, &known.Scope.Collection, &known.Action, &data)
			if err != nil {
				return err
			}
			size += len(data)
			if taken == r.Limit || taken > 0 && size > r.LimitBytes {
				pending.More = true
				return nil
			}
			e, err := webhook.DecodeEvent(data)
			if err != nil {
				pending.Damaged = append(pending.Damaged, known)
				continue
			}
			e.Sequence = known.Sequence
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
	// Of one whose state can't be read it is told.
	listenersOfDatabase   = "database_id = ? AND collection_id = '' AND state <> 'disabled' ORDER BY id"
	listenersOfCollection = "collection_id = ? AND database_id IN ('', ?) AND state <> 'disabled' ORDER BY id"
)

// Listeners implements [webhook.Outbox].
func (s *Store) Listeners(ctx context.Context, scope webhook.Scope) (webhook.Listeners, error) {
	var listeners webhook.Listeners
	var unread damage
	err := s.read(ctx, "listeners", func(q querier) (err error) {
		if listeners.Revision, err = revision(ctx, q); err != nil {
			return err
		}
		if scope.Collection == "" {
			listeners.Callbacks, err = queryCallbacks(ctx, q, &unread,
				listenersOfDatabase, scope.Database)
		} else {
			listeners.Callbacks, err = queryCallbacks(ctx, q, &unread,
				listenersOfCollection, scope.Collection, scope.Database)
		}
		return err
	})
	if err != nil {
		return webhook.Listeners{}, err
	}
	return listeners, unread.found("listeners")
}
