package sqlite

import (
	"context"
	"strconv"

	"github.com/ringback-dev/ringback/webhook"
)

// Deliveries that are claimed as they are made are written when they have ended, once,
// instead of then and before. Until then they are held: a row of ringback_held for each
// transaction says which they are, and whose, and the writer that has made them remembers
// it. Whoever else wants to know of them writes them out first.

const (
	selectHeld = "SELECT id FROM ringback_held"

	anyHeld = "SELECT EXISTS (SELECT 1 FROM ringback_held)"

	insertHeld = "INSERT INTO ringback_held (id, worker, created, deliveries) VALUES (?, ?, ?, ?)"

	deleteHeld = "DELETE FROM ringback_held WHERE id = ?"

	// One whose event is gone, and so has no lane, is gone as well; one whose worker is gone,
	// as its row could not be read when that ended, is ready. The lanes are looked up one by
	// one: see history.go.
	writeOutHeld = `INSERT OR IGNORE INTO ringback_deliveries
		(event_sequence, callback_id, lane, state, worker, method, encoding, created)
	SELECT CAST(value ->> 0 AS INTEGER), CAST(value ->> 1 AS INTEGER),
		(SELECT lane FROM ringback_events WHERE sequence = value ->> 0),
		iif(` + isWorker + `, ` + claimed + `, ` + ready + `), iif(` + isWorker + `, worker, 0),
		CAST(value ->> 2 AS INTEGER), CAST(value ->> 3 AS INTEGER), created
	FROM ringback_held CROSS JOIN json_each(iif(json_valid(deliveries), deliveries, '[]'))
	WHERE type = 'array'`

	isWorker = "EXISTS (SELECT 1 FROM ringback_claimers AS c WHERE c.id = worker)"

	forgetHeld = "DELETE FROM ringback_held WHERE json_valid(deliveries)"

	// What can't be read stays, to be mended by hand.
	damagedHeld = "SELECT id FROM ringback_held WHERE NOT json_valid(deliveries)"

	// Whether any delivery that is in its table is open.
	anyOpen = "SELECT EXISTS (SELECT 1 FROM ringback_deliveries INDEXED BY ringback_deliveries_open WHERE ended = 0)"
)

// maxHeld is how many rows of held deliveries there may be before they are written out: one
// delivery that takes long keeps its row.
const maxHeld = 64

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
	fresh   bool // the transaction under way has added it
}

// A heldDelivery is one that is held.
type heldDelivery struct {
	row              *heldRow
	at               place
	lane             any // the lane of that, as an argument
	method, encoding int
	awaited          bool // of one that is taken: others may wait for it
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

// checkHeld compares what the writer remembers with what there is, and reports whether other
// writers hold deliveries. What they have written out is no longer held.
func (t tx) checkHeld() (others bool, err error) {
	h := t.conn.held
	known := 0
	err = t.rows(func(row scanner) error {
		var id int64
		if err := row.Scan(&id); err != nil {
			return err
		}
		if h.rows[id] != nil {
			known++
		} else {
			others = true
		}
		return nil
	}, selectHeld)
	switch {
	case err != nil || known == len(h.rows):
		return others, err
	case known > 0: // somebody has removed rows by hand
		return false, t.writeOut()
	}
	h.forget()
	return others, nil
}

// takeHeld takes a delivery that a worker holds away from what is held, for it to be written.
func (t tx) takeHeld(key deliveryKey, w webhook.Worker) (d heldDelivery, found bool, err error) {
	h := t.conn.held
	d, found = h.deliveries[key]
	if !found || d.row.worker != w {
		return heldDelivery{}, false, nil
	}
	d.awaited = h.places[d.at]
	h.take(key, d)
	if d.row.left == 0 {
		h.remove(d.row)
		err = t.run(deleteHeld, d.row.id)
	}
	return d, true, err
}

// writeOut writes the deliveries that are held to their table.
func (t tx) writeOut() error {
	var found bool
	if err := t.row(anyHeld).Scan(&found); err != nil {
		return err
	}
	if found {
		if err := t.run(writeOutHeld); err != nil {
			return err
		}
		if err := t.run(forgetHeld); err != nil {
			return err
		}
	}
	t.conn.held.forget()
	return nil
}

// showHeld has the deliveries that are held be in their table for reads to come. Where others
// write for so long that this takes more than readersWait, they are not.
func (s *Store) showHeld(ctx context.Context) error {
	var found bool
	err := s.urgent.read(ctx, "held deliveries", func(tx tx) error { return tx.row(anyHeld).Scan(&found) })
	if err != nil || !found {
		return err
	}
	wait, cancel := context.WithTimeout(ctx, readersWait)
	defer cancel()
	_ = s.write(wait, "held deliveries", stepSize, func(tx) error { return nil })
	return nil
}

// readDeliveries runs queries about deliveries that see the database as of one moment.
func (s *Store) readDeliveries(ctx context.Context, what string, work func(tx) error) error {
	if err := s.showHeld(ctx); err != nil {
		return err
	}
	return s.readers.read(ctx, what, work)
}

// noteHeld notes what can't be read.
func (t tx) noteHeld(unread *damage) error {
	return t.rows(func(row scanner) error {
		var id int64
		if err := row.Scan(&id); err != nil {
			return err
		}
		return unread.note(damaged("held deliveries of event %d", id))
	}, damagedHeld)
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
