package memory

import (
	"cmp"
	"container/heap"
	"slices"
	"time"
)

// A queue is a heap of deliveries, for container/heap.
type queue struct {
	items []*delivery
	less  func(a, b *delivery) bool
}

// earlier orders by event, dueEarlier by due time and then by event.
func earlier(a, b *delivery) bool { return a.event.sequence < b.event.sequence }

func dueEarlier(a, b *delivery) bool {
	return cmp.Or(time.Time.Compare(a.due, b.due), cmp.Compare(a.event.sequence, b.event.sequence)) < 0
}

func (q *queue) Len() int           { return len(q.items) }
func (q *queue) Less(i, j int) bool { return q.less(q.items[i], q.items[j]) }
func (q *queue) Swap(i, j int)      { q.items[i], q.items[j] = q.items[j], q.items[i] }
func (q *queue) Push(d any)         { q.items = append(q.items, d.(*delivery)) }

func (q *queue) Pop() any {
	last := len(q.items) - 1
	d := q.items[last]
	q.items[last] = nil
	q.items = q.items[:last]
	return d
}

// remove takes a delivery out, if it is there. Those that came last are found first.
func (q *queue) remove(d *delivery) {
	for i, other := range slices.Backward(q.items) {
		if other == d {
			heap.Remove(q, i)
			return
		}
	}
}
