package dispatch

import (
	"time"

	"github.com/ringback-dev/ringback/webhook"
)

const (
	// briskTime is within how much time an answer must have come, whatever it was, for
	// its receiver to leave probation.
	briskTime = time.Second

	// fastTime is within how much time successes must come for more requests to be in
	// flight.
	fastTime = 250 * time.Millisecond

	// aheadTime is about how long deliveries may wait in hand: what a receiver answers
	// in that time is claimed ahead, up to maxAhead times the requests in flight and what
	// its pool takes.
	aheadTime = 500 * time.Millisecond
	maxAhead  = 1000

	// rateTime is for how long answers are counted before it is said how many come.
	rateTime = 100 * time.Millisecond

	// waitTime is for how long an answer may wait for others without being taken for one
	// that does.
	waitTime = 500 * time.Microsecond

	// limitTime is how long a receiver's limit, and how many of its answers come, are
	// remembered when nothing is sent.
	limitTime = time.Minute
)

// A receiver is what this engine has seen of a callback's receiver.
type receiver struct {
	inHand   int
	reserved int     // room for more
	flying   int     // of these, in flight
	waiting  []*job  // of these, those to be sent when there is a slot, in order
	lined    *lineup // in which it is, beside these
	before   *receiver
	behind   *receiver
	answers  bool          // briskly, the last time
	failures int           // in a row
	silent   int           // times in a row that no answer came, of requests in flight together once
	took     time.Duration // by an answer, on the average
	least    time.Duration // at least, lately
	counted  time.Time     // since when successes are counted
	count    int           // of them since then
	pace     int           // how many came in aheadTime, as they were counted before

	// limit is how many requests may be in flight to it while it answers, as of noted;
	// 0 before the first attempt.
	limit int
	noted time.Time
	// rises is how many of the next answers may raise the limit: a round of them once
	// it was reached.
	rises int

	// pausedUntil is until when this engine has paused the callback the last time, and
	// pausedAt when that was.
	pausedUntil, pausedAt time.Time

	// pausing is how many outcomes that pause the callback are not recorded yet.
	pausing int
}

// limitAt returns how many requests may be in flight while it answers: to begin with
// perCallback.
func (r *receiver) limitAt(now time.Time, perCallback int) int {
	if r.forgotten(now) {
		return perCallback
	}
	return r.limit
}

// forgotten reports whether the last attempt was so long ago that it says little.
func (r *receiver) forgotten(now time.Time) bool { return now.Sub(r.noted) > limitTime }

// together reports whether an attempt was in flight together with the one noted last.
func (r *receiver) together(a *webhook.Attempt) bool { return a.Time.Before(r.noted) }

// share returns how many deliveries may be in hand while so many requests may be in flight:
// what is answered in aheadTime as the last answers have it, or as it was counted for
// longer. A moment in which this process, say, was short of time is not to have everything
// given back.
func (r *receiver) share(now time.Time, limit int) int {
	if r.failures > 0 {
		return limit
	}
	share := limit * (1 + int(min(aheadTime/max(r.took, 1), maxAhead)))
	if r.forgotten(now) {
		return share
	}
	return max(share, r.pace)
}

// succeed counts a success.
func (r *receiver) succeed(now time.Time) {
	r.failures = 0
	r.count++
	spent := now.Sub(r.counted)
	if spent < rateTime {
		return
	}
	r.pace = int(int64(r.count) * int64(aheadTime) / int64(spent))
	r.counted, r.count = now, 0
}

// launch counts a request in flight.
func (r *receiver) launch(now time.Time, perCallback int) {
	r.flying++
	if limit := r.limitAt(now, perCallback); r.flying >= limit {
		r.rises = limit
	}
}

// note takes notice of how an attempt ended. The limit doubles with each round of fast
// answers in which it is reached, to at most most, while they take no longer for it: more
// requests than are answered at a time only wait, here or there. A failure halves it. Above
// perCallback it shrinks when answers are no longer fast, or wait for each other.
func (r *receiver) note(a *webhook.Attempt, now time.Time, perCallback, most int) {
	limit := r.limitAt(now, perCallback)
	r.answers = a.Status != 0 && a.Duration < briskTime
	switch {
	case a.Status != 0:
		r.silent = 0
	case r.silent == 0 || !r.together(a):
		r.silent++
	}
	if r.took == 0 {
		r.took = a.Duration
	}
	r.took += (a.Duration - r.took) / 8
	if r.noted.IsZero() || a.Duration < r.least {
		r.least = a.Duration
	}
	r.least += (a.Duration - r.least) / 256
	r.failures++
	switch {
	case a.Error != "":
		limit = max(limit/2, 1)
		r.rises = 0
	case limit > perCallback && (a.Duration > fastTime || r.took > 4*(r.least+waitTime)):
		limit--
	case limit < perCallback && r.answers && r.rises > 0,
		limit < most && a.Duration <= min(fastTime, 2*(r.least+waitTime)) && r.rises > 0:
		limit++
		r.rises--
	}
	if a.Error == "" {
		r.succeed(now)
	}
	r.limit, r.noted = limit, now
}

// pause remembers that this engine pauses the callback, by a request that began at the
// given time. As in the store, of requests that were in flight together the longest pause
// counts.
func (r *receiver) pause(began, until, now time.Time) {
	if together := began.Before(r.pausedAt); !together || until.After(r.pausedUntil) {
		r.pausedUntil = until
	}
	r.pausedAt = now
}
