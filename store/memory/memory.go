// Package memory is a store that keeps everything in the memory of the process: for
// unit tests of host code, and to try things out. Nothing survives the process.
//
// It starts no goroutine and never polls, so it works inside a bubble of
// testing/synctest.
package memory

import (
	"sync"

	"github.com/ringback-dev/ringback/webhook"
)

var (
	_ webhook.Store         = (*Store)(nil)
	_ webhook.FanOutClaimer = (*Store)(nil)
	_ webhook.AppendClaimer = (*Store)(nil)
)

// A Store is a [webhook.Store] in memory. Make one with [New].
type Store struct {
	// MaxBacklog is how much may wait: events that are not fanned out, and open
	// deliveries. What would make it more is refused with [webhook.ErrBacklogFull]. 0,
	// the default, sets no limit. Not to be changed once the store is in use.
	MaxBacklog int

	mu sync.Mutex // guards everything below

	callbacks    ring
	registered   map[string]*callback   // by ID
	bound        map[webhook.Scope]ring // by what exactly they are bound to
	listed       map[webhook.Scope]int  // how many a database or a collection has
	lastCallback int64
	revision     int64

	events       []*event // in the order of their sequence
	byID         map[string]*event
	pending      []*event // in order; some behind the first may be fanned out already
	lastSequence int64
	backlog      int // how many events are not fanned out, and deliveries open

	working   ring    // the callbacks that have deliveries ready
	scheduled queue   // deliveries to be ready later, earliest due first
	promoted  instant // when the last one was due of those that have become ready

	replaying     ring  // the callbacks that deliveries are to be replayed of
	lastReplaying int64 // the number of the one that had its turn last

	workers    map[webhook.Worker]*worker
	lastWorker webhook.Worker
	lastBatch  int64

	watchers map[chan struct{}]bool
}

// New returns an empty store.
func New() *Store {
	return &Store{
		registered: make(map[string]*callback),
		bound:      make(map[webhook.Scope]ring),
		listed:     make(map[webhook.Scope]int),
		byID:       make(map[string]*event),
		scheduled:  queue{less: dueEarlier},
		workers:    make(map[webhook.Worker]*worker),
		watchers:   make(map[chan struct{}]bool),
	}
}

// A callback is a registered callback with its deliveries.
type callback struct {
	webhook.Callback
	number     int64            // its ID
	pausedFrom instant          // when the pause was noted
	replays    []*replayRequest // the oldest first
	deliveries []*delivery      // in no order
	lanes      map[lane]line
	ready      queue // may be claimed, earliest event first

	batch int64 // the last claim that has asked for room, and what is left of that
	room  int
}

// A record names a record of the host's.
type record struct {
	scope webhook.Scope
	id    string
}

// An event is an appended event.
type event struct {
	id         string
	sequence   int64 // zero until it is appended
	record     record
	parent     string // the ID of the profile that the record is a subprofile of
	action     webhook.Action
	appended   instant
	content    *webhook.Event // set while it is pending
	size       int            // of its encoded form
	deliveries []*delivery    // in the order of their callbacks

	// Most events have one delivery: there is room for it in the same allocation.
	only    delivery
	onlyOne [1]*delivery
}

// A delivery is one event on its way to one callback.
type delivery struct {
	event    *event
	callback *callback
	place    int // among those of the callback
	method   webhook.Method
	encoding webhook.Encoding
	message  []byte // shared with others of the event; nil: none
	state    webhook.DeliveryState
	reason   string
	passed   bool
	replayed bool
	due      instant           // zero: at once
	from     instant           // what due counts from: the last attempt, or its correction
	attempts []webhook.Attempt // the last ones
	tried    int               // attempts
	earlier  int
	created  instant
	ended    instant

	next   *delivery // the one that waits behind it
	queue  *queue    // that it is in, while ready
	worker *worker   // that it belongs to, while claimed
	index  int       // in the queue, or among the worker's claims
}

// wake lets the watchers know that there may be work.
func (s *Store) wake() {
	for woken := range s.watchers {
		select {
		case woken <- struct{}{}:
		default: // it is to wake up already
		}
	}
}
