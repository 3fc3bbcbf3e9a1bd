package sqlite

import (
	"context"

	"github.com/ringback-dev/ringback/webhook"
)

const (
	// Events, and whether they are about a record or a subprofile of it.
	selectPurged = walkEvents + `
	SELECT event, (SELECT database_id = ?3
			AND (collection_id = ?4 AND record_id = ?5 OR ?4 = '' AND collection_id <> '' AND parent_id = ?5)
		FROM ringback_events WHERE sequence = event)
	FROM walk WHERE event IS NOT NULL`

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
// nobody reading does so. What was removed by version 1 of the tables, before they
// were brought up to date, is overwritten by VACUUM only.
func (s *Store) Purge(ctx context.Context, scope webhook.Scope, record string) (events int, err error) {
	looked := purgeLooked
	for after := int64(0); err == nil && looked == purgeLooked; {
		looked = 0
		var found []int64
		err = s.readers.read(ctx, "purge", func(tx tx) error {
			return tx.rows(func(row scanner) error {
				looked++
				var about bool
				err := row.Scan(&after, &about)
				if about {
					found = append(found, after)
				}
				return err
			}, selectPurged, after, purgeLooked, scope.Database, scope.Collection, record)
		})
		for len(found) > 0 && err == nil {
			var removed int
			err = s.write(ctx, "purge", stepSize, func(tx tx) error {
				removed, err = tx.purge(found)
				return err
			})
			if err == nil {
				events += removed
				found = found[removed:]
			}
		}
	}
	if events == 0 {
		return 0, err
	}
	s.recent.clear()
	s.bell.ring()
	if err == nil {
		err = s.writer.truncateLog(ctx)
	}
	return events, err
}

// purge removes events from the first on, as many as may be in one transaction, and
// returns how many.
func (t tx) purge(sequences []int64) (removed int, err error) {
	deliveries := 0
	for _, sequence := range sequences {
		n, err := t.purgeDeliveries(sequence, stepSize-deliveries)
		if err != nil {
			return 0, err
		}
		if deliveries += n; deliveries >= stepSize {
			break // there may be more of this event
		}
		if err := t.run(purgeEvent, sequence); err != nil {
			return 0, err
		}
		removed++
		deliveries++ // an event takes time as well
	}
	return removed, nil
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
