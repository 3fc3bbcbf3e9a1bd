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
	l.awaitDrained(store, limit, func() {})
	return time.Since(began)
}

// awaitDrained waits until nothing is left to be done, or fails the test and tells what is.
// check is called again and again.
func (l *ledger) awaitDrained(store *sqlite.Store, limit time.Duration, check func()) {
	l.t.Helper()
	drained := false
	defer func() {
		if !drained {
			l.tellLeft(store)
		}
	}()
	waitFor(l.t, limit, "everything to be delivered", func() bool {
		check()
		drained = l.drained(store)
		return drained
	})
}

// tellLeft logs what is left to be done, and how the callbacks are that it is for.
func (l *ledger) tellLeft(store *sqlite.Store) {
	ctx := context.WithoutCancel(l.t.Context())
	pending, err := store.Pending(ctx, webhook.PendingRequest{Limit: 1, LimitBytes: 1})
	l.t.Logf("left: %d events or more, %d damaged, %v", len(pending.Events), len(pending.Damaged), err)
	for _, state := range []webhook.DeliveryState{webhook.DeliveryClaimed, webhook.DeliveryReady, webhook.DeliveryWaiting} {
		page, err := store.Deliveries(ctx, webhook.DeliveryQuery{State: state, Limit: 20, WithTotal: true})
		l.t.Logf("left: %d deliveries that are %s, %v", page.Total, state, err)
		for _, d := range page.Deliveries {
			l.t.Logf("left: %+v", d)
		}
	}
	for _, s := range l.subscriptions {
		c, err := store.Callback(ctx, s.ID)
		l.t.Logf("%s: %+v, %v", s.path, c.Health, err)
	}
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
