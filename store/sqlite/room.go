package sqlite

import "slices"

// A room is memory for values that the works of a connection use one after the other, so
// that it need not be taken anew for each.
type room[T any] struct{ free []T }

// A tableRoom is the same for a table.
type tableRoom[K comparable] struct{ free map[K]bool }

// keptRoom is for how many values room is kept.
const keptRoom = 4096

// take returns an empty slice with room for so many values. It is the taker's alone until
// it is given back, which need not be.
func (r *room[T]) take(values int) []T {
	taken := r.free
	r.free = nil
	return slices.Grow(taken, values)
}

// give gives back what was taken, and forgets what is in it.
func (r *room[T]) give(taken []T) {
	if cap(taken) <= keptRoom {
		clear(taken)
		r.free = taken[:0]
	}
}

// take returns an empty table.
func (r *tableRoom[K]) take() map[K]bool {
	taken := r.free
	if r.free = nil; taken == nil {
		taken = make(map[K]bool)
	}
	return taken
}

// give gives back what was taken, and forgets what is in it.
func (r *tableRoom[K]) give(taken map[K]bool) {
	if len(taken) <= keptRoom {
		clear(taken)
		r.free = taken
	}
}
