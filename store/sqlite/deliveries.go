package sqlite

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"slices"

	"github.com/ringback-dev/ringback/webhook"
)

// Deliveries implements [webhook.History]. A page of one callback, or of the dead,
// takes time for the deliveries that it passes over, and for those that are held, not for
// all there are; a total, and a record or a time that few have, takes time for all of the
// callback. Deliveries that can't be read are left out of the page, which then comes with an
// error that matches [webhook.ErrDamaged].
func (s *Store) Deliveries(ctx context.Context, query webhook.DeliveryQuery) (page webhook.DeliveryPage, err error) {
	var unread damage
	err = s.readers.read(ctx, "deliveries", func(tx tx) error {
		if query.Callback != "" {
			var number int64
			err := tx.row("SELECT id FROM ringback_callbacks WHERE id = ?", callbackNumber(query.Callback)).
				Scan(&number)
			if errors.Is(err, sql.ErrNoRows) {
				return nil
			}
			if err != nil {
				return err
			}
		}
		all, err := tx.endings()
		if err != nil {
			return err
		}
		held, err := tx.heldDeliveries(query, all, &unread)
		if err != nil {
			return err
		}
		source, args := deliverySource(query, len(all) > 0)
		if source == "" {
			return nil
		}
		if query.WithTotal {
			if err := tx.row("SELECT count(*)"+source, args...).Scan(&page.Total); err != nil {
				return err
			}
			page.Total += len(held)
		}
		// Before the first that is read, all that are held may come.
		limit, start := max(query.Limit, 0), max(query.Start, 0)
		skip := min(start, len(held))
		args = append(args, skip+limit, start-skip)
		found, err := tx.findDeliveries("SELECT "+deliveryColumns+source+deliveryPage, args...)
		if err != nil {
			return err
		}
		if len(held) > 0 {
			found = append(found, held...)
			slices.SortFunc(found, newestFirst)
			found = found[min(skip, len(found)):]
			found = found[:min(limit, len(found))]
		}
		page.Deliveries, err = tx.describeAll(found, &unread)
		for i := range page.Deliveries {
			show(&page.Deliveries[i], all)
		}
		return err
	})
	if err != nil {
		return webhook.DeliveryPage{}, err
	}
	return page, unread.found("deliveries")
}

const deliveryPage = " ORDER BY event_sequence DESC, callback_id DESC LIMIT ? OFFSET ?"

// A foundDelivery is a delivery of a page, or why it can't be read.
type foundDelivery struct {
	webhook.Delivery
	damage error
}

// newestFirst is the order of deliveryPage.
func newestFirst(a, b foundDelivery) int {
	return cmp.Or(cmp.Compare(b.Sequence, a.Sequence), cmp.Compare(callbackNumber(b.Callback), callbackNumber(a.Callback)))
}

// findDeliveries returns what a query for deliveryColumns gives.
func (t tx) findDeliveries(query string, args ...any) (found []foundDelivery, err error) {
	err = t.rows(func(row scanner) error {
		d, err := scanDelivery(row)
		if err != nil && !errors.Is(err, webhook.ErrDamaged) {
			return err
		}
		found = append(found, foundDelivery{d, err})
		return nil
	}, query, args...)
	return found, err
}

// describeAll returns deliveries with what they have of their events. Those that can't be
// read are noted and left out.
func (t tx) describeAll(found []foundDelivery, unread *damage) (whole []webhook.Delivery, err error) {
	for _, f := range found {
		err := f.damage
		if err == nil {
			err = t.describe(&f.Delivery)
		}
		if err == nil {
			whole = append(whole, f.Delivery)
		} else if err = unread.note(err); err != nil {
			return nil, err
		}
	}
	return whole, nil
}

// deliverySource returns the FROM clause of a query for what is selected, with its
// arguments; none for a state that there is not. Where callbacks are ending, their open
// deliveries are dead already.
func deliverySource(query webhook.DeliveryQuery, ending bool) (source string, args []any) {
	index, conditions := "", visible
	if query.Callback != "" {
		index = "INDEXED BY ringback_deliveries_callback "
		conditions = "callback_id = ?"
		args = append(args, callbackNumber(query.Callback))
	}
	if query.State != "" {
		condition, known := stateConditions[query.State]
		switch {
		case !known:
			return "", nil
		case ending && query.State == webhook.DeliveryDead:
			condition = "(" + condition + " OR " + isOpen + " AND " + isEnding + ")"
		case ending && (query.State == webhook.DeliveryReady || query.State == webhook.DeliveryWaiting):
			condition += " AND NOT " + isEnding
		case query.State == webhook.DeliveryDead && index == "":
			index = "INDEXED BY ringback_deliveries_dead "
		}
		conditions += " AND " + condition
	}
	more, others := conditionsOf(query, "event_sequence")
	return " FROM ringback_deliveries " + index + "WHERE " + conditions + more, append(args, others...)
}

// conditionsOf returns what a query says of times and of the record, with its arguments, to
// stand behind other conditions. sequence is the expression for that of the event.
func conditionsOf(query webhook.DeliveryQuery, sequence string) (conditions string, args []any) {
	if !query.Since.IsZero() {
		conditions += " AND created >= ?"
		args = append(args, millis(query.Since))
	}
	if !query.Until.IsZero() {
		conditions += " AND created < ?"
		args = append(args, millis(query.Until))
	}
	if query.Record != "" {
		conditions += " AND ? = (SELECT record_id FROM ringback_events WHERE sequence = " + sequence + ")"
		args = append(args, query.Record)
	}
	return conditions, args
}

const (
	isOpen   = "state IN (" + waiting + ", " + scheduled + ", " + ready + ")"
	isEnding = "callback_id IN (SELECT id FROM ringback_callbacks INDEXED BY ringback_callbacks_ending WHERE ending = 1)"
)
