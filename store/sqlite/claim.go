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
	// The callbacks that have work which is due: for each one seek in an index, for
	// its deliveries none.
	selectBusy = `WITH RECURSIVE
	ready (id) AS (
		SELECT min(callback_id) FROM ringback_deliveries INDEXED BY ringback_deliveries_ready
			WHERE state = ` + ready + `
		UNION ALL
		SELECT (SELECT min(callback_id) FROM ringback_deliveries INDEXED BY ringback_deliveries_ready
			WHERE state = ` + ready + ` AND callback_id > ready.id)
		FROM ready WHERE id IS NOT NULL
	),
	scheduled (id) AS (
		SELECT min(callback_id) FROM ringback_deliveries INDEXED BY ringback_deliveries_due
			WHERE state = ` + scheduled + `
		UNION ALL
		SELECT (SELECT min(callback_id) FROM ringback_deliveries INDEXED BY ringback_deliveries_due
			WHERE state = ` + scheduled + ` AND callback_id > scheduled.id)
		FROM scheduled WHERE id IS NOT NULL
	),
	busy (id) AS (
		SELECT id FROM ready
		UNION
		SELECT id FROM scheduled WHERE (
			SELECT min(due) FROM ringback_deliveries INDEXED BY ringback_deliveries_due
			WHERE state = ` + scheduled + ` AND callback_id = scheduled.id) <= ?1
	)
	SELECT id, ` + healthColumns + ` FROM busy
	WHERE (SELECT state FROM ringback_callbacks WHERE ringback_callbacks.id = busy.id) <> 'disabled' ORDER BY 1`

	selectMessage = `SELECT CASE ?2 WHEN 0 THEN json ELSE xml END FROM ringback_events WHERE sequence = ?1`

	claimDelivery = `UPDATE ringback_deliveries SET state = ` + claimed + `, worker = ?3
	WHERE event_sequence = ?1 AND callback_id = ?2`

	selectKey = "SELECT " + deliveryColumns + " FROM ringback_deliveries WHERE event_sequence = ? AND callback_id = ?"
)

// Claim implements [webhook.Queue]. It looks for work before it takes the write lock:
// a worker that finds none is in nobody's way.
//
// What it passes over as damaged are callbacks whose secrets or words can't be read,
// and deliveries without a message or with an unknown method or encoding.
func (s *Store) Claim(ctx context.Context, r webhook.ClaimRequest) ([]webhook.Claimed, error) {
	visits, err := s.visits(ctx, r)
	if err != nil || len(visits) == 0 {
		return nil, err
	}
	var c claim
	err = s.write(ctx, "claim", r.Limit, func(tx tx) error {
		c = claim{r: r, messages: make(map[candidate][]byte)}
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
		err := tx.rows(func(row scanner) error {
			var c busyCallback
			err := row.Scan(&c.callback, &c.health.successes, &c.health.failures, &c.health.failingSince, &c.health.pausedUntil)
			busy = append(busy, c)
			return err
		}, selectBusy, millis(r.Now))
		if err != nil {
			return err
		}
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
	r        webhook.ClaimRequest
	claimed  []webhook.Claimed
	size     int                  // of the messages, in bytes
	messages map[candidate][]byte // read once, however many deliveries share them
	unread   damage
}

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
	candidates, err := c.candidates(tx, v.callback, min(v.room, c.r.Limit-len(c.claimed)))
	if err != nil {
		return false, err
	}
	for _, next := range candidates {
		message, err := c.message(tx, next)
		if err != nil {
			return false, err
		}
		c.size += len(message)
		if len(c.claimed) > 0 && c.size > c.r.LimitBytes {
			return true, nil
		}
		if err := tx.run(claimDelivery, next.sequence, v.callback, int64(c.r.Worker)); err != nil {
			return false, err
		}
		d, err := scanDelivery(tx.row(selectKey, next.sequence, v.callback))
		if err == nil {
			err = tx.describe(&d)
		}
		if err != nil {
			return false, err
		}
		c.claimed = append(c.claimed, webhook.Claimed{Delivery: d, To: &to, Message: message})
	}
	return len(c.claimed) == c.r.Limit, nil
}
