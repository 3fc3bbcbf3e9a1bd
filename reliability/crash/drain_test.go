//go:build unix

package crash_test

import (
	"context"
	"time"

	"github.com/ringback-dev/ringback/store/sqlite"
	"github.com/ringback-dev/ringback/webhook"
)

// drain delivers everything with an engine of its own. It returns how long that took.
func (l *ledger) drain(limit time.Duration) time.Duration {
	l.t.Helper()
	store := l.open()
	defer store.Close()
	engine, err := newEngine(store, 0)
	if err != nil {
		l.t.Fatal(err)
	}
	began := time.Now()
	ctx, stop := context.WithCancel(l.t.Context())
	ran := make(chan error, 1)
	go func() { ran <- engine.Run(ctx) }()
	defer func() {
		stop()
		if err := <-ran; err != nil {
			l.t.Error(err)
		}
	}()
	waitFor(l.t, limit, "everything to be delivered", func() bool { return l.drained(store) })
	return time.Since(began)
}

// drained reports whether nothing is left to be done.
func (l *ledger) drained(store *sqlite.Store) bool {
	l.t.Helper()
	pending, err := store.Pending(l.t.Context(), webhook.PendingRequest{Limit: 1, LimitBytes: 1})
	if err != nil {
		l.t.Fatal(err)
	}
	if len(pending.Events)+len(pending.Damaged) > 0 {
		return false
	}
	// What has ended stays so: a delivery that changes between two looks is not missed.
	count := func(state webhook.DeliveryState) int {
		page, err := store.Deliveries(l.t.Context(), webhook.DeliveryQuery{State: state, Limit: 1, WithTotal: true})
		if err != nil {
			l.t.Fatal(err)
		}
		return page.Total
	}
	return count(webhook.DeliveryDelivered)+count(webhook.DeliveryDead) == count("")
}
