package sqlite

import (
	"database/sql"
	"errors"
	"time"

	"github.com/ringback-dev/ringback/webhook"
)

// A preparedEvent is one that is about to be appended.
type preparedEvent struct {
	event   webhook.Event
	encoded []byte
	lane    int64

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
		p.lane = lane(&p.event)
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

const (
	passOver = " ON CONFLICT (id) DO NOTHING"
)

// insertPending appends events whose IDs neither an event that is fanned out nor one that
// is pending has.
var insertPending = newBulk(`INSERT INTO ringback_outbox
	(sequence, id, database_id, collection_id, record_id, parent_id, action, lane, appended, data)
	SELECT * FROM (`,
	"(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
	") WHERE NOT EXISTS (SELECT 1 FROM ringback_events WHERE id = column2)"+passOver)

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
			action.argument, p.lane, now, p.encoded)
		if err != nil {
			return err
		}
	}
	if err := rows.flush(); err != nil || rows.inserted == len(events) {
		return err
	}
	for i := range events {
		p := &events[i]
		if kept, err := t.has(selectPendingNumber, p.event.ID, p.sequence); err != nil {
			return err
		} else if !kept {
			p.sequence = 0
		}
	}
	return nil
}

// has reports whether an event has the number that a query gives for its ID.
func (t tx) has(query, id string, sequence int64) (bool, error) {
	var number int64
	err := t.row(query, id).Scan(&number)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return number == sequence, err
}
