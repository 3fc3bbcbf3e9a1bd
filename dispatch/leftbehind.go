package dispatch

import (
	"maps"
	"time"
)

const (
	// leftAfter is how many times it must not have been possible to park an event, with
	// others written beside it, for it to be left behind.
	leftAfter = 3

	// maxLeft bounds the events that are left behind. A store that refuses more of them
	// is waited for.
	maxLeft = 1000

	// firstReturn and longestReturn bound the time after which those left behind are
	// tried again; it doubles in between.
	firstReturn   = 5 * time.Second
	longestReturn = 5 * time.Minute
)

// leftBehind keeps the events that are to be parked and can't be. Once that was tried often
// enough they are left behind: reading begins behind them, so that they don't delay the
// others. Now and then it begins at the start again.
type leftBehind struct {
	events map[int64]*refusedEvent // by sequence
	after  int64                   // where reading begins
	pause  time.Duration
	back   time.Time // when it begins at the start
}

// A refusedEvent is one that is to be parked.
type refusedEvent struct {
	since   time.Time
	strikes int // how many times it could not be, with others written beside it
}

func (e *refusedEvent) left() bool { return e != nil && e.strikes >= leftAfter }

// has reports whether an event is left behind.
func (l *leftBehind) has(sequence int64) bool { return l.events[sequence].left() }

// refused notes that an event is to be parked, and returns for how long that is so.
func (l *leftBehind) refused(sequence int64, now time.Time) time.Duration {
	if l.events == nil {
		l.events = make(map[int64]*refusedEvent)
	}
	e := l.events[sequence]
	if e == nil && len(l.events) < maxLeft {
		e = &refusedEvent{since: now}
		l.events[sequence] = e
	}
	if e == nil {
		return 0
	}
	return now.Sub(e.since)
}

// begin returns the sequence behind which to read.
func (l *leftBehind) begin(now time.Time) int64 {
	if l.after > 0 && !now.Before(l.back) {
		l.after = 0
		l.pause = min(2*l.pause, longestReturn)
		l.back = now.Add(l.pause)
	}
	return l.after
}

// strike notes that an event could not be parked though others were written, and reports
// whether it is left behind from now on.
func (l *leftBehind) strike(sequence int64, now time.Time) bool {
	e := l.events[sequence]
	if e == nil {
		return false
	}
	e.strikes++
	if e.left() && l.pause == 0 {
		l.pause = firstReturn
		l.back = now.Add(l.pause)
	}
	return e.left()
}

// done forgets an event.
func (l *leftBehind) done(sequence int64) {
	delete(l.events, sequence)
	if len(l.events) == 0 {
		*l = leftBehind{}
	}
}

// forget forgets the events that are off the outbox: those that a page which begins after
// a sequence does not hold.
func (l *leftBehind) forget(after int64, page []*pendingEvent, more bool) {
	if len(l.events) == 0 {
		return
	}
	pending := make(map[int64]bool, len(page))
	for _, e := range page {
		pending[e.sequence] = true
	}
	for sequence := range maps.Clone(l.events) {
		beyond := more && (len(page) == 0 || sequence > page[len(page)-1].sequence)
		if sequence > after && !beyond && !pending[sequence] {
			l.done(sequence)
		}
	}
}

// advance lets reading begin behind the last event that is left behind, of those up to
// the given sequence: all up to there are written or left behind.
func (l *leftBehind) advance(upTo int64) {
	for sequence, e := range l.events {
		if e.left() && sequence <= upTo {
			l.after = max(l.after, sequence)
		}
	}
}
