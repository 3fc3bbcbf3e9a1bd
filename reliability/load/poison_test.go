package load_test

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ringback-dev/ringback/dispatch"
	"github.com/ringback-dev/ringback/store/sqlite"
	"github.com/ringback-dev/ringback/webhook"
)

// TestPoison damages rows by hand while an engine runs. What they stand for is dead, with
// a reason, or left out and logged; nothing else comes later than it would by more than
// about a poll.
func TestPoison(t *testing.T) {
	db, store := newHost(t, filepath.Join(t.TempDir(), "host.db"), 5)
	r := newReceiver(t)
	good, bad := subscribe(t, store, "d", r.URL), subscribe(t, store, "poisoned", r.URL+"/bad")
	// A receiver to which nothing is sent before its deliveries are damaged.
	held := subscribe(t, store, "held", r.URL+"/held")
	// Two messages, and two deliveries, that are damaged before the engine begins.
	fanOut(t, store, held, "no-message", "no-state", "whole")
	spoil(t, db, "UPDATE ringback_events SET json = NULL WHERE id = 'no-message'")
	spoil(t, db, "UPDATE ringback_deliveries SET state = 9 "+
		"WHERE event_sequence = (SELECT sequence FROM ringback_events WHERE id = 'no-state')")
	var logged errorLog
	run(t, store, dispatch.Options{}, slog.New(&logged))

	changes := sized(20, 300)
	plain := change(t, db, store, r, "plain", changes, func(int) {})
	poisoned := 0
	beside := change(t, db, store, r, "beside", changes, func(i int) {
		if i%4 != 0 {
			return
		}
		poison(t, db, store, fmt.Sprint("no-data-", poisoned))
		poisoned++
		secret := []string{"", "whsec_"}[poisoned%2]
		spoil(t, db, fmt.Sprintf("UPDATE ringback_callbacks SET secret = '%s' WHERE id = %s", secret, bad.ID))
		event := update(fmt.Sprint("unread-", i), "poisoned", fmt.Sprint("p", i), 1)
		if err := store.Dispatch(t.Context(), event); err != nil {
			t.Fatal(err)
		}
	})
	t.Logf("from commit to POST, at most: %v without poison, %v beside it", plain, beside)
	const poll = time.Second
	if limit := plain + poll + sized(20*time.Second, 250*time.Millisecond); beside > limit {
		t.Errorf("beside poison an event came %v after its commit, want %v at most", beside, limit)
	}
	waitFor(t, "what is whole to come", func() bool { _, came := r.came("whole"); return came })

	for i := range poisoned {
		id := webhook.DeliveryID(fmt.Sprint("no-data-", i), good.ID)
		waitFor(t, id+" to be dead", func() bool {
			d, err := store.Delivery(t.Context(), id)
			return err == nil && d.State == webhook.DeliveryDead && d.Reason != ""
		})
	}
	spoil(t, db, fmt.Sprintf("UPDATE ringback_callbacks SET secret = 'whsec_' WHERE id = %s", bad.ID))
	if err := store.Dispatch(t.Context(), update("unread", "poisoned", "p", 1)); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{
		"event is damaged", "callback " + bad.ID + ":", fmt.Sprintf("event 1 to callback %s", held.ID),
	} {
		waitFor(t, "an error that tells of the "+text, func() bool { return logged.has(text) })
	}
	for _, event := range []string{"no-message", "no-state", "unread"} {
		if _, came := r.came(event); came {
			t.Errorf("event %s has come", event)
		}
	}
}

// change makes changes to records that nothing is damaged of, and returns how long after
// its commit the last one of them came.
func change(t *testing.T, db *sql.DB, store *sqlite.Store, r *receiver, name string, n int, before func(i int)) time.Duration {
	t.Helper()
	committed := make(map[string]time.Time, n)
	for i := range n {
		before(i)
		event := fmt.Sprintf("%s-%d", name, i)
		if err := touch(db, store, event, "d", fmt.Sprint("r", i%5)); err != nil {
			t.Fatal(err)
		}
		committed[event] = time.Now()
		<-time.After(10 * time.Millisecond)
	}
	var longest time.Duration
	for event, at := range committed {
		waitFor(t, "event "+event, func() bool { _, came := r.came(event); return came })
		came, _ := r.came(event)
		longest = max(longest, came.Sub(at))
	}
	return longest
}

// poison dispatches an event and damages it, in one transaction.
func poison(t *testing.T, db *sql.DB, store *sqlite.Store, event string) {
	t.Helper()
	tx, err := db.Begin()
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback() // fails once it is committed
	if err := store.InTx(tx).Dispatch(t.Context(), update(event, "d", event, 1)); err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec("UPDATE ringback_pending SET data = x'ff00' WHERE id = ?", event); err != nil {
		t.Fatal(err)
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
}

// fanOut dispatches events and writes their deliveries to a callback, as an engine does.
// They are the first ones of the store.
func fanOut(t *testing.T, store webhook.Store, c webhook.Callback, events ...string) {
	t.Helper()
	var expansions []webhook.Expansion
	for i, event := range events {
		if err := store.Dispatch(t.Context(), update(event, c.Database, event, 1)); err != nil {
			t.Fatal(err)
		}
		message := fmt.Sprintf(`{"profile":{"ID":%q,"fields":{"n":1}}}`, event)
		expansions = append(expansions, webhook.Expansion{
			Sequence: int64(i + 1),
			Messages: webhook.Messages{JSON: []byte(message)},
			Targets:  []webhook.Target{{Callback: c.ID, Method: c.Method, Encoding: c.Encoding}},
		})
	}
	if err := store.FanOut(t.Context(), expansions); err != nil {
		t.Fatal(err)
	}
}

// spoil changes rows without regard to what is allowed.
func spoil(t *testing.T, db *sql.DB, statement string) {
	t.Helper()
	conn, err := db.Conn(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	for _, s := range []string{"PRAGMA ignore_check_constraints = ON", statement, "PRAGMA ignore_check_constraints = OFF"} {
		if _, err := conn.ExecContext(context.Background(), s); err != nil {
			t.Fatal(err)
		}
	}
}

// An errorLog keeps the errors that are logged.
type errorLog struct {
	mu   sync.Mutex
	text strings.Builder
}

// Enabled implements [slog.Handler].
func (l *errorLog) Enabled(_ context.Context, level slog.Level) bool { return level >= slog.LevelError }

// Handle implements [slog.Handler].
func (l *errorLog) Handle(_ context.Context, r slog.Record) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	fmt.Fprint(&l.text, r.Message)
	r.Attrs(func(a slog.Attr) bool {
		fmt.Fprintf(&l.text, " %v", a)
		return true
	})
	fmt.Fprintln(&l.text)
	return nil
}

// WithAttrs implements [slog.Handler].
func (l *errorLog) WithAttrs([]slog.Attr) slog.Handler { return l }

// WithGroup implements [slog.Handler].
func (l *errorLog) WithGroup(string) slog.Handler { return l }

func (l *errorLog) has(text string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Contains(l.text.String(), text)
}
