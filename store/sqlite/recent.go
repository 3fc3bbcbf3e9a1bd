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
	mu     sync.Mutex
	events map[int64]recentEvent // by sequence
	bytes  int
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
	if r.events == nil {
		r.events = make(map[int64]recentEvent)
	}
	for _, e := range events {
		if e.Sequence != 0 && len(r.events) < recentEvents && r.bytes+e.size <= recentBytes {
			r.events[e.Sequence] = e
			r.bytes += e.size
		}
	}
}

// take returns an event, if it is kept, and forgets it: whoever has it may change it.
func (r *recent) take(sequence int64) (e recentEvent, found bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	e, found = r.events[sequence]
	r.bytes -= e.size
	delete(r.events, sequence)
	return e, found
}

// dropBefore makes room, when there is little left, by forgetting what another process has
// taken off the outbox: all that comes before the first of the pending events.
func (r *recent) dropBefore(pending []int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.events) < recentEvents/2 && r.bytes < recentBytes/2 {
		return
	}
	for sequence, e := range r.events {
		if len(pending) == 0 || sequence < pending[0] {
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
