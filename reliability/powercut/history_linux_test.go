package powercut_test

import (
	"fmt"
	"strings"

	"github.com/ringback-dev/ringback/webhook"
)

// What notes say, each with what it is about.
const (
	saysBegun         = "begun"         // events, which may be there from now on
	saysCommitted     = "committed"     // events: from now on they must be
	saysReceived      = "received"      // a delivery, with the answer and a digest of the body
	saysPermanent     = "permanent"     // a callback that is told of all events and never deleted
	saysRegistered    = "registered"    // a callback
	saysUnregistering = "unregistering" // a callback, which may be gone from now on
	saysUnregistered  = "unregistered"  // a callback: from now on it must be
)

// A history is what was said up to a moment.
type history struct {
	begun     map[string]bool
	committed map[string]bool
	received  map[string][]receipt // by delivery
	permanent []string
	callbacks map[string]bool // false for those that must be gone
}

// A receipt is a request that a receiver has got.
type receipt struct {
	delivery string
	status   string // its answer
	digest   string // of the body
}

func (r receipt) success() bool { return r.status == "204" }

func newHistory() *history {
	return &history{
		begun: make(map[string]bool), committed: make(map[string]bool),
		received: make(map[string][]receipt), callbacks: make(map[string]bool),
	}
}

// add takes a note.
func (h *history) add(note string) error {
	words := strings.Fields(note)
	if len(words) < 2 {
		return fmt.Errorf("a note says %q", note)
	}
	says, about := words[0], words[1:]
	switch says {
	case saysBegun:
		for _, id := range about {
			h.begun[id] = true
		}
	case saysCommitted:
		for _, id := range about {
			h.committed[id] = true
		}
	case saysReceived:
		r := receipt{about[0], about[1], about[2]}
		h.received[r.delivery] = append(h.received[r.delivery], r)
	case saysPermanent:
		h.permanent = append(h.permanent, about[0])
		h.callbacks[about[0]] = true
	case saysRegistered:
		h.callbacks[about[0]] = true
	case saysUnregistering:
		delete(h.callbacks, about[0])
	case saysUnregistered:
		h.callbacks[about[0]] = false
	default:
		return fmt.Errorf("a note says %q", note)
	}
	return nil
}

// delivered reports whether a receiver has taken an event for a callback.
func (h *history) delivered(event, callback string) bool {
	return succeeded(h.received[webhook.DeliveryID(event, callback)])
}

func succeeded(receipts []receipt) bool {
	for _, r := range receipts {
		if r.success() {
			return true
		}
	}
	return false
}
