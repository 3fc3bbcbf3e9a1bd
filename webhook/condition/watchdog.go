package condition

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/dop251/goja"
)

// A watchdog interrupts evaluations that take too long. One timer serves all the
// evaluations of a realm, one event after another: it is not set and stopped for each,
// but looks, when it goes off, since when the one under way has been running.
type watchdog struct {
	mu       sync.Mutex
	deadline time.Duration // of the evaluation under way, or the last one
	full     time.Duration // the deadline while there is budget
	budget   time.Duration // what is left of the time that an event may cost
	vm       *goja.Runtime // of the evaluation under way, nil between evaluations
	since    time.Duration // when that began, by clock
	timer    *time.Timer
	goesOff  time.Duration // when the timer will, by clock
	armed    bool          // the timer is set
	expired  atomic.Bool   // the evaluation under way is to stop
}

// clock returns the time since some moment: the half of time.Now that is needed here,
// for half of what that costs.
func clock() time.Duration { return time.Since(beginning) }

var beginning = time.Now()

// The conditions of an event may use the full deadline until the slow ones, those that
// take more than a part of it, have taken so many deadlines together. The rest have a
// fraction of it, which is plenty for an honest one.
const (
	fullDeadlines = 5
	fraction      = 8
	slow          = 16
)

// set readies the watchdog for an event.
func (w *watchdog) set(deadline time.Duration) {
	w.full, w.budget = deadline, fullDeadlines*deadline
}

// start begins to watch an evaluation.
func (w *watchdog) start(vm *goja.Runtime) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.deadline = w.full; w.budget <= 0 {
		w.deadline = w.full / fraction
	}
	w.vm, w.since = vm, clock()
	w.alarm(w.since + w.deadline)
}

// alarm sees to it that the timer goes off at the given time at the latest.
func (w *watchdog) alarm(at time.Duration) {
	if w.armed && w.goesOff <= at {
		return
	}
	w.goesOff, w.armed = at, true
	if w.timer == nil {
		w.timer = time.AfterFunc(w.deadline, w.look)
	} else {
		w.timer.Reset(w.deadline)
	}
}

// look runs when the timer goes off. It interrupts under the lock and only while an
// evaluation is under way, so an interrupt can't hit the next user of the runtime.
// Between evaluations it leaves the timer as it is, for the next one to set.
func (w *watchdog) look() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.armed = false
	if w.vm == nil {
		return
	}
	if left := w.since + w.deadline - clock(); left > 0 {
		w.goesOff, w.armed = w.since+w.deadline, true
		w.timer.Reset(left)
		return
	}
	w.expired.Store(true)
	w.vm.Interrupt(nil)
}

// end stops watching and takes back what the watchdog may have done. It reports
// whether the evaluation was interrupted.
func (w *watchdog) end() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if took := clock() - w.since; took > w.full/slow {
		w.budget -= took
	}
	expired := w.expired.Swap(false)
	if expired {
		w.vm.ClearInterrupt()
	}
	w.vm = nil
	return expired
}

// short reports whether the last evaluation had less than the full deadline.
func (w *watchdog) short() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.deadline < w.full
}
