package dispatch

import (
	"sync"
	"time"
)

const (
	// briskTime is within how much time an attempt must have ended, however it did,
	// for its callback to count as brisk.
	briskTime = time.Second

	// maxInHand bounds the memory that the messages in the hands of a pool take, in
	// bytes.
	maxInHand = 32 << 20

	// maxBrisk bounds the callbacks that are remembered as brisk. To be forgotten
	// costs a callback one request on probation.
	maxBrisk = 100_000
)

// slots counts the deliveries in hand: claimed and not yet settled. Callbacks that
// answered briskly the last time share one pool; those that did not, or were never
// tried, are on probation: they have a pool of their own, in which each has one request
// at a time. So receivers that hang take nothing from those that answer.
type slots struct {
	mu        sync.Mutex
	answering pool
	probation pool
	inHand    map[string]int  // by callback
	brisk     map[string]bool // by callback
}

// A pool is a number of requests that may be in flight.
type pool struct {
	total       int // deliveries
	perCallback int

	taken int
	bytes int
}

func newSlots(o *Options) *slots {
	return &slots{
		answering: pool{total: o.Concurrency, perCallback: o.PerCallback},
		probation: pool{total: o.Probation, perCallback: 1},
		inHand:    make(map[string]int),
		brisk:     make(map[string]bool),
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
func (s *slots) room(p *pool, callback string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.brisk[callback] != (p == &s.answering) {
		return 0
	}
	return p.perCallback - s.inHand[callback]
}

// take counts a delivery whose request has so many bytes.
func (s *slots) take(p *pool, callback string, bytes int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p.taken++
	p.bytes += bytes
	s.inHand[callback]++
}

// release is the end of take.
func (s *slots) release(p *pool, callback string, bytes int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p.taken--
	p.bytes -= bytes
	if s.inHand[callback]--; s.inHand[callback] == 0 {
		delete(s.inHand, callback)
	}
}

// note remembers how long a callback's last attempt took.
func (s *slots) note(callback string, took time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if took > briskTime {
		delete(s.brisk, callback)
		return
	}
	if len(s.brisk) >= maxBrisk && !s.brisk[callback] {
		clear(s.brisk)
	}
	s.brisk[callback] = true
}
