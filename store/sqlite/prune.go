package sqlite

import (
	"context"
	"database/sql"
	"time"

	"github.com/ringback-dev/ringback/webhook"
)

const (
	// The first ?2 events behind one. See history.go why it is not simply a range.
	walkEvents = `WITH RECURSIVE walk (event) AS (
		SELECT min(sequence) FROM ringback_events WHERE sequence > ?1
		UNION ALL
		SELECT (SELECT min(sequence) FROM ringback_events WHERE sequence > event) FROM walk WHERE event IS NOT NULL
		LIMIT ?2
	) `

	selectWindow = walkEvents + `
	SELECT event, (SELECT appended FROM ringback_events WHERE sequence = event) FROM walk WHERE event IS NOT NULL`

	// How far the first so many deliveries behind an event reach.
	selectReach = `SELECT count(*), coalesce(max(event_sequence), 0) FROM (SELECT event_sequence FROM ringback_deliveries
	WHERE event_sequence > ?1 AND event_sequence <= ?2 ORDER BY event_sequence LIMIT ?3)`

	deleteEnded = `DELETE FROM ringback_deliveries WHERE event_sequence > ?1 AND event_sequence <= ?2
	AND (+state = ` + delivered + ` AND ended < ?3 OR +state = ` + dead + ` AND ended < ?4)`

	// What is pending, with the number of the event that it repeats, if it does.
	selectRepeated = `SELECT (SELECT sequence FROM ringback_events WHERE id = ringback_pending.id)
	FROM ringback_pending WHERE sequence > 0 AND id <> ''`

	deleteEvent = `DELETE FROM ringback_events WHERE sequence = ?1
	AND (SELECT count(*) FROM ringback_deliveries WHERE event_sequence = ringback_events.sequence) = 0`
)

// Prune implements [webhook.History]. Where a walk begins, and where it would end, it
// also removes deliveries of callbacks that were deleted and ends those of callbacks
// that were disabled: the walk goes on until there are none. While more than a thousand
// events are pending it leaves the events, whose deliveries it removes, for a later walk.
func (s *Store) Prune(ctx context.Context, r webhook.PruneRequest) (result webhook.PruneResult, err error) {
	var tidied bool
	if r.After == 0 {
		if tidied, err = s.tidy(ctx); err != nil {
			return webhook.PruneResult{}, err
		}
	}
	var window window
	err = s.write(ctx, "prune", stepSize, func(tx tx) error {
		result = webhook.PruneResult{}
		window, err = tx.pruneWindow(r)
		if err != nil {
			return err
		}
		result.Next = window.next
		deliveries, err := tx.exec(deleteEnded, r.After, window.last, millis(r.Delivered), millis(r.Dead))
		if err != nil {
			return err
		}
		result.Deliveries = int(deliveries)
		repeated, known, err := tx.repeated()
		if err != nil || !known {
			return err
		}
		for _, e := range window.events {
			if e.sequence > window.last || e.appended >= millis(r.Delivered) || repeated[e.sequence] {
				continue
			}
			removed, err := tx.exec(deleteEvent, e.sequence)
			if err != nil {
				return err
			}
			result.Events += int(removed)
		}
		return nil
	})
	if err == nil && result.Next == 0 && r.After != 0 {
		tidied, err = s.tidy(ctx)
	}
	if err != nil {
		return webhook.PruneResult{}, err
	}
	if result.Next == 0 && tidied {
		result.Next = max(window.last, r.After+1)
	}
	return result, nil
}

// tidy does a part of what is left to do for callbacks that were deleted or disabled,
// and reports whether there was anything.
func (s *Store) tidy(ctx context.Context) (did bool, err error) {
	swept, err := s.sweep(ctx)
	if err != nil {
		return false, err
	}
	ended, err := s.endSome(ctx)
	return swept || ended, err
}

// repeated returns the numbers of the events that others repeat which are pending: for as
// long, they must not be forgotten. Where much is pending they are not known.
func (t tx) repeated() (events map[int64]bool, known bool, err error) {
	var pending int
	if err := t.row(countPending, stepSize+1).Scan(&pending); err != nil || pending > stepSize {
		return nil, false, err
	}
	err = t.rows(func(row scanner) error {
		var sequence sql.NullInt64
		err := row.Scan(&sequence)
		if sequence.Valid {
			if events == nil {
				events = make(map[int64]bool)
			}
			events[sequence.Int64] = true
		}
		return err
	}, selectRepeated)
	return events, true, err
}

// A window is what a step of the walk looks at: the events up to the last.
type window struct {
	events []keptEvent
	last   int64
	next   int64 // where the walk goes on, 0 at its end
}

// A keptEvent is an event with the time when it was appended.
type keptEvent struct{ sequence, appended int64 }

// pruneWindow returns the window of a step.
func (t tx) pruneWindow(r webhook.PruneRequest) (w window, err error) {
	limit := max(r.Limit, 1)
	now := millis(time.Now())
	young := true
	err = t.rows(func(row scanner) error {
		var e keptEvent
		err := row.Scan(&e.sequence, &e.appended)
		w.events = append(w.events, e)
		w.last = e.sequence
		// One of the future was appended while the clock was wrong: those behind it
		// may be older.
		young = young && e.appended >= max(millis(r.Delivered), millis(r.Dead)) && e.appended <= now
		return err
	}, selectWindow, r.After, limit)
	if err != nil || len(w.events) == 0 {
		return w, err
	}
	if len(w.events) == limit {
		w.next = w.last
	}
	var deliveries int
	var reach int64
	err = t.row(selectReach, r.After, w.last, stepSize).Scan(&deliveries, &reach)
	if deliveries == stepSize && reach < w.last {
		// The last of them may be cut off in the middle of its event.
		w.last = max(reach-1, w.events[0].sequence)
		w.next = w.last
	}
	if young {
		w.next = 0
	}
	return w, err
}
