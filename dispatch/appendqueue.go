package dispatch

import (
	"slices"
	"sync"
	"time"
)

// An appendQueue holds appendings until they are written. Who writes them is woken when as
// much has come as it waits for, and not for each.
type appendQueue struct {
	mu     sync.Mutex
	queued []*appending
	events int  // of these
	wanted int  // it is woken when there are so many
	closed bool // nothing more is written
	come   signal
}

func newAppendQueue() *appendQueue { return &appendQueue{wanted: 1, come: newSignal()} }

// push queues an appending. It reports false where nobody would write it.
func (q *appendQueue) push(a *appending) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return false
	}
	q.queued = append(q.queued, a)
	q.events += len(a.events)
	if q.events >= q.wanted {
		q.come.raise()
	}
	return true
}

// withdraw takes an appending back, if it still waits.
func (q *appendQueue) withdraw(a *appending) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	i := slices.Index(q.queued, a)
	if i < 0 {
		return false
	}
	q.queued = slices.Delete(q.queued, i, i+1)
	q.events -= len(a.events)
	return true
}

// gather waits, if anything is there, until so many events are, but not for longer than a
// time.
func (q *appendQueue) gather(events int, wait time.Duration, timer *time.Timer) {
	q.mu.Lock()
	few := 0 < q.events && q.events < events
	if few {
		q.wanted = events
		select {
		case <-q.come: // for what is there already
		default:
		}
	}
	q.mu.Unlock()
	if few {
		timer.Reset(wait)
		select {
		case <-q.come:
		case <-timer.C:
		}
		timer.Stop()
	}
}

// take returns what comes first, as much as a transaction takes, and how many events that
// are.
func (q *appendQueue) take() (batch []*appending, events int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	rows, bytes := 0, 0
	n := 0
	for n < len(q.queued) && events < appendBatch && rows < fanOutRows && bytes < fanOutMessages {
		a := q.queued[n]
		events += len(a.events)
		rows += a.rows
		bytes += a.bytes
		n++
	}
	batch = slices.Clone(q.queued[:n])
	q.queued = slices.Delete(q.queued, 0, n)
	q.events -= events
	q.wanted = 1
	return batch, events
}

// close returns what is not written.
func (q *appendQueue) close() (rest []*appending) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	rest, q.queued = q.queued, nil
	return rest
}
