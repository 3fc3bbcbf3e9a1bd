package sqlite

import (
	"cmp"
	"slices"

	"github.com/ringback-dev/ringback/webhook"
)

const (
	// With the size of their messages, of which no more is read for that; -1 where there
	// is none.
	candidateColumns = `event_sequence, track, due, attempts, earlier, method, encoding, created, coalesce(CASE method
		WHEN 0 THEN (SELECT length(json) FROM ringback_events WHERE sequence = event_sequence)
		WHEN 1 THEN (SELECT length(xml) FROM ringback_events WHERE sequence = event_sequence) END, -1)`

	// Up to ?2 deliveries of a callback that are ready at once, the earliest events first.
	selectReady = `SELECT ` + candidateColumns + ` FROM ringback_deliveries INDEXED BY ringback_deliveries_ready
	WHERE state = ` + ready + ` AND callback_id = ` + int1 + ` ORDER BY event_sequence LIMIT ` + int2

	// Up to ?2 that are due for a retry, those that have waited longest first.
	selectDue = `SELECT ` + candidateColumns + ` FROM ringback_deliveries INDEXED BY ringback_deliveries_due
	WHERE state = ` + scheduled + ` AND callback_id = ` + int1 + ` AND due <= ?3 ORDER BY due LIMIT ` + int2
)

// A candidate is a delivery of the callback visited.
type candidate struct {
	sequence, track, due, attempts, earlier, method, encoding, created int64

	size int64 // of the message, in bytes
}

// candidates returns up to room deliveries of a callback that are due and can be sent: of
// those due for a retry the ones that have waited longest, and among all the earliest
// events. They are good until the next call.
func (c *claim) candidates(tx tx, callback int64, room int) ([]candidate, error) {
	var next candidate
	columns := []any{&next.sequence, &next.track, &next.due, &next.attempts, &next.earlier,
		&next.method, &next.encoding, &next.created, &next.size}
	scan := func(row scanner) error {
		err := row.Scan(columns...)
		c.found = append(c.found, next)
		return err
	}
	for limit := room; ; limit *= 2 {
		c.found = c.found[:0]
		if err := tx.rows(scan, selectReady, callback, limit); err != nil {
			return nil, err
		}
		ready := len(c.found)
		if err := tx.rows(scan, selectDue, callback, limit, millis(c.r.Now)); err != nil {
			return nil, err
		}
		if len(c.found) > ready {
			slices.SortFunc(c.found, func(a, b candidate) int { return cmp.Compare(a.sequence, b.sequence) })
		}
		looked := min(limit, len(c.found))
		found := c.found[:0]
		var unread damage
		for _, next := range c.found[:looked] {
			if err := next.check(callback); err == nil {
				found = append(found, next)
			} else if err := unread.note(err); err != nil {
				return nil, err
			}
		}
		// Those that can't be sent must not stand in the place of others.
		if len(found) >= room || looked < limit || limit-room > stepSize {
			return found[:min(room, len(found))], c.unread.note(unread.first)
		}
	}
}

// check returns an error that matches [webhook.ErrDamaged] unless a delivery can be sent.
func (d *candidate) check(callback int64) error {
	if d.size < 0 || d.encoding < 0 || int(d.encoding) >= len(encodings) || d.track < 0 || d.track > 3 {
		return damaged("delivery of event %d to callback %d: has no message, or method %d, encoding %d and track %d",
			d.sequence, callback, d.method, d.encoding, d.track)
	}
	return nil
}

// claimed returns a delivery as it is once it is claimed, but for what it has of its event.
func (d *candidate) claimed(to *webhook.Callback) webhook.Claimed {
	return webhook.Claimed{To: to, Delivery: webhook.Delivery{
		Sequence: d.sequence, Callback: to.ID, Method: methods[d.method], Encoding: encodings[d.encoding],
		State: webhook.DeliveryClaimed, Passed: d.track&1 != 0, Replayed: d.track&2 != 0,
		Attempts: int(d.attempts), Earlier: int(d.earlier), Due: fromMillis(d.due), Created: fromMillis(d.created),
	}}
}
