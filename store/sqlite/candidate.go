package sqlite

import (
	"database/sql"
)

// Up to ?3 deliveries of a callback: of those due for a retry the ones that have
// waited longest, and among all the earliest events. With them the size of their
// messages, of which no more is read for that; NULL where there is none.
const selectDue = `SELECT event_sequence, method, encoding, CASE method
		WHEN 0 THEN (SELECT length(json) FROM ringback_events WHERE sequence = event_sequence)
		WHEN 1 THEN (SELECT length(xml) FROM ringback_events WHERE sequence = event_sequence) END
	FROM (SELECT * FROM (SELECT event_sequence, method, encoding
			FROM ringback_deliveries INDEXED BY ringback_deliveries_ready
			WHERE state = ` + ready + ` AND callback_id = ` + int1 + ` ORDER BY event_sequence LIMIT ` + int3 + `)
		UNION ALL
		SELECT * FROM (SELECT event_sequence, method, encoding
			FROM ringback_deliveries INDEXED BY ringback_deliveries_due
			WHERE state = ` + scheduled + ` AND callback_id = ` + int1 + ` AND due <= ?2 ORDER BY due LIMIT ` + int3 + `)
		ORDER BY 1 LIMIT ` + int3 + `)
	ORDER BY 1`

// A candidate is a delivery of the callback visited, by its event and the number of its
// method.
type candidate struct{ sequence, method int64 }

// candidates returns up to room deliveries of a callback that are due and can be sent.
func (c *claim) candidates(tx tx, callback int64, room int) ([]candidate, error) {
	for limit := room; ; {
		var found []candidate
		var unread damage
		rows := 0
		err := tx.rows(func(row scanner) error {
			rows++
			var next candidate
			var encoding int64
			var size sql.NullInt64
			if err := row.Scan(&next.sequence, &next.method, &encoding, &size); err != nil {
				return err
			}
			if !size.Valid || encoding < 0 || int(encoding) >= len(encodings) {
				return unread.note(damaged("delivery of event %d to callback %d: has no message, or method %d and encoding %d",
					next.sequence, callback, next.method, encoding))
			}
			found = append(found, next)
			return nil
		}, selectDue, callback, millis(c.r.Now), limit)
		if err != nil {
			return nil, err
		}
		// Those that can't be sent must not stand in the place of others.
		if len(found) >= room || rows < limit || limit-room > stepSize {
			return found[:min(room, len(found))], c.unread.note(unread.first)
		}
		limit = 2 * limit
	}
}

// message returns the message of a candidate.
func (c *claim) message(tx tx, of candidate) ([]byte, error) {
	if message, ok := c.messages[of]; ok {
		return message, nil
	}
	var message []byte
	err := tx.row(selectMessage, of.sequence, of.method).Scan(&message)
	c.messages[of] = message
	return message, err
}
