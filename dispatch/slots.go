package dispatch

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/ringback-dev/ringback/webhook"
)

const (
	// maxInHand bounds the memory that the messages in the hands of a pool take, in
	// bytes.
	maxInHand = 32 << 20

	// maxClaimBytes bounds the messages of one claim.
	maxClaimBytes = 8 << 20

	// ahead is how many deliveries may be in hand for each request that may be in
	// flight to callbacks that answer: those beyond it wait here, and need not be
	// claimed by themselves.
	ahead = 64

	// maxReceivers bounds the receivers that are remembered. To be forgotten costs one
	// a request on probation.
	maxReceivers = 100_000

	// reserve is the share of a pool that is left to callbacks that have fewer than
	// Options.PerCallback requests in flight: one part of so many.
	reserve = 8
)

// slots counts the deliveries in hand, which are claimed and not yet settled, and the
// requests in flight. Callbacks that answered briskly the last time share one pool; those
// that did not, that keep failing, or that were never tried are on probation: they have a
// pool of their own, in which each has one delivery at a time. So receivers that hang take
// nothing from those that answer.
type slots struct {
	perCallback int           // requests in flight, to begin with
	timeout     time.Duration // of a request

	mu        sync.Mutex
	answering pool
	probation pool
	receivers map[string]*receiver // by callback
	denied    bool                 // room that was reserved, perhaps in vain, when a pool was to be filled

	// behind tells that more deliveries may be ready than were claimed, so that it is to be
	// looked for them once there is room. It is set with mu held, so that what makes room
	// finds it set.
	behind atomic.Bool

	// The receivers that answer for which deliveries wait and that may have more
	// requests in flight: those with fewer than perCallback, and the others.
	few, many lineup
}

// A pool is a number of requests that may be in flight.
type pool struct {
	requests int // in flight at most
	flying   int

	most  int // deliveries in hand
	taken int
	bytes int // of their messages

	reserved, reservedBytes int // room for more
}

// free returns for how many more deliveries there is room.
func (p *pool) free() int { return p.most - p.taken - p.reserved }

func newSlots(o *Options) *slots {
	return &slots{
		perCallback: o.PerCallback,
		timeout:     o.Timeout,
		answering:   pool{requests: o.Concurrency, most: ahead * o.Concurrency},
		probation:   pool{requests: o.Probation, most: o.Probation},
		receivers:   make(map[string]*receiver),
	}
}

// pools returns the pools, each to be filled by itself.
func (s *slots) pools() []*pool { return []*pool{&s.answering, &s.probation} }

// take takes deliveries in hand, for which room was reserved, and gives up the rest of the
// reservation. Those to callbacks that answer wait for a slot: see next. It returns those on
// probation, each of which has a slot, those that are to be given back, as their callbacks were
// paused while they were claimed, and whether what it gives up may have been denied to others.
func (s *slots) take(v *reservation, jobs []job) (probing, paused []*job, denied bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, g := range v.grants {
		s.receiver(g.callback).reserved -= g.room
		g.pool.reserved -= g.room
	}
	if v.pool != nil {
		v.pool.reservedBytes -= v.bytes
	} else {
		s.answering.reservedBytes -= v.bytes
	}
	now := time.Now()
	for i := range jobs {
		j := &jobs[i]
		j.pool.taken++
		j.pool.bytes += requestSize(j.Claimed)
		r := s.receiver(j.Callback)
		r.inHand++
		switch {
		case v.began.Before(r.pausedAt) && now.Before(r.pausedUntil):
			paused = append(paused, j)
		case j.pool == &s.answering:
			r.waiting = append(r.waiting, j)
			s.line(r)
		default:
			r.launch(now, s.perCallback)
			j.pool.flying++
			probing = append(probing, j)
		}
	}
	if v.pool == nil {
		denied, s.denied = s.denied, false
	}
	return probing, paused, denied
}

// line lets a receiver take its turn if something waits for it and it may have another
// request in flight. One that has had many, and has few now, changes over to those.
func (s *slots) line(r *receiver) {
	to := &s.many
	if r.flying < s.perCallback {
		to = &s.few
	}
	if r.lined == to || len(r.waiting) == 0 || r.flying >= r.limitAt(time.Now(), s.perCallback) {
		return
	}
	if r.lined != nil {
		r.lined.remove(r)
	}
	to.push(r)
}

// next returns a delivery that waits and is to be sent now, nil where there is none or no
// slot is free. Callbacks take turns.
func (s *slots) next() *job {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := &s.answering
	for p.flying < p.requests {
		r := s.few.pop()
		if r == nil && p.flying < p.requests-p.requests/reserve {
			r = s.many.pop()
		}
		if r == nil {
			return nil
		}
		now := time.Now()
		if len(r.waiting) == 0 || r.flying >= r.limitAt(now, s.perCallback) {
			continue // not any more
		}
		j := r.waiting[0]
		r.waiting[0] = nil
		r.waiting = r.waiting[1:]
		r.launch(now, s.perCallback)
		p.flying++
		s.line(r)
		return j
	}
	return nil
}

// note takes notice of how an attempt ended, and until when it lets this engine pause the
// callback; zero for no pause. It returns deliveries to the callback that are to be given
// back: more of them wait than its receiver takes soon, as it seems now. Those that came
// last go first.
func (s *slots) note(j *job, a *webhook.Attempt, pause time.Time) (surplus []*job) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.receiver(j.Callback)
	now := time.Now()
	r.note(a, now, s.perCallback, s.answering.requests)
	if !pause.IsZero() {
		r.pause(a.Time, pause, now)
		r.pausing++
		j.pauses = true
	}
	keep := len(r.waiting)
	if share := r.share(now, r.limitAt(now, s.perCallback)); r.inHand > 2*share {
		keep = max(len(r.waiting)-(r.inHand-share), 0)
	}
	if !r.answers || r.failures >= circuitFailures || !pause.IsZero() {
		keep = 0
	}
	surplus = append(surplus, r.waiting[keep:]...)
	clear(r.waiting[keep:])
	r.waiting = r.waiting[:keep]
	return surplus
}

// land frees the slot of a request.
func (s *slots) land(j *job) {
	s.mu.Lock()
	defer s.mu.Unlock()
	j.pool.flying--
	r := s.receiver(j.Callback)
	r.flying--
	s.line(r)
}

// awaited returns the callbacks for which deliveries wait.
func (s *slots) awaited() (callbacks []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for callback, r := range s.receivers {
		if len(r.waiting) > 0 {
			callbacks = append(callbacks, callback)
		}
	}
	return callbacks
}

// renew replaces a callback for what waits for it, but for what was claimed after a later
// change.
func (s *slots) renew(callback string, to *webhook.Callback) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, j := range s.receiver(callback).waiting {
		if j.To.Version < to.Version {
			j.To = to
		}
	}
}

// withdraw returns what waits for a callback, which is to be given back.
func (s *slots) withdraw(callback string) (waiting []*job) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.receiver(callback)
	waiting, r.waiting = r.waiting, nil
	return waiting
}

// drain returns what waits, which is to be given back.
func (s *slots) drain() (waiting []*job) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.receivers {
		waiting = append(waiting, r.waiting...)
		r.waiting = nil
	}
	return waiting
}

// release is the end of take. Others that were claimed at the same time, which share their
// memory, may be in hand for long: what is large in it is let go.
func (s *slots) release(outcomes []unsettled) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, o := range outcomes {
		o.pool.taken--
		o.pool.bytes -= requestSize(o.Claimed)
		r := s.receiver(o.Claimed.Callback)
		r.inHand--
		if o.pauses {
			r.pausing--
		}
		o.Claimed.Message = nil
	}
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
			if other.inHand+other.flying+other.reserved == 0 {
				delete(s.receivers, callback)
			}
		}
	}
	known = new(receiver)
	s.receivers[callback] = known
	return known
}
