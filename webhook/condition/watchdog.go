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
	deadline time.Duration
	vm       *goja.Runtime // of the evaluation under way, nil between evaluations
	since    time.Time
	timer    *time.Timer
	armed    bool
	expired  atomic.Bool // the evaluation under way is to stop
}

// start begins to watch an evaluation.
func (w *watchdog) start(vm *goja.Runtime) {
	w.mu.Lock()
	defer w.mu.Unlock()
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
	expired := w.expired.Swap(false)
	if expired {
		w.vm.ClearInterrupt()
	}
	w.vm = nil
	return expired
}

// tighten halves the deadline of the evaluations to come, down to a least one.
func (w *watchdog) tighten(least time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.deadline = max(w.deadline/2, least)
}

// close releases the timer. It may still go off once, and then finds nothing.
func (w *watchdog) close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.timer != nil {
		w.timer.Stop()
	}
}
