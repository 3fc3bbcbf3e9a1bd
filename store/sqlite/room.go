package sqlite

import "slices"

// A room is memory for values that the works of a connection use one after the other, so
// that it need not be taken anew for each.
type room[T any] struct{ free []T }

// keptRoom is for how many values it is kept.
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
