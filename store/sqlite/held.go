package sqlite

import (
	"errors"
	"math"
	"slices"
	"strconv"

	"github.com/ringback-dev/ringback/webhook"
)

// Deliveries that are claimed as they are made are held: a row of ringback_held for each
// transaction says which they are, and whose, and the writer that has made them remembers it.
// Those that are delivered by their first attempt are written then, once, instead of twice;
// others are written before their outcome. What reads deliveries reads those that are held
// too; what changes others than a worker's own has all written out first.

const (
	// Those of a worker that is 0 can't be read: see spoilHeld.
	selectHeld = "SELECT id, worker FROM ringback_held"

	insertHeld = "INSERT INTO ringback_held (id, worker, created, deliveries) VALUES (?, ?, ?, ?)"

	deleteHeld = "DELETE FROM ringback_held WHERE id = ?"

	// soundHeld tells that a row's list can be read.
	soundHeld = `CASE WHEN NOT json_valid(deliveries) OR deliveries ->> '$[0][0]' IS NOT ringback_held.id THEN false
		ELSE NOT EXISTS (SELECT 1 FROM json_each(deliveries) AS entry
			WHERE CASE WHEN entry.type <> 'array' OR json_array_length(entry.value) <> 4 THEN true
				ELSE EXISTS (SELECT 1 FROM json_each(entry.value) AS number WHERE typeof(number.value) <> 'integer') END) END`

	// fromHeld are the entries of all lists that can be read.
	fromHeld = ` FROM ringback_held CROSS JOIN json_each(CASE WHEN ` + soundHeld + ` THEN deliveries ELSE '[]' END)`

	// One whose worker is gone, as its row could not be read when that ended, is ready.
	heldState = "iif(" + isHolder + ", " + claimed + ", " + ready + ")"
	isHolder  = "EXISTS (SELECT 1 FROM ringback_claimers WHERE ringback_claimers.id = worker)"

	// One whose event is gone, and so has no lane, is gone as well. The lanes are looked up one
	// by one: see history.go.
	writeOutHeld = `INSERT OR IGNORE INTO ringback_deliveries
		(event_sequence, callback_id, lane, state, worker, method, encoding, created)
	SELECT value ->> 0, value ->> 1, (SELECT lane FROM ringback_events WHERE sequence = value ->> 0),
		` + heldState + `, iif(` + isHolder + `, worker, 0), value ->> 2, value ->> 3, created` + fromHeld

	forgetHeld = "DELETE FROM ringback_held WHERE " + soundHeld

	// What can't be read stays, to be mended by hand. Nobody holds it.
	spoilHeld = "UPDATE ringback_held SET worker = 0 WHERE worker <> 0 AND NOT (" + soundHeld + ")"

	damagedHeld = "SELECT id FROM ringback_held WHERE id <= ? AND NOT (" + soundHeld + ")"

	// What is in ringback_deliveries as well is only what it is there.
	onlyHeld = `NOT EXISTS (SELECT 1 FROM ringback_deliveries
		WHERE event_sequence = value ->> 0 AND callback_id = value ->> 1)`

	// With the columns of deliveryColumns.
	selectHeldDeliveries = `SELECT value ->> 0, value ->> 1, ` + heldState + `, 0, 0, 0, 0, value ->> 2, value ->> 3, created, 0, ''` +
		fromHeld + ` WHERE ` + onlyHeld + `
		AND (SELECT c.id FROM ringback_callbacks AS c WHERE c.id = value ->> 1) IS NOT NULL
		AND (SELECT sequence FROM ringback_events WHERE sequence = value ->> 0) IS NOT NULL`

	selectHeldDelivery = selectHeldDeliveries + " AND value ->> 0 = ? AND value ->> 1 = ?"

	// Whether any delivery that is in its table is open.
	anyOpen = "SELECT EXISTS (SELECT 1 FROM ringback_deliveries INDEXED BY ringback_deliveries_order WHERE ended = 0)"
)

// maxHeld and maxListed are how many rows of held deliveries there may be, and how many in
// their lists, before they are written out: one delivery that takes long keeps its row, and
// in the list what has ended.
const (
	maxHeld   = 64
	maxListed = 8192
)

// insertEnded writes deliveries that were held and have been delivered by their first attempt.
var insertEnded = newBulk(`INSERT INTO ringback_deliveries
	(event_sequence, callback_id, lane, state, attempts, method, encoding, created, ended)`,
	"(?, ?, ?, "+delivered+", 1, ?, ?, ?, ?)", "")

// A heldRow is a row of ringback_held.
type heldRow struct {
	id      int64
	worker  webhook.Worker
	created any  // as an argument
	left    int  // deliveries that are held
	listed  int  // the same, and those that were
	fresh   bool // the transaction under way has added it
}

// A heldDelivery is one that is held.
type heldDelivery struct {
	row              *heldRow
	at               place
	lane             any // the lane of that, as an argument
	method, encoding int
}

// held is what a writer remembers of the deliveries that it has made and that are held. What
// a transaction changes is undone with it.
type held struct {
	rows       map[int64]*heldRow
	deliveries map[deliveryKey]heldDelivery
	places     map[place]bool // where they are, and whether others wait for them

	// Of the transaction under way.
	added   []*heldRow
	made    []deliveryKey
	taken   []takenDelivery
	removed []*heldRow
}

// A takenDelivery is one that is not held any more.
type takenDelivery struct {
	key deliveryKey
	heldDelivery
}

func newHeld() *held {
	return &held{
		rows:       make(map[int64]*heldRow),
		deliveries: make(map[deliveryKey]heldDelivery),
		places:     make(map[place]bool),
	}
}

// add remembers a row, to which deliveries are then to be added.
func (h *held) add(r *heldRow) {
	r.fresh = true
	h.rows[r.id] = r
	h.added = append(h.added, r)
}

// hold remembers a delivery of a row.
func (h *held) hold(key deliveryKey, d heldDelivery) {
	d.row.left++
	d.row.listed++
	h.deliveries[key] = d
	h.places[d.at] = false
	h.made = append(h.made, key)
}

// occupied reports whether a delivery at a place is held, for which another one is to wait.
func (h *held) occupied(at place) bool {
	if _, found := h.places[at]; !found {
		return false
	}
	h.places[at] = true // for good: that nobody waits is no harm
	return true
}

// take forgets a delivery.
func (h *held) take(key deliveryKey, d heldDelivery) {
	d.row.left--
	delete(h.deliveries, key)
	delete(h.places, d.at)
	h.taken = append(h.taken, takenDelivery{key, d})
}

// remove forgets a row of which nothing is left.
func (h *held) remove(r *heldRow) {
	delete(h.rows, r.id)
	h.removed = append(h.removed, r)
}

// forget forgets everything.
func (h *held) forget() {
	for key, d := range h.deliveries {
		h.take(key, d)
	}
	for _, r := range h.rows {
		h.remove(r)
	}
}

// keep makes the changes of the transaction last.
func (h *held) keep() {
	for _, r := range h.added {
		r.fresh = false
	}
	clear(h.added)
	clear(h.taken)
	clear(h.removed)
	h.added, h.made, h.taken, h.removed = h.added[:0], h.made[:0], h.taken[:0], h.removed[:0]
}

// undo takes them back.
func (h *held) undo() {
	for _, key := range h.made {
		if d, found := h.deliveries[key]; found {
			delete(h.places, d.at)
			delete(h.deliveries, key)
		}
	}
	for _, r := range h.added {
		delete(h.rows, r.id)
	}
	for _, r := range h.removed {
		if !r.fresh {
			h.rows[r.id] = r
		}
	}
	for _, t := range h.taken {
		if !t.row.fresh {
			t.row.left++
			h.deliveries[t.key] = t.heldDelivery
			h.places[t.at] = true // it may be
		}
	}
	h.keep()
}

// tooMany reports whether it is time to write out what is held.
func (h *held) tooMany() bool {
	listed := 0
	for _, r := range h.rows {
		listed += r.listed
	}
	return len(h.rows) >= maxHeld || listed >= maxListed
}

// lookAtHeld returns how many rows there are of those that the writer remembers, whether
// others hold deliveries, and whether there are any that can't be read, or could not.
func (t tx) lookAtHeld() (known int, others, spoiled bool, err error) {
	var id, worker int64
	err = t.rows(func(row scanner) error {
		err := row.Scan(&id, &worker)
		switch {
		case worker == 0:
			spoiled = true
		case t.conn.held.rows[id] != nil:
			known++
		default:
			others = true
		}
		return err
	}, selectHeld)
	return known, others, spoiled, err
}

// checkHeld compares what the writer remembers with what there is, and reports whether other
// writers hold deliveries. What they have written out is no longer held.
func (t tx) checkHeld() (others bool, err error) {
	h := t.conn.held
	known, others, _, err := t.lookAtHeld()
	switch {
	case err != nil || known == len(h.rows):
		return others, err
	case known > 0: // somebody has removed rows by hand, or some are damaged
		return false, t.writeOut()
	}
	h.forget()
	return others, nil
}

// takeHeld takes a delivery that a worker holds away from what is held, for it to be written,
// and reports whether others may wait for it.
func (t tx) takeHeld(key deliveryKey, w webhook.Worker) (d heldDelivery, found, awaited bool, err error) {
	h := t.conn.held
	d, found = h.deliveries[key]
	if !found || d.row.worker != w {
		return heldDelivery{}, false, false, nil
	}
	awaited = h.places[d.at]
	h.take(key, d)
	if d.row.left == 0 {
		h.remove(d.row)
		err = t.run(deleteHeld, d.row.id)
	}
	return d, true, awaited, err
}

// writeOut writes the deliveries that are held to their table: as the writer remembers them,
// without those that have ended, or as their rows have it.
func (t tx) writeOut() error {
	h := t.conn.held
	known, others, spoiled, err := t.lookAtHeld()
	if err != nil {
		return err
	}
	if known == len(h.rows) {
		if err := t.writeOutOwn(); err != nil {
			return err
		}
	} else {
		others = others || known > 0
	}
	h.forget()
	if !others && !spoiled {
		return nil
	}
	for _, statement := range [...]string{spoilHeld, writeOutHeld, forgetHeld} {
		if err := t.run(statement); err != nil {
			return err
		}
	}
	return nil
}

// writeOutOwn writes what the writer remembers, which is all that it holds.
func (t tx) writeOutOwn() error {
	h := t.conn.held
	standing := make(map[webhook.Worker]string)
	rows := t.bulk(insertDeliveries)
	for key, d := range h.deliveries {
		w := d.row.worker
		state, known := standing[w]
		if !known {
			state = claimed
			err := t.fence(w)
			if errors.Is(err, webhook.ErrFenced) { // somebody has removed it by hand
				state = ready
			} else if err != nil {
				return err
			}
			standing[w] = state
		}
		if state == ready {
			w = 0
		}
		if err := rows.add(0, d.insertion(key, state, w)...); err != nil {
			return err
		}
	}
	if err := rows.flush(); err != nil {
		return err
	}
	for id := range h.rows {
		if err := t.run(deleteHeld, id); err != nil {
			return err
		}
	}
	return nil
}

// insertion returns the values of insertDeliveries for one that is open.
func (d *heldDelivery) insertion(key deliveryKey, state string, w webhook.Worker) []any {
	return []any{key.sequence, key.callback, d.lane, stateNumber(state), int64(w), d.method, d.encoding, d.row.created, int64(0), nil}
}

// heldDeliveries returns the deliveries that are held and that a query selects, in no order
// and without what their events say.
func (t tx) heldDeliveries(query webhook.DeliveryQuery, all map[string]ending, unread *damage) ([]foundDelivery, error) {
	switch query.State {
	case webhook.DeliveryDelivered, webhook.DeliveryWaiting:
		return nil, nil
	case webhook.DeliveryDead:
		if len(all) == 0 {
			return nil, nil
		}
	}
	if err := t.noteHeld(math.MaxInt64, unread); err != nil {
		return nil, err
	}
	conditions := ""
	var args []any
	if query.Callback != "" {
		conditions += " AND value ->> 1 = ?"
		args = append(args, callbackNumber(query.Callback))
	}
	if !query.Since.IsZero() {
		conditions += " AND created >= ?"
		args = append(args, millis(query.Since))
	}
	if !query.Until.IsZero() {
		conditions += " AND created < ?"
		args = append(args, millis(query.Until))
	}
	if query.Record != "" {
		conditions += " AND ? = (SELECT record_id FROM ringback_events WHERE sequence = value ->> 0)"
		args = append(args, query.Record)
	}
	found, err := t.findDeliveries(selectHeldDeliveries+conditions, args...)
	if err != nil || query.State == "" {
		return found, err
	}
	return slices.DeleteFunc(found, func(f foundDelivery) bool {
		show(&f.Delivery, all)
		return f.State != query.State
	}), nil
}

// noteHeld notes the lists of held deliveries that can't be read, of those that begin with an
// event or one before it.
func (t tx) noteHeld(sequence int64, unread *damage) error {
	return t.rows(func(row scanner) error {
		var id int64
		if err := row.Scan(&id); err != nil {
			return err
		}
		return unread.note(damaged("held deliveries of event %d", id))
	}, damagedHeld, sequence)
}

// A holding is what a fan-out holds.
type holding struct {
	row  *heldRow // nil while there is nothing
	list []byte   // of the deliveries, in JSON
}

// add has a delivery be held by a worker.
func (g *holding) add(t tx, key deliveryKey, w webhook.Worker, created any, d heldDelivery) {
	if g.row == nil {
		g.row = &heldRow{id: key.sequence, worker: w, created: created}
		t.conn.held.add(g.row)
	}
	d.row = g.row
	t.conn.held.hold(key, d)
	separator := byte(',')
	if len(g.list) == 0 {
		separator = '['
	}
	g.list = append(g.list, separator, '[')
	for i, n := range [...]int64{key.sequence, key.callback, int64(d.method), int64(d.encoding)} {
		if i > 0 {
			g.list = append(g.list, ',')
		}
		g.list = strconv.AppendInt(g.list, n, 10)
	}
	g.list = append(g.list, ']')
}

// flush writes the row.
func (g *holding) flush(t tx) error {
	if g.row == nil {
		return nil
	}
	return t.run(insertHeld, g.row.id, int64(g.row.worker), g.row.created, string(append(g.list, ']')))
}
