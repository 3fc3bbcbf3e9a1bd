package dispatch

import (
	"slices"
	"time"

	"github.com/ringback-dev/ringback/webhook"
)

// A reservation is the room that a claim was told of while it is under way, so that
// another one at the same time is not told of it as well.
type reservation struct {
	slots  *slots
	pool   *pool // nil for new deliveries, each of which goes to where its callback belongs
	began  time.Time
	most   int // altogether
	bytes  int // of messages
	grants []grant
	probed []string // callbacks of new deliveries that are on probation
}

// A grant is room for some deliveries of a callback.
type grant struct {
	callback string
	pool     *pool
	room     int
}

// room reserves room for deliveries of a callback. It is called once for each.
func (v *reservation) room(callback string, h webhook.Health) int {
	g := v.slots.reserve(v, callback, h)
	if g.room > 0 {
		v.grants = append(v.grants, g)
		if v.pool == nil && g.pool == &v.slots.probation {
			v.probed = append(v.probed, callback)
		}
	}
	return g.room
}

// poolOf returns the pool in which there was room for a callback.
func (v *reservation) poolOf(callback string) *pool {
	switch {
	case v.pool != nil:
		return v.pool
	case slices.Contains(v.probed, callback):
		return &v.slots.probation
	}
	return &v.slots.answering
}

// begin begins a reservation. It returns how many deliveries may be claimed, new ones as many
// as the pool of those that answer takes, and how many bytes their messages may have, which
// are reserved.
func (s *slots) begin(v *reservation) (deliveries, bytes int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := v.pool
	if p == nil {
		p = &s.answering
	}
	deliveries = max(min(p.free(), v.most), 0)
	v.bytes = max(min(maxInHand-p.bytes-p.reservedBytes, maxClaimBytes), 0)
	if v.bytes == 0 {
		deliveries = 0
	}
	if v.pool != nil && deliveries == 0 {
		s.behind.Store(true)
		s.denied = s.denied || p.reserved+p.reservedBytes > 0
	}
	p.reservedBytes += v.bytes
	return deliveries, v.bytes
}

// reserve decides for how many deliveries of a callback there is room: none when it belongs
// to another pool. Of those that are to be read anew it takes none while enough of them
// wait: they are read in larger portions.
func (s *slots) reserve(v *reservation, callback string, h webhook.Health) grant {
	s.mu.Lock()
	defer s.mu.Unlock()
	var unknown receiver
	r := s.receivers[callback]
	if r == nil {
		r = &unknown
	}
	now := time.Now()
	g := grant{callback, &s.probation, 0}
	if r.answers && !circuitOpen(h) {
		g.pool = &s.answering
	}
	if v.pool != nil {
		s.behind.Store(true) // there may be more than is taken
	}
	inHand := r.inHand + r.reserved
	spare := g.pool.free()
	switch limit := r.limitAt(now, s.perCallback); {
	case v.pool != nil && v.pool != g.pool:
	case r.pausing > 0 && now.Before(r.pausedUntil): // as the store will have it once it knows
	case g.pool == &s.probation:
		if !circuitOpen(h) || r.probes(h, now, s.timeout) {
			g.room = min(1-inHand, spare)
		}
	case v.pool != nil && len(r.waiting) > limit:
	default:
		spare -= g.pool.most / reserve
		g.room = min(r.share(now, limit)-inHand, max(s.perCallback-inHand, spare))
	}
	g.room = max(min(g.room, v.most), 0)
	if v.pool == g.pool && g.room == 0 && (r.reserved > 0 || spare <= 0) {
		s.denied = true
	}
	if g.room > 0 {
		s.receiver(callback).reserved += g.room
		g.pool.reserved += g.room
	}
	return g
}
