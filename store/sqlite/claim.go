package sqlite

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strconv"

	"github.com/ringback-dev/ringback/webhook"
)

const (
	// The callbacks that have deliveries which are ready at once: for each one seek in an
	// index, for its deliveries none. What is due for a retry is looked for apart: a
	// statement for both needs more tables of its own, for which SQLite asks the system for
	// memory each time.
	selectBusy = `WITH RECURSIVE busy (id) AS (
		SELECT min(callback_id) FROM ringback_deliveries INDEXED BY ringback_deliveries_ready
			WHERE state = ` + ready + `
		UNION ALL
		SELECT (SELECT min(callback_id) FROM ringback_deliveries INDEXED BY ringback_deliveries_ready
			WHERE state = ` + ready + ` AND callback_id > busy.id)
		FROM busy WHERE id IS NOT NULL
	)
	SELECT id, ` + healthColumns + ` FROM busy WHERE ` + isActive

	// Those that have some which are due for a retry at ?1.
	selectBusyLater = `WITH RECURSIVE busy (id) AS (
		SELECT min(callback_id) FROM ringback_deliveries INDEXED BY ringback_deliveries_due
			WHERE state = ` + scheduled + `
		UNION ALL
		SELECT (SELECT min(callback_id) FROM ringback_deliveries INDEXED BY ringback_deliveries_due
			WHERE state = ` + scheduled + ` AND callback_id > busy.id)
		FROM busy WHERE id IS NOT NULL
	)
	SELECT id, ` + healthColumns + ` FROM busy WHERE (
		SELECT min(due) FROM ringback_deliveries INDEXED BY ringback_deliveries_due
		WHERE state = ` + scheduled + ` AND callback_id = busy.id) <= ?1 AND ` + isActive

	isActive = `(SELECT state FROM ringback_callbacks WHERE ringback_callbacks.id = busy.id) <> 'disabled'`
)

// claimDeliveries gives deliveries to a worker.
var claimDeliveries = newChange("state = " + claimed + ", worker = ?%d")

// selectMessages returns what claimed deliveries have of their events, with the message in
// the format of a method.
var selectMessages = newUnion(`SELECT ?, id, database_id, collection_id, record_id, action,
	CASE ? WHEN 0 THEN json ELSE xml END FROM ringback_events WHERE sequence = ?`, 3)

// Claim implements [webhook.Queue]. It looks for work before it takes the write lock:
// a worker that finds none is in nobody's way.
//
// What it passes over as damaged are callbacks whose secrets or words can't be read,
// and deliveries without a message or with an unknown method, encoding or track.
func (s *Store) Claim(ctx context.Context, r webhook.ClaimRequest) ([]webhook.Claimed, error) {
	visits, err := s.visits(ctx, r)
	if err != nil || len(visits) == 0 {
		return nil, err
	}
	var c claim
	err = s.writeBesideHeld(ctx, "claim", r.Limit, func(tx tx) error {
		c = claim{r: r}
		if err := tx.fence(r.Worker); err != nil {
			return err
		}
		for _, v := range visits {
			if full, err := c.visit(tx, v); err != nil {
				return err
			} else if full {
				break
			}
		}
		if len(c.claimed) == 0 {
			return nil
		}
		if err := c.describe(tx); err != nil {
			return err
		}
		return tx.beat(r.Worker)
	})
	if err != nil {
		return nil, err
	}
	return c.claimed, c.unread.found("claim")
}

// A visit is a callback to claim deliveries of, and how many at most.
type visit struct {
	callback int64
	room     int
}

// A busyCallback has work that is due.
type busyCallback struct {
	callback int64
	health   storedHealth
}

// visits returns the callbacks to be visited, in order.
func (s *Store) visits(ctx context.Context, r webhook.ClaimRequest) ([]visit, error) {
	var visits []visit
	err := s.urgent.read(ctx, "claim", func(tx tx) error {
		if err := tx.fence(r.Worker); err != nil || r.Limit <= 0 {
			return err
		}
		var busy []busyCallback
		scan := func(row scanner) error {
			var c busyCallback
			err := row.Scan(&c.callback, &c.health.successes, &c.health.failures, &c.health.failingSince, &c.health.pausedUntil)
			busy = append(busy, c)
			return err
		}
		if err := tx.rows(scan, selectBusy); err != nil {
			return err
		}
		if err := tx.rows(scan, selectBusyLater, millis(r.Now)); err != nil {
			return err
		}
		slices.SortFunc(busy, func(a, b busyCallback) int { return cmp.Compare(a.callback, b.callback) })
		busy = slices.Compact(busy)
		begin, _ := slices.BinarySearchFunc(busy, callbackNumber(r.After)+1, func(c busyCallback, number int64) int {
			return cmp.Compare(c.callback, number)
		})
		for _, c := range slices.Concat(busy[begin:], busy[:begin]) {
			health := c.health.webhook()
			if health.Paused(r.Now) {
				continue
			}
			room := r.Limit
			if r.Room != nil {
				room = min(room, r.Room(strconv.FormatInt(c.callback, 10), health))
			}
			if room > 0 {
				visits = append(visits, visit{c.callback, room})
			}
		}
		return nil
	})
	return visits, err
}

// A claim is a Claim under way.
type claim struct {
	r       webhook.ClaimRequest
	claimed []webhook.Claimed
	size    int64 // of their messages, in bytes
	unread  damage

	sequences []any        // of those claimed, as arguments
	messages  []messageKey // of those claimed
	found     []candidate  // room for those of a visit
}

// A messageKey identifies a message, by its event and the number of its method.
type messageKey struct{ sequence, method int64 }

// visit claims deliveries of a callback. It reports whether a limit is reached.
func (c *claim) visit(tx tx, v visit) (full bool, err error) {
	to, err := scanCallback(tx.row(selectCallback, v.callback))
	if errors.Is(err, webhook.ErrNotFound) {
		return false, nil // deleted since
	}
	if err != nil {
		return false, c.unread.note(err)
	}
	if to.State != webhook.StateActive || to.Health.Paused(c.r.Now) {
		return false, nil // not so long
	}
	found, err := c.candidates(tx, v.callback, min(v.room, c.r.Limit-len(c.claimed)))
	if err != nil {
		return false, err
	}
	n := len(c.claimed)
	c.claimed = slices.Grow(c.claimed, len(found))
	for i := range found {
		d := &found[i]
		c.size += d.size
		if full = len(c.claimed) > 0 && c.size > int64(c.r.LimitBytes); full {
			break
		}
		c.claimed = append(c.claimed, d.claimed(&to))
		c.sequences = append(c.sequences, d.sequence)
		c.messages = append(c.messages, messageKey{d.sequence, d.method})
	}
	err = claimDeliveries.all(tx, nil, c.sequences[n:], int64(c.r.Worker), v.callback)
	return full || len(c.claimed) == c.r.Limit, err
}

// describe sets what the deliveries have of their events, and reads their messages: each
// once, however many share it.
func (c *claim) describe(tx tx) error {
	keys := tx.conn.keys.take(3 * len(c.claimed))
	defer func() { tx.conn.keys.give(keys) }()
	first := make(map[messageKey]int, len(c.claimed)) // of those that share a message
	for i, key := range c.messages {
		if _, known := first[key]; !known {
			first[key] = i
			keys = append(keys, int64(i), key.method, c.sequences[i])
		}
	}
	var i int64
	var action string
	var read webhook.Claimed
	columns := []any{&i, &read.EventID, &read.Database, &read.Collection, &read.Record, &action, &read.Message}
	err := selectMessages.all(tx, func(row scanner) error {
		if err := row.Scan(columns...); err != nil {
			return err
		}
		d := &c.claimed[i]
		d.EventID, d.Database, d.Collection, d.Record = read.EventID, read.Database, read.Collection, read.Record
		d.Action, d.Message = webhook.Action(action), read.Message
		return nil
	}, keys)
	for i, key := range c.messages {
		d, read := &c.claimed[i], &c.claimed[first[key]]
		d.EventID, d.Database, d.Collection, d.Record = read.EventID, read.Database, read.Collection, read.Record
		d.Action, d.Message = read.Action, read.Message
		d.ID = webhook.DeliveryID(d.EventID, d.Callback)
	}
	return err
}
