package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"time"

	"github.com/ringback-dev/ringback/webhook"
)

const (
	noteFailure = `UPDATE ringback_callbacks SET failures = failures + 1, failure = ?2, failure_time = ?3,
		failure_event = (SELECT id FROM ringback_events WHERE sequence = ?4)
	WHERE id = ?1 AND version = ?5`

	// Whether any delivery that is in its table is open.
	anyOpen = "SELECT EXISTS (SELECT 1 FROM ringback_deliveries INDEXED BY ringback_deliveries_order WHERE ended = 0)"
)

// selectGiven returns when those events were appended that are pending under these IDs.
var selectGiven = newLookup(`SELECT key.column1, appended
	FROM `, 3, ` AS key CROSS JOIN ringback_pending ON sequence = key.column2 AND id = key.column3 AND id <> ''`)

// selectTaken returns what is known of those events that are pending.
var selectTaken = newLookup(`SELECT key.column1, id, database_id, collection_id, record_id, parent_id, action, appended
	FROM `, 2, ` AS key CROSS JOIN ringback_pending ON sequence = key.column2 AND id <> ''`)

// insertEvents writes events that are fanned out. The body that is kept of them is the
// messages'.
var insertEvents = newBulk(`INSERT INTO ringback_events
	(sequence, id, database_id, collection_id, record_id, parent_id, action, lane, appended, json, xml)`,
	"(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", " ON CONFLICT (id) DO NOTHING")

// selectOpen returns those keys of whose callback and lane a delivery is open.
var selectOpen = newLookup(`SELECT key.column1 FROM `, 3, ` AS key
	WHERE EXISTS (SELECT 1 FROM ringback_deliveries INDEXED BY ringback_deliveries_order
		WHERE callback_id = key.column2 AND lane = key.column3 AND track = 0 AND ended = 0)`)

var insertDeliveries = newBulk(`INSERT INTO ringback_deliveries
	(event_sequence, callback_id, lane, state, worker, method, encoding, created, ended, reason)`,
	"(?, ?, ?, ?, ?, ?, ?, ?, ?, coalesce(?, ''))", " ON CONFLICT DO NOTHING")

// FanOut implements [webhook.Outbox].
func (s *Store) FanOut(ctx context.Context, expansions []webhook.Expansion) error {
	if len(expansions) == 0 {
		return ctx.Err()
	}
	return s.fanOut(ctx, expansions, func(f *fanOut) error { return f.replaceAll(expansions) })
}

// fanOut runs a FanOut, or a part of one with more to it, in a transaction.
func (s *Store) fanOut(ctx context.Context, expansions []webhook.Expansion, run func(*fanOut) error) error {
	rows := len(expansions)
	for _, x := range expansions {
		rows += len(x.Targets)
	}
	left := false
	err := s.writeBesideHeld(ctx, "fan out", rows, func(tx tx) error {
		f := newFanOut(tx)
		defer f.rest()
		err := run(f)
		left = f.left
		return err
	})
	if err == nil && left {
		s.bell.ring()
	}
	return err
}

// A fanOut is a FanOut under way.
type fanOut struct {
	tx         tx
	now        int64
	argument   any // the same
	addressees map[string]*addressee
	open       map[place]bool // whether deliveries are open, where it has looked
	rows       *bulkRun       // of deliveries
	birth      *birth         // nil where no delivery is to be claimed
	holding    holding        // of those that were claimed
	left       bool           // there is a delivery that is ready, and that nobody has claimed
}

// A place is where deliveries keep order.
type place struct{ callback, lane int64 }

// An addressee is a callback that events fan out to, as it was looked up once.
type addressee struct {
	id       string
	number   int64
	argument any // the number
	listens  bool
	last     int64   // the last event that was delivered to it
	parent   *parent // nil until it is needed
}

// newFanOut begins to fan events out.
func newFanOut(tx tx) *fanOut {
	now := millis(time.Now())
	return &fanOut{
		tx: tx, now: now, argument: now, rows: tx.bulk(insertDeliveries),
		addressees: make(map[string]*addressee), open: tx.conn.open.take(),
	}
}

// rest gives back what memory the fan-out has taken.
func (f *fanOut) rest() { f.tx.conn.open.give(f.open) }

// A fanned is an event that is being fanned out.
type fanned struct {
	webhook.Expansion
	sequence, lane                                   boxed[int64]
	appended                                         any // when, as an argument
	id, database, collection, record, parent, action boxed[string]
}

// replaceAll replaces pending events by their deliveries. Others are passed over: that was
// done before.
func (f *fanOut) replaceAll(expansions []webhook.Expansion) error {
	events := f.tx.conn.fanned.take(len(expansions))[:len(expansions)]
	defer func() { f.tx.conn.fanned.give(events) }()
	if err := f.findGiven(expansions, events); err != nil {
		return err
	}
	if err := f.findOthers(expansions, events); err != nil {
		return err
	}
	taken, sequences, ordered := events[:0], make([]int64, 0, len(events)), true
	for i := range events {
		if sequence := events[i].Sequence; sequence != 0 {
			ordered = ordered && (len(sequences) == 0 || sequences[len(sequences)-1] < sequence)
			taken, sequences = append(taken, events[i]), append(sequences, sequence)
		}
	}
	if len(taken) == 0 {
		return nil
	}
	if !ordered {
		slices.Sort(sequences)
		taken, sequences = once(taken), slices.Compact(sequences)
	}
	if err := f.tx.takeOff(sequences); err != nil {
		return err
	}
	return f.write(taken)
}

// once returns the events that come for the first time, and of those with the same ID the one
// that was appended first. In the order of their sequences they need it not: then the one that
// is written first is kept.
func once(events []fanned) []fanned {
	first := make(map[string]int64, len(events))
	for i := range events {
		e := &events[i]
		if sequence, known := first[e.id.value]; !known || e.Sequence < sequence {
			first[e.id.value] = e.Sequence
		}
	}
	return slices.DeleteFunc(events, func(e fanned) bool {
		repeats := first[e.id.value] != e.Sequence
		if !repeats {
			first[e.id.value] = 0 // it does not come again
		}
		return repeats
	})
}

// findGiven finds those of the events that come with their expansions and are pending.
func (f *fanOut) findGiven(expansions []webhook.Expansion, events []fanned) error {
	keys := f.tx.conn.keys.take(3 * len(expansions))
	defer func() { f.tx.conn.keys.give(keys) }()
	var shared shared
	for i := range expansions {
		if given := expansions[i].Event; given != nil {
			events[i] = shared.fanned(given, expansions[i].Sequence)
			keys = append(keys, int64(i), events[i].sequence.argument, events[i].id.argument)
		}
	}
	var i int64
	var appended boxed[int64]
	columns := []any{&i, &appended}
	return selectGiven.all(f.tx, func(row scanner) error {
		err := row.Scan(columns...)
		if err == nil {
			events[i].found(expansions[i], appended.argument)
		}
		return err
	}, keys)
}

// findOthers finds those of the other events that are pending.
func (f *fanOut) findOthers(expansions []webhook.Expansion, events []fanned) error {
	keys := f.tx.conn.keys.take(2 * len(expansions))
	defer func() { f.tx.conn.keys.give(keys) }()
	for i := range expansions {
		if expansions[i].Event == nil {
			keys = append(keys, int64(i), expansions[i].Sequence)
		}
	}
	var i int64
	var e fanned
	var appended boxed[int64]
	columns := []any{&i, &e.id, &e.database, &e.collection, &e.record, &e.parent, &e.action, &appended}
	return selectTaken.all(f.tx, func(row scanner) error {
		err := row.Scan(columns...)
		if err == nil {
			e.sequence = box(expansions[i].Sequence)
			e.found(expansions[i], appended.argument)
			events[i] = e
		}
		return err
	}, keys)
}

// A shared is what events have in common as a rule, as the last one had it.
type shared struct{ database, collection, action boxed[string] }

// fanned returns an event that is to be fanned out under a sequence.
func (s *shared) fanned(e *webhook.Event, sequence int64) fanned {
	s.database, s.collection = s.database.or(e.Database), s.collection.or(e.Collection)
	s.action = s.action.or(string(e.Action))
	return fanned{
		sequence: box(sequence), id: box(e.ID), database: s.database, collection: s.collection,
		record: box(e.Record().ID), parent: box(parentID(e)), action: s.action,
	}
}

// found sets what the event fans out to and when it was appended.
func (e *fanned) found(x webhook.Expansion, appended any) {
	e.Expansion, e.appended = x, appended
	e.Sequence = e.sequence.value
	e.lane = box(lane(e.database.value, e.collection.value, e.record.value))
}

// write writes events with their deliveries, but for those whose IDs others have.
func (f *fanOut) write(events []fanned) error {
	rows := f.tx.bulk(insertEvents)
	rows.counts = true
	for i := range events {
		e := &events[i]
		err := rows.add(len(e.Messages.JSON)+len(e.Messages.XML),
			e.sequence.argument, e.id.argument, e.database.argument, e.collection.argument, e.record.argument,
			e.parent.argument, e.action.argument, e.lane.argument, e.appended, e.Messages.JSON, e.Messages.XML)
		if err != nil {
			return err
		}
	}
	if err := rows.flush(); err != nil {
		return err
	}
	if rows.inserted < len(events) {
		var err error
		if events, err = f.written(events); err != nil {
			return err
		}
	}
	return f.deliverAll(events)
}

// written returns those of the events that were not passed over.
func (f *fanOut) written(events []fanned) ([]fanned, error) {
	written := events[:0]
	for i := range events {
		e := &events[i]
		var number int64 // of the event with this ID
		if err := f.tx.row(selectEventNumber, e.id.value).Scan(&number); err != nil {
			return nil, err
		}
		if number == e.Sequence {
			written = append(written, *e)
		}
	}
	return written, nil
}

// deliverAll writes the deliveries of events, and notes what else they have come to.
func (f *fanOut) deliverAll(events []fanned) error {
	if err := f.look(events); err != nil {
		return err
	}
	for i := range events {
		e := &events[i]
		for _, target := range e.Targets {
			if err := f.deliver(e, target); err != nil {
				return err
			}
		}
		for _, failure := range e.Failures {
			err := f.tx.run(noteFailure, callbackNumber(failure.Callback), failure.Message, f.now, e.Sequence, failure.Version)
			if err != nil {
				return err
			}
		}
	}
	if err := f.holding.flush(f.tx); err != nil {
		return err
	}
	return f.rows.flush()
}

// look looks up where deliveries are open of those that events are to have.
func (f *fanOut) look(events []fanned) error {
	others, err := f.tx.checkHeld()
	if err == nil && (others || f.tx.conn.held.tooMany()) {
		err = f.tx.writeOut()
	}
	var any bool
	if err == nil {
		err = f.tx.row(anyOpen).Scan(&any)
	}
	if err != nil || !any {
		return err
	}
	places := make([]place, 0, len(events))
	keys := f.tx.conn.keys.take(3 * len(events))
	defer func() { f.tx.conn.keys.give(keys) }()
	for i := range events {
		e := &events[i]
		for _, target := range e.Targets {
			to, err := f.addressee(target.Callback)
			if err != nil {
				return err
			}
			at := place{to.number, e.lane.value}
			if _, known := f.open[at]; known || !to.listens || target.Dead != "" {
				continue
			}
			f.open[at] = false
			keys = append(keys, int64(len(places)), to.argument, e.lane.argument)
			places = append(places, at)
		}
	}
	var i int64
	return selectOpen.all(f.tx, func(row scanner) error {
		err := row.Scan(&i)
		f.open[places[i]] = true
		return err
	}, keys)
}

// deliver writes the delivery of an event to a target.
func (f *fanOut) deliver(e *fanned, target webhook.Target) error {
	method, err := code(methods[:], "method", target.Method)
	if err != nil {
		return err
	}
	encoding, err := code(encodings[:], "encoding", target.Encoding)
	if err != nil {
		return err
	}
	to, err := f.addressee(target.Callback)
	if err != nil || !to.listens || to.last == e.Sequence {
		return err
	}
	to.last = e.Sequence
	state, ended, worker := ready, int64(0), webhook.Worker(0)
	if target.Dead != "" {
		state, ended = dead, f.now
	} else if state, worker, err = f.stand(e, to, methods[method]); err != nil {
		return err
	}
	if worker == 0 {
		return f.rows.add(len(target.Dead), e.sequence.argument, to.argument, e.lane.argument,
			stateNumber(state), int64(0), method, encoding, f.argument, ended, orNull(target.Dead))
	}
	f.holding.add(f.tx, deliveryKey{e.Sequence, to.number}, worker, f.argument, heldDelivery{
		lane: e.lane.argument, at: place{to.number, e.lane.value}, method: method, encoding: encoding,
	})
	f.birth.add(to, e, webhook.Delivery{
		ID: webhook.DeliveryID(e.id.value, to.id), EventID: e.id.value, Sequence: e.Sequence, Callback: to.id,
		Database: e.database.value, Collection: e.collection.value, Record: e.record.value,
		Action: webhook.Action(e.action.value),
		Method: methods[method], Encoding: encodings[encoding],
		State: webhook.DeliveryClaimed, Created: fromMillis(f.now),
	})
	return nil
}

// addressee looks a callback up, the first time.
func (f *fanOut) addressee(id string) (*addressee, error) {
	if known := f.addressees[id]; known != nil {
		return known, nil
	}
	number := callbackNumber(id)
	known := &addressee{id: id, number: number, argument: number}
	var state webhook.State
	err := f.tx.row(selectState, known.number).Scan(&state)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return nil, err
	}
	known.listens = err == nil && state != webhook.StateDisabled
	f.addressees[id] = known
	return known, nil
}

// stand returns the state in which the delivery of an event to a callback begins, and the
// worker that claims it, 0 for none.
func (f *fanOut) stand(e *fanned, to *addressee, method webhook.Method) (state string, worker webhook.Worker, err error) {
	at := place{to.number, e.lane.value}
	if f.tx.conn.held.occupied(at) || f.open[at] {
		return waiting, 0, nil
	}
	f.open[at] = true
	if f.birth != nil {
		worker, err = f.birth.claimant(f.tx, to, e.Messages.In(method))
	}
	if worker != 0 {
		return claimed, worker, err
	}
	f.left = true
	return ready, 0, err
}
