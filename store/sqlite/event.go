package sqlite

import (
	"time"

	"github.com/ringback-dev/ringback/webhook"
)

// A preparedEvent is one that is about to be appended.
type preparedEvent struct {
	event   *webhook.Event
	encoded []byte
	lane    int64

	sequence int64            // under which it is appended, 0 where its ID is known
	argument any              // the same, unless its ID is known
	place    any              // the lane as an argument
	fanned   bool             // it is fanned out already
	messages webhook.Messages // where it is
}

// prepareEvents checks events and encodes them.
func prepareEvents(events []webhook.Event) ([]preparedEvent, error) {
	prepared := make([]preparedEvent, len(events))
	checked := make([]webhook.Event, len(events))
	for i := range events {
		e := &checked[i]
		var encoded []byte
		var err error
		if *e, encoded, err = webhook.Prepare(events[i]); err != nil {
			return nil, err
		}
		prepared[i] = preparedEvent{event: e, encoded: encoded, lane: lane(e)}
	}
	return prepared, nil
}

// parent returns the ID of the profile that a subprofile belongs to, nothing for a profile.
func (p *preparedEvent) parent() string {
	if p.event.Collection == "" {
		return ""
	}
	return p.event.Profile.ID
}

const (
	passOver = " ON CONFLICT (id) DO NOTHING"

	// The number that the next event gets: none comes back, not even of those that are
	// removed.
	nextSequence = `max(coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'ringback_events'), 0),
		coalesce((SELECT max(sequence) FROM ringback_events), 0)) + 1`

	selectNext = "SELECT " + nextSequence
)

var insertEvents = newBulk(`INSERT INTO ringback_events
	(sequence, id, database_id, collection_id, record_id, parent_id, action, lane, appended, pending, data, json, xml)`,
	"(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", passOver)

// append inserts events under numbers that begin with the next one, which was read in this
// transaction, and notes those that it has given.
func (t tx) append(events []preparedEvent, next int64) error {
	rows := t.bulk(insertEvents)
	rows.counts = true
	now := any(millis(time.Now()))
	var database, action any
	for i := range events {
		p := &events[i]
		e := p.event
		p.sequence = next + int64(i)
		p.argument, p.place = p.sequence, p.lane
		database, action = box(database, e.Database), box(action, string(e.Action))
		pending, data := int64(1), p.encoded
		if p.fanned {
			pending, data = 0, nothing
		}
		err := rows.add(len(data)+len(p.messages.JSON)+len(p.messages.XML),
			p.argument, e.ID, database, e.Collection, e.Record().ID, p.parent(), action,
			p.place, now, pending, data, p.messages.JSON, p.messages.XML)
		if err != nil {
			return err
		}
	}
	if err := rows.flush(); err != nil {
		return err
	}
	if rows.inserted == len(events) {
		return nil
	}
	return t.forgetKnown(events)
}

// nothing is the data of an event that is fanned out.
var nothing = []byte{}

// forgetKnown takes their numbers from events that were passed over, whose IDs others have.
func (t tx) forgetKnown(events []preparedEvent) error {
	for i := range events {
		var sequence int64
		if err := t.row(selectEventNumber, events[i].event.ID).Scan(&sequence); err != nil {
			return err
		}
		if sequence != events[i].sequence {
			events[i].sequence = 0
		}
	}
	return nil
}
