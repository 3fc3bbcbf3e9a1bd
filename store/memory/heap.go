package memory

import "cmp"

// A queue is a heap of ready deliveries, for container/heap. Each knows where it is.
type queue struct {
	items []*delivery
	less  func(a, b *delivery) bool
}

// earlier orders by event, dueEarlier by due time and then by event.
func earlier(a, b *delivery) bool { return a.event.sequence < b.event.sequence }

func dueEarlier(a, b *delivery) bool {
	return cmp.Or(cmp.Compare(a.due, b.due), cmp.Compare(a.event.sequence, b.event.sequence)) < 0
}

func (q *queue) Len() int           { return len(q.items) }
func (q *queue) Less(i, j int) bool { return q.less(q.items[i], q.items[j]) }

func (q *queue) Swap(i, j int) {
	q.items[i], q.items[j] = q.items[j], q.items[i]
	q.items[i].index, q.items[j].index = i, j
}

func (q *queue) Push(x any) {
	d := x.(*delivery)
	d.queue, d.index = q, len(q.items)
	q.items = append(q.items, d)
}

func (q *queue) Pop() any {
	last := len(q.items) - 1
	d := q.items[last]
	d.queue = nil
	q.items[last] = nil
	q.items = q.items[:last]
	return d
}
