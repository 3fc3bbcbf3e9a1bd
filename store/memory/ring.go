package memory

import (
	"cmp"
	"slices"
)

// A ring holds callbacks in the order of their creation, to be visited round and round.
type ring []*callback

// add returns the ring with a callback that was not in it.
func (r ring) add(c *callback) ring { return slices.Insert(r, r.behind(c.number), c) }

// remove returns the ring without a callback, if it is there.
func (r ring) remove(c *callback) ring {
	if i := r.behind(c.number) - 1; i >= 0 && r[i] == c {
		return slices.Delete(r, i, i+1)
	}
	return r
}

// next returns the callback whose turn it is after that of a number, which need not be
// in the ring. The ring must not be empty.
func (r ring) next(number int64) *callback { return r[r.behind(number)%len(r)] }

// behind returns the index of the first callback behind a number.
func (r ring) behind(number int64) int {
	i, _ := slices.BinarySearchFunc(r, number+1, func(c *callback, want int64) int {
		return cmp.Compare(c.number, want)
	})
	return i
}
