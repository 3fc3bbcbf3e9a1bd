package sqlite

import (
	"math"
	"slices"

	"github.com/ringback-dev/ringback/webhook"
)

const (
	// soundHeld tells that a row's list can be read.
	soundHeld = `CASE WHEN NOT json_valid(deliveries) OR deliveries ->> '$[0][0]' IS NOT ringback_held.id THEN false
		ELSE NOT EXISTS (SELECT 1 FROM json_each(deliveries) AS entry
			WHERE CASE WHEN entry.type <> 'array' OR json_array_length(entry.value) <> 4 THEN true
				ELSE EXISTS (SELECT 1 FROM json_each(entry.value) AS number WHERE typeof(number.value) <> 'integer') END) END`

	// fromHeld are the entries of all lists that can be read.
	fromHeld = ` FROM ringback_held CROSS JOIN json_each(CASE WHEN ` + soundHeld + ` THEN deliveries ELSE '[]' END)`

	// One whose worker is gone, as its row could not be read when that ended, is ready.
	heldState = "iif(" + isHolder + ", " + claimed + ", " + ready + ")"
	isHolder  = "EXISTS (SELECT 1 FROM ringback_holders WHERE ringback_holders.id = worker)"

	damagedHeld = "SELECT id FROM ringback_held WHERE id <= ? AND NOT (" + soundHeld + ")"

	// What is in ringback_deliveries as well is only what it is there.
	onlyHeld = `NOT EXISTS (SELECT 1 FROM ringback_deliveries
		WHERE event_sequence = value ->> 0 AND callback_id = value ->> 1)`

	// With the columns of deliveryColumns.
	selectHeldDeliveries = `SELECT value ->> 0, value ->> 1, ` + heldState + `, 0, 0, 0, 0, value ->> 2, value ->> 3, created, 0, ''` +
		fromHeld + ` WHERE ` + onlyHeld + `
		AND (SELECT c.id FROM ringback_callbacks AS c WHERE c.id = value ->> 1) IS NOT NULL
		AND (SELECT sequence FROM ringback_events WHERE sequence = value ->> 0) IS NOT NULL`

	selectHeldDelivery = selectHeldDeliveries + " AND value ->> 0 = ? AND value ->> 1 = ?"
)

// heldDeliveries returns the deliveries that are held and that a query selects, in no order
// and without what their events say.
func (t tx) heldDeliveries(query webhook.DeliveryQuery, all map[string]ending, unread *damage) ([]foundDelivery, error) {
	switch query.State {
	case webhook.DeliveryDelivered, webhook.DeliveryWaiting:
		return nil, nil
	case webhook.DeliveryDead:
		if len(all) == 0 {
			return nil, nil
		}
	}
	if err := t.noteHeld(math.MaxInt64, unread); err != nil {
		return nil, err
	}
	conditions, args := conditionsOf(query, "value ->> 0")
	if query.Callback != "" {
		conditions += " AND value ->> 1 = ?"
		args = append(args, callbackNumber(query.Callback))
	}
	found, err := t.findDeliveries(selectHeldDeliveries+conditions, args...)
	if err != nil || query.State == "" {
		return found, err
	}
	return slices.DeleteFunc(found, func(f foundDelivery) bool {
		show(&f.Delivery, all)
		return f.State != query.State
	}), nil
}

// noteHeld notes the lists of held deliveries that can't be read, of those that begin with an
// event or one before it.
func (t tx) noteHeld(sequence int64, unread *damage) error {
	return t.rows(func(row scanner) error {
		var id int64
		if err := row.Scan(&id); err != nil {
			return err
		}
		return unread.note(damaged("held deliveries of event %d", id))
	}, damagedHeld, sequence)
}
