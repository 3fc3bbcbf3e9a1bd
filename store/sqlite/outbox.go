package sqlite

import (
	"context"

	"github.com/ringback-dev/ringback/webhook"
)

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
	kept := keep(prepared)
	err = s.write(ctx, "dispatch", len(prepared), func(tx tx) error {
		var next int64
		if err := tx.row(selectNext).Scan(&next); err != nil {
			return err
		}
		return tx.append(prepared, next)
	})
	if err != nil {
		return err
	}
	for i := range prepared {
		kept[i].Sequence = prepared[i].sequence
	}
	s.recent.add(kept)
	s.bell.ring()
	return nil
}

const (
	selectPending = `SELECT sequence FROM ringback_events INDEXED BY ringback_events_pending
	WHERE pending = 1 AND sequence > ?1 ORDER BY sequence LIMIT ` + int2

	selectData = `SELECT id, database_id, collection_id, action, data FROM ringback_events WHERE sequence = ?`
)

// Pending implements [webhook.Outbox].
func (s *Store) Pending(ctx context.Context, r webhook.PendingRequest) (webhook.PendingEvents, error) {
	var pending webhook.PendingEvents
	err := s.urgent.read(ctx, "pending", func(tx tx) (err error) {
		if pending.Revision, err = tx.revision(); err != nil {
			return err
		}
		var sequences []int64
		err = tx.rows(func(row scanner) error {
			var sequence int64
			err := row.Scan(&sequence)
			sequences = append(sequences, sequence)
			return err
		}, selectPending, r.After, r.Limit+1)
		if err != nil {
			return err
		}
		if r.After == 0 {
			s.recent.dropBefore(sequences)
		}
		size := 0
		for i, sequence := range sequences {
			if pending.More = i == r.Limit; pending.More {
				break
			}
			e, known, err := s.pendingEvent(tx, sequence)
			if err != nil {
				return err
			}
			size += e.size
			if pending.More = i > 0 && size > r.LimitBytes; pending.More {
				break
			}
			if known != nil {
				pending.Damaged = append(pending.Damaged, *known)
			} else {
				pending.Events = append(pending.Events, e.Event)
			}
		}
		return nil
	})
	if err != nil {
		return webhook.PendingEvents{}, err
	}
	return pending, nil
}

// pendingEvent returns an event of the outbox, or what is known of one that can't be
// decoded.
func (s *Store) pendingEvent(tx tx, sequence int64) (e recentEvent, known *webhook.DamagedEvent, err error) {
	if e, found := s.recent.take(sequence); found {
		return e, nil, nil
	}
	known = &webhook.DamagedEvent{Sequence: sequence}
	var data []byte
	err = tx.row(selectData, sequence).
		Scan(&known.ID, &known.Scope.Database, &known.Scope.Collection, &known.Action, &data)
	if err != nil {
		return e, nil, err
	}
	e.size = len(data)
	if e.Event, err = webhook.DecodeEvent(data); err != nil {
		return e, known, nil
	}
	e.Sequence = sequence
	return e, nil, nil
}

// revision returns the registry's revision.
func (t tx) revision() (revision int64, err error) {
	err = t.row("SELECT revision FROM ringback_registry").Scan(&revision)
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
	err := s.urgent.read(ctx, "listeners", func(tx tx) (err error) {
		if listeners.Revision, err = tx.revision(); err != nil {
			return err
		}
		if scope.Collection == "" {
			listeners.Callbacks, err = tx.callbacks(&unread, listenersOfDatabase, scope.Database)
		} else {
			listeners.Callbacks, err = tx.callbacks(&unread, listenersOfCollection, scope.Collection, scope.Database)
		}
		return err
	})
	if err != nil {
		return webhook.Listeners{}, err
	}
	return listeners, unread.found("listeners")
}
