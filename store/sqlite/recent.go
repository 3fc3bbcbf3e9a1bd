package sqlite

import (
	"sync"

	"github.com/ringback-dev/ringback/webhook"
)

// How much recent keeps: events, and bytes of their encoded forms.
const (
	recentEvents = 4096
	recentBytes  = 8 << 20
)

// recent are events that this store has appended and that may be pending, so that they
// need not be read back and decoded. What is in the database counts: any of them may be
// forgotten, and one that is no longer pending there is of no use.
type recent struct {
	mu        sync.Mutex
	events    map[int64]*recentEvent // by sequence
	bytes     int
	low, high int64 // between which the sequences of all are
}

// A recentEvent is an event as [webhook.DecodeEvent] would give it.
type recentEvent struct {
	webhook.Event
	size int // of its encoded form
}

// keep returns what is to be kept of events.
func keep(prepared []preparedEvent) []recentEvent {
	kept := make([]recentEvent, len(prepared))
	for i := range prepared {
		p := &prepared[i]
		kept[i] = recentEvent{p.event.Stored(), len(p.encoded)}
		kept[i].Sequence = p.sequence
	}
	return kept
}

// add keeps events that were committed, while there is room. Those without a sequence
// were not appended.
func (r *recent) add(events []recentEvent) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, e := range events {
		if e.Sequence != 0 && len(r.events) < recentEvents && r.bytes+e.size <= recentBytes {
			r.put(&e)
		}
	}
}

// put keeps an event. The caller holds the lock.
func (r *recent) put(e *recentEvent) {
	if r.events == nil {
		r.events = make(map[int64]*recentEvent)
	}
	if len(r.events) == 0 {
		r.low, r.high = e.Sequence, e.Sequence
	}
	r.low, r.high = min(r.low, e.Sequence), max(r.high, e.Sequence)
	r.events[e.Sequence] = e
	r.bytes += e.size
}

// span returns the sequences between which all are that are kept. low is behind high where
// there are none.
func (r *recent) span() (low, high int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.events) == 0 {
		return 1, 0
	}
	return r.low, r.high
}

// take returns an event, nil where it is not kept, and forgets it: whoever has it may
// change it. Another one may have its number, where a host has emptied the tables.
func (r *recent) take(sequence int64, id string) *recentEvent {
	r.mu.Lock()
	defer r.mu.Unlock()
	e := r.events[sequence]
	if e == nil {
		return nil
	}
	r.bytes -= e.size
	delete(r.events, sequence)
	if e.ID != id {
		return nil
	}
	return e
}

// putBack keeps an event that was taken in vain.
func (r *recent) putBack(e *recentEvent) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.put(e)
}

// dropBefore makes room, when there is little left, by forgetting what another process has
// taken off the outbox: all that comes before the first of the pending events.
func (r *recent) dropBefore(first int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.events) < recentEvents/2 && r.bytes < recentBytes/2 {
		return
	}
	for sequence, e := range r.events {
		if sequence < first {
			r.bytes -= e.size
			delete(r.events, sequence)
		}
	}
}

// clear forgets everything.
func (r *recent) clear() {
	r.mu.Lock()
	defer r.mu.Unlock()
	clear(r.events)
	r.bytes = 0
}
