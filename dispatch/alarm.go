package dispatch

import (
	"container/heap"
	"sync"
	"time"
)

const (
	// maxAlarms bounds the times that an alarm remembers. When there are more, it does
	// not ring for some of the later ones: what is due then is found within
	// pollInterval anyway.
	maxAlarms = 10_000

	// alarmGap is the least time between two rings.
	alarmGap = 5 * time.Millisecond
)

// An alarm raises a signal at each of the times that it is set to.
type alarm struct {
	ring signal

	mu    sync.Mutex
	times times
	timer *time.Timer
}

// set makes the alarm ring at the given time. A time of the wall clock stays as far away
// as it is now, even when the clock is set.
func (a *alarm) set(at time.Time) {
	now := time.Now()
	at = now.Add(at.Sub(now)) // with its monotonic reading
	a.mu.Lock()
	defer a.mu.Unlock()
	if last := len(a.times) - 1; last+1 < maxAlarms {
		heap.Push(&a.times, at)
	} else if at.Before(a.times[last]) {
		a.times[last] = at
		heap.Fix(&a.times, last)
	}
	if a.timer == nil {
		a.timer = time.AfterFunc(time.Until(at), a.goOff)
	} else if a.times[0].Equal(at) {
		a.timer.Reset(time.Until(at))
	}
}

func (a *alarm) goOff() {
	a.mu.Lock()
	defer a.mu.Unlock()
	for now := time.Now(); len(a.times) > 0 && !a.times[0].After(now); {
		heap.Pop(&a.times)
	}
	if len(a.times) > 0 {
		a.timer.Reset(max(time.Until(a.times[0]), alarmGap))
	}
	a.ring.raise()
}

// stop ends the alarm.
func (a *alarm) stop() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.times = nil
	if a.timer != nil {
		a.timer.Stop()
	}
}

// times is a heap of times, the earliest first.
type times []time.Time

func (t times) Len() int           { return len(t) }
func (t times) Less(i, j int) bool { return t[i].Before(t[j]) }
func (t times) Swap(i, j int)      { t[i], t[j] = t[j], t[i] }
func (t *times) Push(at any)       { *t = append(*t, at.(time.Time)) }

func (t *times) Pop() any {
	last := len(*t) - 1
	at := (*t)[last]
	*t = (*t)[:last]
	return at
}
