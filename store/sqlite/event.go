package sqlite

import (
	"time"

	"github.com/ringback-dev/ringback/webhook"
)

// A preparedEvent is one that is about to be appended.
type preparedEvent struct {
	event    webhook.Event
	encoded  []byte
	sequence int64 // under which it is appended, 0 where its ID is known
}

// prepareEvents checks events and encodes them.
func prepareEvents(events []webhook.Event) ([]preparedEvent, error) {
	prepared := make([]preparedEvent, len(events))
	for i := range events {
		p := &prepared[i]
		var err error
		if p.event, p.encoded, err = webhook.Prepare(events[i]); err != nil {
			return nil, err
		}
	}
	return prepared, nil
}

// parentID returns the ID of the profile that a subprofile belongs to, nothing for a profile.
func parentID(e *webhook.Event) string {
	if e.Collection == "" {
		return ""
	}
	return e.Profile.ID
}

// insertPending appends events whose IDs no event has that is fanned out.
var insertPending = newBulk(`INSERT INTO ringback_pending
	(sequence, id, database_id, collection_id, record_id, parent_id, action, appended, data)
	SELECT * FROM (`,
	"(?, ?, ?, ?, ?, ?, ?, ?, ?)",
	") WHERE NOT EXISTS (SELECT 1 FROM ringback_events WHERE id = column2)")

const selectAppended = "SELECT count(*) FROM ringback_pending WHERE sequence = ?"

// append appends events to the outbox under numbers that begin with the next one, which was
// read in this transaction, and notes those that it has given.
func (t tx) append(events []preparedEvent, next int64) error {
	rows := t.bulk(insertPending)
	rows.counts = true
	now := any(millis(time.Now()))
	var database, action boxed[string]
	for i := range events {
		p := &events[i]
		e := &p.event
		p.sequence = next + int64(i)
		database, action = database.or(e.Database), action.or(string(e.Action))
		err := rows.add(len(p.encoded), p.sequence, e.ID, database.argument, e.Collection, e.Record().ID, parentID(e),
			action.argument, now, p.encoded)
		if err != nil {
			return err
		}
	}
	if err := rows.flush(); err != nil || rows.inserted == len(events) {
		return err
	}
	for i := range events {
		p := &events[i]
		var appended bool
		if err := t.row(selectAppended, p.sequence).Scan(&appended); err != nil {
			return err
		}
		if !appended {
			p.sequence = 0
		}
	}
	return nil
}
