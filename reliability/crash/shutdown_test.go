//go:build unix

package crash_test

import (
	"context"
	"fmt"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ringback-dev/ringback/store/sqlite"
	"github.com/ringback-dev/ringback/webhook"
)

// TestShutdown asks a process to end while its requests hang. It does so soon, with no
// goroutine of the engine left, and hands everything back: nobody waits for it to be
// declared dead.
func TestShutdown(t *testing.T) {
	t.Parallel()
	const timeout = 2 * time.Second
	limit := timeout + 10*time.Second // a bubble measures it exactly, in package dispatch
	if *full {
		limit = timeout + time.Second
	}
	var hangs atomic.Bool
	hangs.Store(true)
	r := newReceiver(t, func(post, int) answer {
		if hangs.Load() {
			return answer{status: 200, hold: func(ctx context.Context) { <-ctx.Done() }}
		}
		return answer{status: 200}
	})
	file, subscriptions := newFile(t, r.URL)
	l := newLedger(t, file, subscriptions)
	store := l.open()
	for i := range 10 {
		l.dispatch(store, fmt.Sprint("e", i), fmt.Sprint("r", i%2), 3*(i+1))
	}
	p := start(t, config{File: file, Timeout: timeout})
	waitFor(t, patience, "a request to each", func() bool { return len(r.times()) == len(subscriptions) })
	p.stop()
	said := p.Heard("returned")
	if len(said) != 1 {
		t.Fatalf("the child says %v", said)
	}
	milliseconds, err := strconv.Atoi(said[0])
	if err != nil {
		t.Fatal(err)
	}
	took := time.Duration(milliseconds) * time.Millisecond
	t.Logf("Run returned after %v", took)
	if took > limit {
		t.Errorf("Run returned %v after SIGTERM, with a time-out of %v", took, timeout)
	}

	if workers, err := store.Workers(t.Context()); err != nil || len(workers) > 0 {
		t.Errorf("workers left: %v, %v", workers, err)
	}
	if left := l.deliveries(store, webhook.DeliveryQuery{State: webhook.DeliveryClaimed}); len(left) > 0 {
		t.Errorf("%d deliveries are still claimed", len(left))
	}
	for id := range r.times() {
		if d, err := store.Delivery(t.Context(), id); err != nil || d.State != webhook.DeliveryReady || d.Attempts == 0 {
			t.Errorf("%s, which was in flight, is %s after %d attempts, %v", id, d.State, d.Attempts, err)
		}
	}
	hangs.Store(false)
	t.Logf("drained in %v", l.drain(patience))
	for _, d := range l.deliveries(store, webhook.DeliveryQuery{}) {
		if d.State != webhook.DeliveryDelivered {
			t.Errorf("%s is %s", d.ID, d.State)
		}
	}
}

// dispatch tells of an update, of which the ledger then knows.
func (l *ledger) dispatch(store *sqlite.Store, event, record string, n int) {
	l.t.Helper()
	if err := store.Dispatch(l.t.Context(), update(event, record, n)); err != nil {
		l.t.Fatal(err)
	}
	l.announced[event] = entry{record, n}
}
