package condition

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/dop251/goja"
)

// A watchdog interrupts evaluations that take too long. One timer serves all the
// evaluations of a scope: it is not set and stopped for each, but looks, when it goes
// off, since when the one under way has been running.
type watchdog struct {
	mu       sync.Mutex
	deadline time.Duration // of the evaluation under way, or the last one
	full     time.Duration // the deadline while there is budget
	budget   time.Duration // what is left of the time that an event may cost
	vm       *goja.Runtime // of the evaluation under way, nil between evaluations
	since    time.Time
	timer    *time.Timer
	armed    bool
	expired  atomic.Bool // the evaluation under way is to stop
}

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
	w.vm, w.since = vm, time.Now()
	switch {
	case w.armed:
		return
	case w.timer == nil:
		w.timer = time.AfterFunc(w.deadline, w.look)
	default:
		w.timer.Reset(w.deadline)
	}
	w.armed = true
}

// look runs when the timer goes off. It interrupts under the lock and only while an
// evaluation is under way, so an interrupt can't hit the next user of the runtime.
func (w *watchdog) look() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.armed = false
	if w.vm == nil {
		return
	}
	if left := w.deadline - time.Since(w.since); left > 0 {
		w.timer.Reset(left)
		w.armed = true
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
	if took := time.Since(w.since); took > w.full/slow {
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

// close releases the timer. It may still go off once, and then finds nothing.
func (w *watchdog) close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.timer != nil {
		w.timer.Stop()
	}
}
