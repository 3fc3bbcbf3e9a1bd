package sqlite

import (
	"testing"
	"testing/synctest"
	"time"
)

// TestTurns shows how long the store waits between two transactions beside a host that has
// one of its own every so often, and that it does not wait for one that has stopped.
func TestTurns(t *testing.T) {
	for _, c := range []struct {
		apart  time.Duration
		locked bool // it has the write lock
		want   time.Duration
	}{
		{500 * time.Microsecond, false, pressedTurn}, {500 * time.Microsecond, true, pressedTurn},
		{5 * time.Millisecond, false, busyTurn}, {5 * time.Millisecond, true, lockedTurn},
		{15 * time.Millisecond, false, hostTurn}, {15 * time.Millisecond, true, hostTurn},
	} {
		synctest.Test(t, func(t *testing.T) {
			var w turns
			w.open()
			if got := w.gap(); got != 0 {
				t.Errorf("beside a host that has not written: %v", got)
			}
			<-time.After(c.apart)
			w.yield(false)
			if got := w.gap(); got != busyTurn {
				t.Errorf("beside a host that has written once: %v, want %v", got, busyTurn)
			}
			for range 200 {
				<-time.After(c.apart)
				w.yield(c.locked)
			}
			if got := w.gap(); got != c.want {
				t.Errorf("beside a host that writes every %v, locked %t: %v, want %v", c.apart, c.locked, got, c.want)
			}
			w.end(1)
			began := time.Now()
			if err := w.wait(t.Context(), nil, nil); err != nil {
				t.Error(err)
			}
			if waited, want := time.Since(began), min(c.want, hostActive); waited != want {
				t.Errorf("waited %v for a host that has stopped, want %v", waited, want)
			}
		})
	}
}
