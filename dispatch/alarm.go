package dispatch

import (
	"sync"
	"time"
)

// An alarm raises a signal at the earliest of the times that it is set to.
type alarm struct {
	ring signal

	mu    sync.Mutex
	at    time.Time // zero while not set
	timer *time.Timer
}

// set makes the alarm ring at the given time, if it would not ring before.
func (a *alarm) set(at time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.at.IsZero() && !at.Before(a.at) {
		return
	}
	a.at = at
	if a.timer == nil {
		a.timer = time.AfterFunc(time.Until(at), a.goOff)
	} else {
		a.timer.Reset(time.Until(at))
	}
}

func (a *alarm) goOff() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.at = time.Time{}
	a.ring.raise()
}

// stop ends the alarm.
func (a *alarm) stop() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.timer != nil {
		a.timer.Stop()
	}
}
