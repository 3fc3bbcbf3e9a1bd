package sqlite

import (
	"context"
	"time"

	"github.com/ringback-dev/ringback/webhook"
)

const (
	// The first ?2 events behind one. See history.go why it is not simply a range.
	selectWindow = `WITH RECURSIVE walk (event) AS (
		SELECT min(sequence) FROM ringback_events WHERE sequence > ?1
		UNION ALL
		SELECT (SELECT min(sequence) FROM ringback_events WHERE sequence > event) FROM walk WHERE event IS NOT NULL
		LIMIT ?2
	)
	SELECT event, (SELECT appended FROM ringback_events WHERE sequence = event) FROM walk WHERE event IS NOT NULL`

	// How far the first so many deliveries behind an event reach.
	selectReach = `SELECT count(*), coalesce(max(event_sequence), 0) FROM (SELECT event_sequence FROM ringback_deliveries
	WHERE event_sequence > ?1 AND event_sequence <= ?2 ORDER BY event_sequence LIMIT ?3)`

	deleteGone = `DELETE FROM ringback_deliveries WHERE event_sequence > ?1 AND event_sequence <= ?2
	AND callback_id IS NOT (SELECT id FROM ringback_callbacks WHERE id = callback_id)`

	deleteEnded = `DELETE FROM ringback_deliveries WHERE event_sequence > ?1 AND event_sequence <= ?2
	AND (+state = ` + delivered + ` AND ended < ?3 OR +state = ` + dead + ` AND ended < ?4)`

	deleteEvent = `DELETE FROM ringback_events WHERE sequence = ?1 AND pending = 0
	AND (SELECT count(*) FROM ringback_deliveries WHERE event_sequence = sequence) = 0`
)

// pruneDeliveries is how many deliveries a step looks at, give or take those of an
// event: while it removes them other writers wait.
const pruneDeliveries = 1000

// Prune implements [webhook.History].
func (s *Store) Prune(ctx context.Context, r webhook.PruneRequest) (result webhook.PruneResult, err error) {
	var last int64
	err = s.write(ctx, "prune", func(tx tx) error {
		window, err := tx.pruneWindow(r)
		if err != nil {
			return err
		}
		result.Next, last = window.next, window.last
		if _, err := tx.exec(deleteGone, r.After, window.last); err != nil {
			return err
		}
		deliveries, err := tx.exec(deleteEnded, r.After, window.last, millis(r.Delivered), millis(r.Dead))
		if err != nil {
			return err
		}
		result.Deliveries = int(deliveries)
		for _, e := range window.events {
			if e.sequence > window.last || e.appended >= millis(r.Delivered) {
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
	if err == nil && result.Next == 0 {
		// The walk would end here, but callbacks that are gone may have deliveries
		// behind the young: it goes on until there are none.
		var swept bool
		if swept, err = s.sweep(ctx); swept {
			result.Next = last
		}
	}
	if err != nil {
		return webhook.PruneResult{}, err
	}
	return result, nil
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
	err = t.row(selectReach, r.After, w.last, pruneDeliveries).Scan(&deliveries, &reach)
	if deliveries == pruneDeliveries && reach < w.last {
		// The last of them may be cut off in the middle of its event.
		w.last = max(reach-1, w.events[0].sequence)
		w.next = w.last
	}
	// Of the young the step still looks at no more than that: callbacks that are gone
	// may have any number of deliveries among them.
	if young {
		w.next = 0
	}
	return w, err
}
