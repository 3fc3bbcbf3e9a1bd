package sqlite

import (
	"errors"
	"strconv"

	"github.com/ringback-dev/ringback/webhook"
)

const (
	// Those of a worker that is 0 can't be read: see spoilHeld.
	selectHeld = "SELECT id, worker FROM ringback_held"

	insertHeld = "INSERT INTO ringback_held (id, worker, created, deliveries) VALUES (?, ?, ?, ?)"

	deleteHeld = "DELETE FROM ringback_held WHERE id = ?"

	// One whose event is gone, and so has no lane, is gone as well. The lanes are looked up one
	// by one: see history.go.
	writeOutHeld = `INSERT OR IGNORE INTO ringback_deliveries
		(event_sequence, callback_id, lane, state, worker, method, encoding, created)
	SELECT value ->> 0, value ->> 1, (SELECT lane FROM ringback_events WHERE sequence = value ->> 0),
		` + heldState + `, iif(` + isHolder + `, worker, 0), value ->> 2, value ->> 3, created` + fromHeld

	forgetHeld = "DELETE FROM ringback_held WHERE " + soundHeld

	// What can't be read stays, to be mended by hand. Nobody holds it.
	spoilHeld = "UPDATE ringback_held SET worker = 0 WHERE worker <> 0 AND NOT (" + soundHeld + ")"
)

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
