package powercut_test

import (
	"context"
	"database/sql"
	"maps"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/ringback-dev/ringback/dispatch"
	"github.com/ringback-dev/ringback/store/sqlite"
	"github.com/ringback-dev/ringback/store/storetest"
	"github.com/ringback-dev/ringback/webhook"
)

// oneDrain is held by the drain that has the receiver.
var oneDrain sync.Mutex

// openAgain opens the database in a directory until the test ends: the host's
// connections, and the store's.
func openAgain(t *testing.T, dir string) (*sql.DB, *sqlite.Store) {
	t.Helper()
	db, err := sql.Open("sqlite3", hostSource(filepath.Join(dir, databaseName), hostSettings))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	store, err := sqlite.New(t.Context(), db, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	return db, store
}

// checkDrain lets an engine deliver what is open in a database that was compared, and
// looks at what has been received by then, before the power was cut and after.
func checkDrain(t *testing.T, db *sql.DB, store *sqlite.Store, to *receiver, c *comparison) {
	t.Helper()
	received := make(map[string][]receipt)
	for delivery, list := range c.received {
		received[delivery] = slices.Clone(list)
	}
	func() {
		oneDrain.Lock()
		defer oneDrain.Unlock()
		stop := to.handTo(func(r receipt) error { // one at a time
			received[r.delivery] = append(received[r.delivery], r)
			return nil
		})
		defer stop()
		drain(t, db, store)
	}()
	storetest.CheckInvariants(t, store)
	events := maps.Clone(c.committed)
	maps.Copy(events, c.ledger)
	for event := range c.events {
		events[event] = true
	}
	for event := range events {
		for i, callback := range c.permanent {
			list := received[webhook.DeliveryID(event, callback)]
			if len(list) == 0 || i == 0 && !succeeded(list) { // the first one takes everything
				t.Errorf("%s was not delivered to callback %s: %v", event, callback, list)
			}
		}
	}
	for delivery, list := range received {
		event, _, _ := webhook.SplitDeliveryID(delivery)
		if c.events[event] == nil && c.received[delivery] == nil {
			t.Errorf("%s was received, which was not there", delivery)
		}
		for _, r := range list {
			if r.digest != list[0].digest {
				t.Errorf("%s was received with different bodies", delivery)
			}
		}
	}
}

// drain runs an engine until nothing is open. The workers that there were are dead,
// which it would find out by itself, but only after some seconds.
func drain(t *testing.T, db *sql.DB, store *sqlite.Store) {
	t.Helper()
	workers, err := store.Workers(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range workers {
		if retired, err := store.Retire(t.Context(), w); err != nil || !retired {
			t.Fatalf("a worker of before the power cut: retired %t, %v", retired, err)
		}
	}
	engine, err := dispatch.New(store, engineOptions())
	if err != nil {
		t.Fatal(err)
	}
	running, stop := context.WithCancel(t.Context())
	defer stop()
	ran := make(chan error, 1)
	go func() { ran <- engine.Run(running) }()
	patience := time.After(time.Minute)
	look := time.NewTicker(5 * time.Millisecond)
	defer look.Stop()
	for !drained(t, db) && !t.Failed() {
		select {
		case <-look.C:
		case <-patience:
			t.Error("not everything was delivered within a minute")
		}
	}
	stop()
	if err := <-ran; err != nil {
		t.Error(err)
	}
}

// countOpen counts what is still to be done.
const countOpen = `SELECT (SELECT count(*) FROM ringback_pending WHERE id <> '') + (
	SELECT count(*) FROM ` + allDeliveries + `
	WHERE ended = 0 AND callback_id IN (SELECT id FROM ringback_callbacks))`

// drained reports whether nothing is open, or whether that cannot be found out.
func drained(t *testing.T, db *sql.DB) bool {
	var open int
	if err := db.QueryRowContext(t.Context(), countOpen).Scan(&open); err != nil {
		t.Error(err)
	}
	return open == 0
}
