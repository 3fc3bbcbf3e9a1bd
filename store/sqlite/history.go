package sqlite

import (
	"context"
	"database/sql"
	"errors"

	"github.com/ringback-dev/ringback/webhook"
)

// A host may run ANALYZE at a moment when the tables are almost empty, after which
// SQLite reads whole tables in a join, and for EXISTS, however large they have
// become. So events are looked up one by one: by a unique key it does not do that.
const (
	deliveryColumns = `event_sequence, callback_id, state, due, attempts, method, encoding, created, ended, reason`

	// What belongs to a callback that is gone is gone as well.
	visible = `callback_id = (SELECT id FROM ringback_callbacks WHERE id = callback_id)`

	selectEventNumber = `SELECT sequence FROM ringback_events WHERE id = ?`

	selectEvent = `SELECT id, database_id, collection_id, record_id, action FROM ringback_events WHERE sequence = ?`

	selectDelivery = `SELECT ` + deliveryColumns + ` FROM ringback_deliveries
	WHERE event_sequence = ? AND callback_id = ? AND ` + visible

	selectAttempts = `SELECT number, began, duration, status, error, answer FROM ringback_attempts
	WHERE event_sequence = ? AND callback_id = ? ORDER BY number`
)

// scanDelivery reads deliveryColumns. What the event says is missing then: see
// describe.
func scanDelivery(row scanner) (d webhook.Delivery, err error) {
	var state, method, encoding int
	var due, created, ended int64
	err = row.Scan(&d.Sequence, &d.Callback, &state, &due, &d.Attempts, &method, &encoding, &created, &ended, &d.Reason)
	if errors.Is(err, sql.ErrNoRows) {
		err = webhook.ErrNotFound
	}
	if err != nil {
		return webhook.Delivery{}, err
	}
	d.State, d.Method, d.Encoding = states[state], methods[method], encodings[encoding]
	d.Due, d.Created, d.Ended = fromMillis(due), fromMillis(created), fromMillis(ended)
	return d, nil
}

// describe sets what a delivery has of its event.
func describe(ctx context.Context, q querier, d *webhook.Delivery) error {
	err := q.QueryRowContext(ctx, selectEvent, d.Sequence).
		Scan(&d.EventID, &d.Database, &d.Collection, &d.Record, &d.Action)
	d.ID = webhook.DeliveryID(d.EventID, d.Callback)
	return err
}

// delivery returns one delivery, or ErrNotFound.
func delivery(ctx context.Context, q querier, id string) (webhook.Delivery, error) {
	event, callback, _ := webhook.SplitDeliveryID(id)
	var sequence int64
	err := q.QueryRowContext(ctx, selectEventNumber, event).Scan(&sequence)
	if errors.Is(err, sql.ErrNoRows) {
		err = webhook.ErrNotFound
	}
	if err != nil {
		return webhook.Delivery{}, err
	}
	d, err := scanDelivery(q.QueryRowContext(ctx, selectDelivery, sequence, callbackNumber(callback)))
	if err != nil {
		return webhook.Delivery{}, err
	}
	return d, describe(ctx, q, &d)
}

// Delivery implements [webhook.History].
func (s *Store) Delivery(ctx context.Context, id string) (d webhook.Delivery, err error) {
	err = s.read(ctx, "delivery", func(q querier) error {
		d, err = delivery(ctx, q, id)
		return err
	})
	return d, err
}

// Deliveries implements [webhook.History].
func (s *Store) Deliveries(ctx context.Context, query webhook.DeliveryQuery) (page []webhook.Delivery, err error) {
	statement, args := selectDeliveries(query)
	if statement == "" {
		return nil, ctx.Err()
	}
	err = s.read(ctx, "deliveries", func(q querier) error {
		err := scanRows(ctx, q, func(row scanner) error {
			d, err := scanDelivery(row)
			page = append(page, d)
			return err
		}, statement, args...)
		for i := range page {
			if err == nil {
				err = describe(ctx, q, &page[i])
			}
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return page, nil
}

// selectDeliveries returns the statement of a query with its arguments; none for a
// state that there is not.
func selectDeliveries(query webhook.DeliveryQuery) (statement string, args []any) {
	index, conditions := "", visible
	if query.State != "" {
		numbers, known := stateNumbers[query.State]
		if !known {
			return "", nil
		}
		conditions += " AND state " + numbers
		if query.State == webhook.DeliveryDead {
			index = "INDEXED BY ringback_deliveries_dead "
		}
	}
	if query.Callback != "" {
		index = "INDEXED BY ringback_deliveries_callback "
		conditions += " AND callback_id = ?"
		args = append(args, callbackNumber(query.Callback))
	}
	return "SELECT " + deliveryColumns + " FROM ringback_deliveries " + index + "WHERE " + conditions +
		" ORDER BY event_sequence DESC, callback_id DESC LIMIT ? OFFSET ?", append(args, query.Limit, query.Start)
}

// Attempts implements [webhook.History].
func (s *Store) Attempts(ctx context.Context, id string) (attempts []webhook.Attempt, err error) {
	err = s.read(ctx, "attempts", func(q querier) error {
		d, err := delivery(ctx, q, id)
		if err != nil {
			return err
		}
		return scanRows(ctx, q, func(row scanner) error {
			var a webhook.Attempt
			var began int64
			err := row.Scan(&a.Number, &began, &a.Duration, &a.Status, &a.Error, &a.Answer)
			a.Time = fromMillis(began)
			attempts = append(attempts, a)
			return err
		}, selectAttempts, d.Sequence, callbackNumber(d.Callback))
	})
	return attempts, err
}
