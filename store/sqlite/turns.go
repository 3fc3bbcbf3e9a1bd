package sqlite

import (
	"context"
	"sync/atomic"
	"time"
)

const (
	// hostActive is for how long a host is taken to be writing after it has dispatched in
	// a transaction of its own.
	hostActive = 20 * time.Millisecond

	// hostTurn is what lies between two transactions of the store's while a host is
	// writing. A connection that finds the file locked sleeps for a millisecond or more,
	// so a few longer transactions are less in its way than many short ones.
	hostTurn = 10 * time.Millisecond

	// gathering is what lies between two transactions where several works shared the
	// first: more of them then share the next, and each costs less.
	gathering = time.Millisecond
)

// turns say when the store may write.
type turns struct {
	opened time.Time
	hosted atomic.Int64 // when a host last dispatched in a transaction of its own, since opened
	ended  time.Time    // the last transaction of the store's
	shared bool         // by several works
}

// yield says that a host is writing.
func (t *turns) yield() { t.hosted.Store(int64(time.Since(t.opened))) }

// end says that a transaction of the store's, of so many works, has ended.
func (t *turns) end(works int) { t.ended, t.shared = time.Now(), works > 1 }

// gap returns what is to lie between two transactions now.
func (t *turns) gap() time.Duration {
	hosted := t.hosted.Load()
	switch {
	case hosted != 0 && time.Since(t.opened)-time.Duration(hosted) <= hostActive:
		return hostTurn
	case t.shared:
		return gathering
	}
	return 0
}

// wait waits until the store may write, unless the context ends.
func (t *turns) wait(ctx context.Context) error {
	if pause := t.gap() - time.Since(t.ended); pause > 0 {
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}
