package sqlite

import "github.com/ringback-dev/ringback/webhook"

// Deliveries that are claimed as they are made are held: a row of ringback_held for each
// transaction says which they are, and whose, and the writer that has made them remembers it.
// Those that are delivered by their first attempt are written then, once, instead of twice;
// others are written before their outcome. What reads deliveries reads those that are held
// too; what changes others than a worker's own has all written out first.

// maxHeld and maxListed are how many rows of held deliveries there may be, and how many in
// their lists, before they are written out: one delivery that takes long keeps its row, and
// in the list what has ended.
const (
	maxHeld   = 64
	maxListed = 8192
)

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
