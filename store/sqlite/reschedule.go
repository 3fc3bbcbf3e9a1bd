package sqlite

import (
	"context"
	"time"
)

const (
	// Retries behind one, in the order of the index.
	selectScheduled = `SELECT callback_id, due, event_sequence, began
	FROM ringback_deliveries INDEXED BY ringback_deliveries_due
	WHERE state = ` + scheduled + ` AND (callback_id, due, event_sequence) > (?1, ?2, ?3)
	ORDER BY callback_id, due, event_sequence LIMIT ?4`

	rescheduleDelivery = `UPDATE ringback_deliveries SET due = ?4, began = ?5
	WHERE event_sequence = ?1 AND callback_id = ?2 AND due = ?3 AND state = ` + scheduled
)

const (
	// What was noted later than ?1 of callbacks.
	notedAhead = ` FROM ringback_health
	WHERE failing_since > ?1 OR paused_from > ?1 AND paused_until > paused_from`

	rescheduleHealth = `UPDATE ringback_health SET
		failing_since = iif(failing_since > ?1, ?2, failing_since),
		paused_until = iif(paused_from > ?1 AND paused_until > paused_from, ?2 + paused_until - paused_from, paused_until),
		paused_from = iif(paused_from > ?1 AND paused_until > paused_from, ?2, paused_from)
	WHERE callback_id IN (SELECT callback_id` + notedAhead + `)`
)

// A retry is a delivery that is due later than at once.
type retry struct{ callback, due, sequence, began int64 }

// Reschedule implements [webhook.Queue]. It looks before it takes the write lock, at a
// few retries at a time.
func (s *Store) Reschedule(ctx context.Context, now time.Time) error {
	at := millis(now)
	mended, err := s.rescheduleHealth(ctx, at)
	if err != nil {
		return err
	}
	for last := (retry{}); ; {
		var ahead []retry
		looked := 0
		err := s.readers.read(ctx, "reschedule", func(tx tx) error {
			return tx.rows(func(row scanner) error {
				looked++
				err := row.Scan(&last.callback, &last.due, &last.sequence, &last.began)
				if last.began > at+time.Minute.Milliseconds() && last.due >= last.began {
					ahead = append(ahead, last)
				}
				return err
			}, selectScheduled, last.callback, last.due, last.sequence, stepSize)
		})
		if err == nil && len(ahead) > 0 {
			mended = true
			err = s.write(ctx, "reschedule", stepSize, func(tx tx) error { return tx.reschedule(ahead, at) })
		}
		if err != nil || looked < stepSize {
			if mended {
				s.bell.ring()
			}
			return err
		}
	}
}

// rescheduleHealth mends what was noted of callbacks by a clock that was ahead, and
// reports whether there was anything.
func (s *Store) rescheduleHealth(ctx context.Context, now int64) (ahead bool, err error) {
	latest := now + time.Minute.Milliseconds()
	err = s.readers.read(ctx, "reschedule", func(tx tx) error {
		return tx.row("SELECT EXISTS (SELECT 1"+notedAhead+")", latest).Scan(&ahead)
	})
	if err != nil || !ahead {
		return false, err
	}
	return true, s.write(ctx, "reschedule", stepSize, func(tx tx) error { return tx.run(rescheduleHealth, latest, now) })
}

// reschedule makes retries due as long after now as they were to be after their last
// attempts, which counts as made now from then on.
func (t tx) reschedule(retries []retry, now int64) error {
	for _, r := range retries {
		_, err := t.exec(rescheduleDelivery, r.sequence, r.callback, r.due, now+r.due-r.began, now)
		if err != nil {
			return err
		}
	}
	return nil
}
