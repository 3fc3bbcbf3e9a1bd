package sqlite

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// WriteLock returns a lock that the store holds during each of its transactions. A host that
// holds it too, from before each transaction of its own that writes until after that has
// ended, takes turns with the store: it waits for as long as a transaction of the store's
// takes, as a rule some milliseconds at most, where otherwise SQLite lets it sleep for 1, 3 or
// 8 ms and more; and the store, which is in nobody's way then, writes sooner beside a host that
// has a transaction every few milliseconds, and does not ask again and again whether it may. Only
// where reads overlap without end, and the store makes room in the file whose name ends in -wal,
// the host may still find the database locked, for up to a tenth of a second. Those of the host's goroutines that wait have their turns one
// after the other. The store has the next one, whenever it wants to write.
//
// It is optional, and no protection from other processes, for which there is the busy timeout.
// Who holds it may use the store in every way that does not write, and by [Store.InTx]; what
// writes otherwise waits for the lock, and returns an error after 5 s.
func (s *Store) WriteLock() sync.Locker { return s.writer.lock }

// A writeLock lets one at a time write of a host and the store.
type writeLock struct {
	hosts sync.Mutex    // held by the one who holds the token for a host, or waits for that: so the store waits for one of them
	token chan struct{} // is full while it is locked
	by    atomic.Bool   // a host
	told  atomic.Bool   // something was dispatched meanwhile
	bell  *bell
}

func newWriteLock(bell *bell) *writeLock {
	return &writeLock{token: make(chan struct{}, 1), bell: bell}
}

// Lock implements [sync.Locker], for hosts.
func (l *writeLock) Lock() {
	l.hosts.Lock()
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
	l.hosts.Unlock()
	if told {
		l.bell.hint()
	}
}

// tell says that something was dispatched in a transaction of a host's, and reports whether
// that is under the lock.
func (l *writeLock) tell() (locked bool) {
	if !l.by.Load() {
		l.bell.hint()
		return false
	}
	l.told.Store(true) // and who waits is not woken before the commit
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
