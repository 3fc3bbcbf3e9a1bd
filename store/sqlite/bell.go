package sqlite

import "sync"

// A bell tells every running Watch of this process what happens in it.
type bell struct {
	mu        sync.Mutex
	listeners map[*listener]bool
	closed    bool
}

// A listener is a running Watch.
type listener struct {
	rung   chan struct{} // something was committed that is of interest
	hinted chan struct{} // somebody commits, or is about to
}

func newBell() *bell { return &bell{listeners: make(map[*listener]bool)} }

func (b *bell) listen() *listener {
	l := &listener{make(chan struct{}, 1), make(chan struct{}, 1)}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.listeners[l] = true
	return l
}

func (b *bell) leave(l *listener) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.listeners, l)
}

// ring says that the store has committed what is of interest to an engine, or that another
// connection has committed whatever it be.
func (b *bell) ring() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for l := range b.listeners {
		signal(l.rung)
	}
}

// hint says that the host is about to commit, or has.
func (b *bell) hint() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for l := range b.listeners {
		signal(l.hinted)
	}
}

// close closes a channel the first time, and reports whether this was it.
func (b *bell) close(closed chan struct{}) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return false
	}
	b.closed = true
	close(closed)
	return true
}

// signal puts a token into a channel that has room for one.
func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default: // it holds one already
	}
}
