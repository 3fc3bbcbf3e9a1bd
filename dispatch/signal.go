package dispatch

// A signal tells a loop that it may have something to do. Raised while the loop is
// busy it is kept, once: nothing is missed and nobody waits.
type signal chan struct{}

func newSignal() signal { return make(signal, 1) }

func (s signal) raise() {
	select {
	case s <- struct{}{}:
	default:
	}
}
