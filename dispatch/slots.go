package dispatch

import (
	"sync"
	"time"

	"github.com/ringback-dev/ringback/webhook"
)

const (
	// maxInHand bounds the memory that the messages in the hands of a pool take, in
	// bytes.
	maxInHand = 32 << 20

	// maxReceivers bounds the receivers that are remembered. To be forgotten costs one
	// a request on probation.
	maxReceivers = 100_000

	// reserve is the share of a pool that is left to callbacks that have fewer than
	// Options.PerCallback requests in flight: one part of so many.
	reserve = 8
)

// slots counts the deliveries in hand: claimed and not yet settled. Callbacks that
// answered briskly the last time share one pool; those that did not, that keep failing,
// or that were never tried are on probation: they have a pool of their own, in which each
// has one request at a time. So receivers that hang take nothing from those that answer.
type slots struct {
	perCallback int           // requests in flight, to begin with
	timeout     time.Duration // of a request

	mu        sync.Mutex
	answering pool
	probation pool
	receivers map[string]*receiver // by callback
}

// A pool is a number of requests that may be in flight.
type pool struct {
	total int // deliveries
	taken int
	bytes int
}

func newSlots(o *Options) *slots {
	return &slots{
		perCallback: o.PerCallback,
		timeout:     o.Timeout,
		answering:   pool{total: o.Concurrency},
		probation:   pool{total: o.Probation},
		receivers:   make(map[string]*receiver),
	}
}

// pools returns the pools, each to be filled by itself.
func (s *slots) pools() []*pool { return []*pool{&s.answering, &s.probation} }

// free returns how many more deliveries a pool takes, and how many bytes their
// messages may have. Either may be below zero.
func (s *slots) free(p *pool) (deliveries, bytes int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return p.total - p.taken, maxInHand - p.bytes
}

// room returns how many more deliveries of a callback a pool takes: none when the
// callback belongs to the other one.
func (s *slots) room(p *pool, callback string, h webhook.Health) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	var known receiver
	if x := s.receivers[callback]; x != nil {
		known = *x
	}
	now := time.Now()
	if answers := known.answers && !circuitOpen(h); answers != (p == &s.answering) {
		return 0
	}
	if p == &s.probation {
		if circuitOpen(h) && !known.probes(h, now, s.timeout) {
			return 0
		}
		return max(1-known.inHand, 0)
	}
	room := known.limitAt(now, s.perCallback) - known.inHand
	spare := p.total - p.taken - p.total/reserve
	return max(min(room, max(s.perCallback-known.inHand, spare)), 0)
}

// take counts a delivery whose request has so many bytes.
func (s *slots) take(p *pool, callback string, bytes int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p.taken++
	p.bytes += bytes
	s.receiver(callback).take(time.Now(), s.perCallback)
}

// release is the end of take.
func (s *slots) release(p *pool, callback string, bytes int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p.taken--
	p.bytes -= bytes
	s.receiver(callback).inHand--
}

// note takes notice of how an attempt ended.
func (s *slots) note(callback string, a *webhook.Attempt) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.receiver(callback).note(a, time.Now(), s.perCallback, s.answering.total)
}

// notePause remembers that this engine pauses a callback, by a request that began at the
// given time. As in the store, of requests that were in flight together the longest pause
// counts.
func (s *slots) notePause(callback string, began, until time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.receiver(callback)
	if together := began.Before(r.pausedAt); !together || until.After(r.pausedUntil) {
		r.pausedUntil = until
	}
	r.pausedAt = time.Now()
}

// receiver returns what is known of a callback's receiver. When that would be too much,
// those are forgotten for which nothing is in hand.
func (s *slots) receiver(callback string) *receiver {
	known := s.receivers[callback]
	if known != nil {
		return known
	}
	if len(s.receivers) >= maxReceivers {
		for callback, other := range s.receivers {
			if other.inHand == 0 {
				delete(s.receivers, callback)
			}
		}
	}
	known = new(receiver)
	s.receivers[callback] = known
	return known
}
