package sqlite

import (
	"context"
	"slices"
	"strconv"

	"github.com/ringback-dev/ringback/webhook"
)

const (
	// Whether an event is about a record or a subprofile of it.
	isPurged = `database_id = ?3
		AND (collection_id = ?4 AND record_id = ?5 OR ?4 = '' AND collection_id <> '' AND parent_id = ?5)`

	selectPurgedPending = "SELECT sequence, " + isPurged + `
	FROM ringback_pending WHERE sequence > ?1 AND id <> '' ORDER BY sequence LIMIT ` + int2

	selectPurged = walkEvents + `
	SELECT event, (SELECT ` + isPurged + ` FROM ringback_events WHERE sequence = event)
	FROM walk WHERE event IS NOT NULL`

	// All that is pending with the IDs of some that are, given as a list in JSON; and whether
	// an event that is fanned out has the ID. There is no index: it looks through the outbox.
	selectSame = `SELECT sequence, id, EXISTS (SELECT 1 FROM ringback_events WHERE id = ringback_pending.id)
	FROM ringback_pending WHERE id IN (
		SELECT given.id FROM json_each(?1) CROSS JOIN ringback_pending AS given ON given.sequence = value AND given.id <> '')
	ORDER BY sequence`

	// All that is pending with the IDs of events that are fanned out, found in the same way:
	// it was to be passed over.
	selectRepeating = `SELECT sequence FROM ringback_pending WHERE id IN (
		SELECT given.id FROM json_each(?1) CROSS JOIN ringback_events AS given ON given.sequence = value)
	ORDER BY sequence`

	purgeDeliveries = `DELETE FROM ringback_deliveries WHERE event_sequence = ?1 AND callback_id IN (
		SELECT callback_id FROM ringback_deliveries WHERE event_sequence = ?1 ORDER BY callback_id LIMIT ?2)
	RETURNING callback_id, lane, track, ended = 0 AND state <> ` + waiting

	purgeEvent = "DELETE FROM ringback_events WHERE sequence = ?"
)

// purgeLooked is how many events a step of the walk looks at.
const purgeLooked = 10_000

// Purge implements [webhook.History]. It walks over all events, and takes the write
// lock only for those to be removed.
//
// What it has removed, like everything that the store removes, is overwritten in the
// database's file. The file with the name that ends in -wal may hold it for longer: Purge
// empties that at its end, and waits a second or two for those who are reading; where they
// go on for longer, and also when an error is returned, the next checkpoint that finds
// nobody reading does so. Where more than a thousand events, or 16 MB of them, are pending at
// its end, copies of what was may be left until all of them are fanned out. What was removed
// by version 1 of the tables, before they were brought up to date, is overwritten by VACUUM
// only.
func (s *Store) Purge(ctx context.Context, scope webhook.Scope, record string) (events int, err error) {
	p := purging{store: s, scope: scope, record: record}
	// What is fanned out meanwhile is found among the events.
	if err = p.walk(ctx, selectPurgedPending, p.removePending); err == nil {
		err = p.walk(ctx, selectPurged, p.removeEvents)
	}
	if !p.removed {
		return 0, err
	}
	s.recent.clear()
	s.bell.ring()
	if err == nil {
		err = s.write(ctx, "purge", stepSize, tx.renewOutbox)
	}
	if err == nil {
		err = s.writer.truncateLog(ctx)
	}
	return p.events, err
}

// A purging is a Purge under way.
type purging struct {
	store   *Store
	scope   webhook.Scope
	record  string
	removed bool // there was something
	events  int  // that it has removed
}

// walk goes over what a query shows, and removes what is to be, as many in one transaction
// as remove likes. That returns how many it was given were done with, and how many of them
// count as events.
func (p *purging) walk(
	ctx context.Context, query string, remove func(tx tx, found []int64) (done, events int, err error),
) (err error) {
	looked := purgeLooked
	for after := int64(0); err == nil && looked == purgeLooked; {
		looked = 0
		var found []int64
		err = p.store.readers.read(ctx, "purge", func(tx tx) error {
			return tx.rows(func(row scanner) error {
				looked++
				var about bool
				err := row.Scan(&after, &about)
				if about {
					found = append(found, after)
				}
				return err
			}, query, after, purgeLooked, p.scope.Database, p.scope.Collection, p.record)
		})
		for len(found) > 0 && err == nil {
			var done, events int
			err = p.store.write(ctx, "purge", stepSize, func(tx tx) error {
				done, events, err = remove(tx, found)
				return err
			})
			if err == nil {
				found = found[done:]
				p.events += events
				p.removed = true
			}
		}
	}
	return err
}

// removePending removes pending events, with those that repeat them. One that repeats
// another is none, and takes nothing with it.
func (p *purging) removePending(tx tx, sequences []int64) (done, events int, err error) {
	sequences = sequences[:min(len(sequences), stepSize)]
	var found []int64
	whole := make(map[string]bool) // whether all with an ID go
	err = tx.rows(func(row scanner) error {
		var sequence int64
		var id string
		var fanned bool
		if err := row.Scan(&sequence, &id, &fanned); err != nil {
			return err
		}
		_, given := slices.BinarySearch(sequences, sequence)
		if _, known := whole[id]; !known {
			whole[id] = given && !fanned
			if whole[id] {
				events++
			}
		}
		if given || whole[id] {
			found = append(found, sequence)
		}
		return nil
	}, selectSame, list(sequences))
	if err == nil && len(found) > 0 {
		err = tx.takeOff(found)
	}
	return len(sequences), events, err
}

// list returns numbers as a list in JSON.
func list(numbers []int64) string {
	text := []byte{'['}
	for i, n := range numbers {
		if i > 0 {
			text = append(text, ',')
		}
		text = strconv.AppendInt(text, n, 10)
	}
	return string(append(text, ']'))
}

// removeEvents removes events that are fanned out, with their deliveries and those that
// repeat them.
func (p *purging) removeEvents(tx tx, sequences []int64) (done, events int, err error) {
	deliveries := 0
	for _, sequence := range sequences {
		n, err := tx.purgeDeliveries(sequence, stepSize-deliveries)
		if err != nil {
			return 0, 0, err
		}
		if deliveries += n; deliveries >= stepSize {
			break // there may be more of this event
		}
		events++
		deliveries++ // an event takes time as well
	}
	if events == 0 {
		return 0, 0, nil
	}
	sequences = sequences[:events]
	var repeating []int64
	err = tx.rows(func(row scanner) error {
		var sequence int64
		err := row.Scan(&sequence)
		repeating = append(repeating, sequence)
		return err
	}, selectRepeating, list(sequences))
	if err == nil && len(repeating) > 0 {
		err = tx.takeOff(repeating)
	}
	for _, sequence := range sequences {
		if err == nil {
			err = tx.run(purgeEvent, sequence)
		}
	}
	return events, events, err
}

// purgeDeliveries removes up to so many deliveries of an event, and lets those go on
// that waited for them.
func (t tx) purgeDeliveries(sequence int64, most int) (removed int, err error) {
	type successor struct {
		callback, lane, track int64
		underWay              bool
	}
	var successors []successor
	err = t.rows(func(row scanner) error {
		removed++
		var s successor
		err := row.Scan(&s.callback, &s.lane, &s.track, &s.underWay)
		if s.underWay && s.track&1 == 0 {
			successors = append(successors, s)
		}
		return err
	}, purgeDeliveries, sequence, most)
	for _, s := range successors {
		if err == nil {
			err = t.run(readySuccessor, s.callback, s.lane, s.track)
		}
	}
	return removed, err
}
