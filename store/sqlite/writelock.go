package sqlite

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// WriteLock returns a lock that the store holds whenever it writes. A host that holds it too,
// from before each transaction of its own that writes until after that has ended, takes turns
// with the store: it waits for as long as the store writes, some milliseconds as a rule and up
// to a tenth of a second where that must wait for those who read, while otherwise SQLite lets it
// sleep for 1, 3 or 8 ms and more. And the store, which is in nobody's way then, writes sooner
// beside a host that has a transaction every few milliseconds, and does not ask again and again
// whether it may. The host's goroutines have their turns in the order in which they come. The
// store has the next one, whenever it wants to write.
//
// It is optional, and no protection from other processes, for which there is the busy timeout.
// Who holds it may use the store in every way that does not write, and by [Store.InTx]; what
// writes otherwise waits for the lock, and returns an error after 5 s.
func (s *Store) WriteLock() sync.Locker { return s.writer.lock }

// A writeLock lets one at a time write of a host and the store.
type writeLock struct {
	// hosts is full while a host has the token or waits for it: so the store waits for one at
	// most.
	hosts chan struct{}
	token chan struct{} // is full while it is locked
	by    atomic.Bool   // a host
	told  atomic.Bool   // something was dispatched meanwhile
	bell  *bell
}

func newWriteLock(bell *bell) *writeLock {
	return &writeLock{hosts: make(chan struct{}, 1), token: make(chan struct{}, 1), bell: bell}
}

// Lock implements [sync.Locker], for hosts.
func (l *writeLock) Lock() {
	l.hosts <- struct{}{}
	l.token <- struct{}{}
	l.by.Store(true)
}

// Unlock implements [sync.Locker], for hosts.
func (l *writeLock) Unlock() {
	if !l.by.CompareAndSwap(true, false) {
		panic("sqlite: unlock of a write lock that is not locked")
	}
	told := l.told.Swap(false)
	<-l.token
	<-l.hosts
	if told {
		l.bell.hint()
	}
}

// tell says that something was dispatched in a transaction of a host's, and reports whether a
// host has the lock: then who waits is not woken before the commit.
func (l *writeLock) tell() (locked bool) {
	if !l.by.Load() {
		l.bell.hint()
		return false
	}
	l.told.Store(true)
	return true
}

// release unlocks what take has locked.
func (l *writeLock) release() { <-l.token }

// take locks the write lock for a work. While it waits the writer does what else there is to do.
func (w *writer) take(k *work) error {
	select {
	case w.lock.token <- struct{}{}:
		return nil
	default:
	}
	late := time.NewTimer(busyTimeout - time.Since(w.waitsSince(k)))
	defer late.Stop()
	for {
		var ended <-chan struct{}
		if w.parked != nil {
			ended = w.parked.ctx.Done()
		}
		select {
		case w.lock.token <- struct{}{}:
			return nil
		case <-k.ctx.Done():
			return k.ctx.Err()
		case <-w.closing:
			return errClosed
		case <-late.C:
			return fmt.Errorf("waited %v for the write lock, which the host holds", busyTimeout)
		case <-ended:
			w.letGo()
		case <-w.looks:
			w.notice()
		}
	}
}
