package sqlite

import (
	"context"
	"sync/atomic"
	"time"
)

const (
	// A host is taken to be writing for hostActive after it has dispatched in a
	// transaction of its own, to be busy while it does so more often than once in
	// hostBusy, and to be pressed while it does so more often than once in hostPressed.
	hostActive  = 20 * time.Millisecond
	hostBusy    = 8 * time.Millisecond
	hostPressed = time.Millisecond

	// hostTurn is what lies between two transactions of the store's while a host is
	// writing, busyTurn while it is busy, and pressedTurn while it is pressed. A connection
	// that finds the file locked sleeps for a millisecond or more, so a few longer
	// transactions are less in the way of many writers than many short ones; but deliveries
	// wait for them. A host that takes turns by the write lock does not sleep, so lockedTurn
	// lies between them while it is busy.
	hostTurn    = 2 * time.Millisecond
	lockedTurn  = 5 * time.Millisecond
	busyTurn    = 30 * time.Millisecond
	pressedTurn = 60 * time.Millisecond

	// gathering is what lies between two transactions where more than fewWorks shared the
	// first: more of them then share the next, and each costs less. An engine has at most so
	// many at a time, each of which it has gathered itself.
	gathering = time.Millisecond
	fewWorks  = 3

	// company is for how long a patient work waits for another one, if one that is not
	// patient came within companyTime, and then for the disk to be waited for: it goes on
	// while that is done because of the other one, and so is on the disk with the next one.
	company     = 5 * time.Millisecond
	companyTime = 10 * time.Millisecond

	// urgency is for how long no work is patient after vainWaits in a row have waited in vain,
	// or after a settlement has let the next delivery about a record go on: that one's outcome
	// is waited for in turn. What takes longer is not delayed much by company.
	urgency   = 20 * company
	vainWaits = 3
)

// turns say when the store may write.
type turns struct {
	opened time.Time
	hosted atomic.Int64 // when a host last dispatched in a transaction of its own, since opened
	apart  atomic.Int64 // how long such dispatches have been apart lately, on the average
	locked atomic.Bool  // a host had the write lock then
	urged  atomic.Int64 // when there was a reason last for no work to be patient, since opened
	ended  time.Time    // the last transaction of the store's
	shared bool         // by more than fewWorks
}

// open begins: until more is known, a host that writes is taken to be busy.
func (t *turns) open() {
	t.opened = time.Now()
	t.apart.Store(int64(hostBusy / 2))
}

// yield says that a host is writing, with the write lock or without.
func (t *turns) yield(locked bool) {
	t.locked.Store(locked)
	now := int64(time.Since(t.opened))
	apart := min(now-t.hosted.Swap(now), int64(hostActive))
	// Of several at once one counts, which is good enough for an average.
	t.apart.Store((31*t.apart.Load() + apart) / 32)
}

// urge says that patience does not pay now.
func (t *turns) urge() { t.urged.Store(int64(time.Since(t.opened))) }

// urgent reports whether no work is to be patient.
func (t *turns) urgent() bool {
	urged := t.urged.Load()
	return urged != 0 && time.Since(t.opened)-time.Duration(urged) < urgency
}

// end says that a transaction of the store's, of so many works, has ended.
func (t *turns) end(works int) { t.ended, t.shared = time.Now(), works > fewWorks }

// gap returns what is to lie between two transactions now.
func (t *turns) gap() time.Duration {
	hosted, apart := t.hosted.Load(), time.Duration(t.apart.Load())
	switch {
	case hosted == 0 || time.Since(t.opened)-time.Duration(hosted) >= hostActive:
	case apart < hostPressed:
		return pressedTurn
	case apart < hostBusy && t.locked.Load():
		return lockedTurn
	case apart < hostBusy:
		return busyTurn
	default:
		return hostTurn
	}
	if t.shared {
		return gathering
	}
	return 0
}

// wait waits until the store may write, unless the context ends: no longer than hostActive for
// a host that has stopped. Meanwhile it looks when it is asked to.
func (t *turns) wait(ctx context.Context, looks <-chan struct{}, look func()) error {
	for {
		pause := t.gap() - time.Since(t.ended)
		if pause <= 0 {
			return nil
		}
		select {
		case <-time.After(min(pause, hostActive)):
		case <-looks:
			look()
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
