// Package memory is a store that keeps everything in the memory of the process: for
// unit tests of host code, and to try things out. Nothing survives the process.
//
// It starts no goroutine and never polls, so it works inside a bubble of
// testing/synctest.
package memory

import (
	"strconv"
	"sync"
	"time"

	"github.com/ringback-dev/ringback/webhook"
)

var (
	_ webhook.Store         = (*Store)(nil)
	_ webhook.FanOutClaimer = (*Store)(nil)
)

// A Store is a [webhook.Store] in memory. Make one with [New].
type Store struct {
	// MaxBacklog is how much may wait: events that are not fanned out, and open
	// deliveries. What would make it more is refused with [webhook.ErrBacklogFull]. 0,
	// the default, sets no limit. Not to be changed once the store is in use.
	MaxBacklog int

	mu sync.Mutex // guards everything below

	callbacks    []*callback // in the order of creation, which is that of their IDs
	lastCallback int64
	revision     int64

	events       []*event // in the order of their sequence
	byID         map[string]*event
	pending      []*event // in order; some behind the first may be fanned out already
	lastSequence int64
	backlog      int // how many events are not fanned out, and deliveries open

	lastReplaying int64 // the number of the callback that had deliveries replayed last

	workers    map[webhook.Worker]*worker
	lastWorker webhook.Worker

	watchers map[chan struct{}]bool
}

// New returns an empty store.
func New() *Store {
	return &Store{
		byID:     make(map[string]*event),
		workers:  make(map[webhook.Worker]*worker),
		watchers: make(map[chan struct{}]bool),
	}
}

// A callback is a registered callback with its deliveries.
type callback struct {
	webhook.Callback
	number     int64
	pausedFrom time.Time        // when the pause was noted
	replays    []*replayRequest // the oldest first
	deliveries map[*event]*delivery
	lanes      map[lane][]*delivery
	ready      queue     // may be claimed, earliest event first
	scheduled  queue     // to be ready later, earliest due first
	promoted   time.Time // when those that were due then became ready
}

// A record names a record of the host's.
type record struct {
	scope webhook.Scope
	id    string
}

// An event is an appended event.
type event struct {
	id         string
	sequence   int64
	record     record
	parent     string // the ID of the profile that the record is a subprofile of
	action     webhook.Action
	appended   time.Time
	content    *webhook.Event // nil once it is fanned out
	size       int            // of its encoded form
	messages   map[webhook.Method][]byte
	deliveries map[*callback]*delivery
}

// A delivery is one event on its way to one callback.
type delivery struct {
	event    *event
	callback *callback
	method   webhook.Method
	encoding webhook.Encoding
	state    webhook.DeliveryState
	reason   string
	passed   bool
	replayed bool
	earlier  int
	due      time.Time         // zero: at once
	from     time.Time         // what due counts from: the last attempt, or its correction
	worker   *worker           // set while claimed
	attempts []webhook.Attempt // the last ones
	tried    int               // attempts
	created  time.Time
	ended    time.Time
}

// A worker is a registered worker with its claims.
type worker struct {
	beat   int64
	claims map[*delivery]bool
}

// id returns the text of a callback's number.
func id(number int64) string { return strconv.FormatInt(number, 10) }

// millis cuts a time to what stores keep of it.
func millis(t time.Time) time.Time {
	if t.IsZero() {
		return time.Time{}
	}
	return t.UTC().Truncate(time.Millisecond)
}

func now() time.Time { return millis(time.Now()) }
