package sqlite

import (
	"context"
	"errors"
	"time"
)

// How often Watch lets the writer look whether another connection has committed, which
// costs some microseconds. The writer looks by itself whenever it writes.
const (
	quickPoll = time.Millisecond      // when a commit is at hand, then twice as long each time,
	poll      = 25 * time.Millisecond // up to this
	atHand    = time.Second           // for so long
	idlePoll  = time.Second           // and otherwise up to this, while the system tells of writes
)

// Watch implements [webhook.Outbox]. The store's own commits wake it only where they change a
// callback, or leave something that is pending, or ready and not claimed.
func (s *Store) Watch(ctx context.Context, wake func()) error {
	w := watch{writer: s.writer, listener: s.bell.listen(), written: s.writer.transactions.Load()}
	defer s.bell.leave(w.listener)
	w.notifier, _ = newNotifier(s.writer.syncer.log.Name(), func() { signal(w.listener.hinted) }) // or else it polls
	if w.notifier != nil {
		defer w.notifier.stop()
	}
	w.timer = time.NewTimer(0)
	defer w.timer.Stop()
	wake()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-s.closed:
			return errors.New("sqlite: watch: the store is closed")
		case <-w.listener.rung:
			wake()
		case <-w.listener.hinted:
			w.hint()
		case <-w.timer.C:
			w.tick()
		}
	}
}

// A watch is a Watch under way.
type watch struct {
	writer   *writer
	listener *listener
	notifier *notifier // nil where the system has none

	timer  *time.Timer
	due    time.Time     // when it ends
	pause  time.Duration // between the looks
	hinted time.Time     // when a commit was at hand last

	armed   bool  // the notifier is
	written int64 // transactions of the store's own at the last look
}

// hint takes notice that somebody writes. The store's own writing is no hint: the writer
// looks before it, so all that others have committed is known, and the notifier is armed
// again when the writer has come to rest.
func (w *watch) hint() {
	w.armed = false
	w.pause = min(w.pause, poll)
	if !w.writer.writing.Load() {
		w.hinted, w.pause = time.Now(), quickPoll
	}
	if next := time.Now().Add(w.pause); next.Before(w.due) {
		w.due = next
		w.timer.Reset(w.pause)
	}
}

// tick looks.
func (w *watch) tick() {
	written := w.writer.transactions.Load()
	resting := written == w.written && !w.writer.writing.Load()
	w.written = written
	switch {
	case w.pause == 0: // the first time
		w.pause = poll
	case time.Since(w.hinted) < atHand:
		w.pause = min(2*w.pause, poll)
	case resting:
		w.pause = min(2*w.pause, idlePoll)
	}
	if w.pause >= poll && resting && !w.armed && w.notifier != nil {
		w.armed = w.notifier.arm() == nil
	}
	if !w.armed {
		w.pause = min(w.pause, poll)
	}
	w.writer.look() // after the notifier was armed: nothing comes in between
	w.due = time.Now().Add(w.pause)
	w.timer.Reset(w.pause)
}
