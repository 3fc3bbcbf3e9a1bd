package dispatch

import "sync"

// maxInHand bounds the memory that the messages in hand take, in bytes.
const maxInHand = 64 << 20

// slots counts the deliveries in hand: claimed and not yet settled.
type slots struct {
	total, perCallback int

	mu    sync.Mutex
	taken int
	bytes int
	of    map[string]int
}

func newSlots(o *Options) *slots {
	return &slots{total: o.Concurrency, perCallback: o.PerCallback, of: make(map[string]int)}
}

// free returns how many more deliveries may be taken in hand, and how many bytes their
// messages may have. Either may be below zero.
func (s *slots) free() (deliveries, bytes int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.total - s.taken, maxInHand - s.bytes
}

// busy reports whether anything is in hand.
func (s *slots) busy() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.taken > 0
}

// room returns how many more deliveries of one callback may be taken in hand.
func (s *slots) room(callback string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.perCallback - s.of[callback]
}

func (s *slots) take(callback string, bytes int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.taken++
	s.bytes += bytes
	s.of[callback]++
}

func (s *slots) release(callback string, bytes int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.taken--
	s.bytes -= bytes
	if s.of[callback]--; s.of[callback] == 0 {
		delete(s.of, callback)
	}
}
