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

// leftBehind are events that can't even be parked: reading begins behind them, so that
// they don't delay the others. Now and then it begins at the start again.
type leftBehind struct {
	strikes map[int64]int // by sequence: how many times it could not be parked
	after   int64         // where reading begins
	pause   time.Duration
	back    time.Time // when it begins at the start
}

// has reports whether an event is left behind.
func (l *leftBehind) has(sequence int64) bool { return l.strikes[sequence] >= leftAfter }

// begin returns the sequence behind which to read.
func (l *leftBehind) begin(now time.Time) int64 {
	if l.after > 0 && !now.Before(l.back) {
		l.after = 0
		l.pause = min(2*l.pause, longestReturn)
		l.back = now.Add(l.pause)
	}
	return l.after
}

// strike notes that an event could not be parked, and reports whether it is left behind
// from now on.
func (l *leftBehind) strike(sequence int64, now time.Time) bool {
	if l.strikes == nil {
		l.strikes = make(map[int64]int)
	}
	if l.strikes[sequence] == 0 && len(l.strikes) >= maxLeft {
		return false
	}
	l.strikes[sequence]++
	if l.has(sequence) && l.pause == 0 {
		l.pause = firstReturn
		l.back = now.Add(l.pause)
	}
	return l.has(sequence)
}

// done forgets an event.
func (l *leftBehind) done(sequence int64) {
	delete(l.strikes, sequence)
	if len(l.strikes) == 0 {
		*l = leftBehind{}
	}
}

// forget forgets the events that are off the outbox: those that a page which begins after
// a sequence does not hold.
func (l *leftBehind) forget(after int64, page []*pendingEvent, more bool) {
	if len(l.strikes) == 0 {
		return
	}
	pending := make(map[int64]bool, len(page))
	for _, e := range page {
		pending[e.sequence] = true
	}
	for sequence := range maps.Clone(l.strikes) {
		beyond := more && (len(page) == 0 || sequence > page[len(page)-1].sequence)
		if sequence > after && !beyond && !pending[sequence] {
			l.done(sequence)
		}
	}
}

// advance lets reading begin behind the last event that is left behind, of those up to
// the given sequence: all up to there are written or left behind.
func (l *leftBehind) advance(upTo int64) {
	for sequence := range l.strikes {
		if l.has(sequence) && sequence <= upTo {
			l.after = max(l.after, sequence)
		}
	}
}
