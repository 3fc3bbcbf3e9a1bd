package sqlite_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ringback-dev/ringback/store/sqlite"
	"github.com/ringback-dev/ringback/webhook"
)

// hold holds the write lock until the function is called that it returns.
func hold(store *sqlite.Store) (release func()) {
	lock := store.WriteLock()
	lock.Lock()
	return sync.OnceFunc(lock.Unlock)
}

// hostTransaction dispatches an event in a transaction of the host's.
func hostTransaction(db *sql.DB, store *sqlite.Store, id string) error {
	tx, err := db.Begin()
	if err != nil {
		return err
	}
	defer tx.Rollback() // of no effect after the commit
	if err := store.InTx(tx).Dispatch(context.Background(), event(id)); err != nil {
		return err
	}
	return tx.Commit()
}

// impatientHost returns a newHost that hardly waits for SQLite's lock.
func impatientHost(t *testing.T) (*sql.DB, *sqlite.Store) {
	t.Helper()
	db := openHost(t, filepath.Join(t.TempDir(), "host.db"), strings.Replace(hostSettings, "5000", "1", 1))
	store, err := sqlite.New(t.Context(), db, nil)
	if err != nil {
		t.Fatal(err)
	}
	closeLater(t, store)
	return db, store
}

// TestWriteLock has a host that waits for nobody at the file's lock, and need not, beside a
// store that writes all the time.
func TestWriteLock(t *testing.T) {
	db, store := impatientHost(t)
	const writers, each = 4, 100
	ended := make(chan struct{})
	var host, others sync.WaitGroup
	var wrote atomic.Int64
	for range 2 {
		others.Go(func() {
			for {
				select {
				case <-ended:
					return
				default:
				}
				if err := store.Dispatch(context.Background(), event(fmt.Sprint("store", wrote.Add(1)))); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	lock := store.WriteLock()
	for w := range writers {
		host.Go(func() {
			for i := range each {
				lock.Lock()
				err := hostTransaction(db, store, fmt.Sprintf("host%d-%d", w, i))
				lock.Unlock()
				if err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	host.Wait()
	close(ended)
	others.Wait()
	const selectCount = "SELECT count(*) FROM ringback_pending WHERE id LIKE ? || '%'"
	var fromHost, fromStore int64
	if err := db.QueryRow(selectCount, "host").Scan(&fromHost); err != nil {
		t.Fatal(err)
	}
	if err := db.QueryRow(selectCount, "store").Scan(&fromStore); err != nil {
		t.Fatal(err)
	}
	if fromHost != writers*each || fromStore != wrote.Load() || fromStore == 0 {
		t.Errorf("%d and %d events, want %d and %d", fromHost, fromStore, writers*each, wrote.Load())
	}
}

// TestWriteLockOrder has many goroutines of a host wait for the lock, and then the store: it has
// the next turn, and they have theirs in the order in which they came.
func TestWriteLockOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, store := newHost(t)
		release := hold(store)
		var turns []int // under the lock
		var all sync.WaitGroup
		for i := range 20 {
			all.Go(func() {
				defer hold(store)()
				if got := pending(t, store); got != "e" {
					t.Errorf("turn %d is before the store's: pending is %q", len(turns), got)
				}
				turns = append(turns, i)
			})
			synctest.Wait() // until it waits
		}
		all.Go(func() {
			if err := store.Dispatch(t.Context(), event("e")); err != nil {
				t.Error(err)
			}
		})
		synctest.Wait()
		release()
		all.Wait()
		if !slices.IsSorted(turns) {
			t.Errorf("the host's turns: %v", turns)
		}
	})
}

// TestWriteLockHeld has a host hold the lock for long: what reads does not wait for that, nor
// does InTx; what writes waits until its context ends, it took too long or the store is closed.
func TestWriteLockHeld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db, store := newHost(t)
		release := hold(store)
		defer release()
		if err := hostTransaction(db, store, "host"); err != nil {
			t.Error(err)
		}
		if got := pending(t, store); got != "host" {
			t.Errorf("pending: %q", got)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := store.Dispatch(ctx, event("e1")); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("with a context that ends: %v", err)
		}
		began := time.Now()
		err := store.Dispatch(t.Context(), event("e2"))
		if err == nil || !strings.Contains(err.Error(), "waited 5s for the write lock") {
			t.Errorf("got %v", err)
		}
		if took := time.Since(began); took != sqlite.BusyTimeout {
			t.Errorf("that took %v", took)
		}
		waiting := make(chan error, 1)
		go func() { waiting <- store.Dispatch(context.Background(), event("e3")) }()
		synctest.Wait()
		if err := store.Close(); err != nil {
			t.Error(err)
		}
		if err := <-waiting; err == nil {
			t.Error("dispatched in a store that was closed")
		}
		if got := count(t, db, "SELECT count(*) FROM ringback_pending WHERE id <> ''"); got != 1 {
			t.Errorf("%d events, want 1", got)
		}
	})
}

// TestWriteLockLog has the log be so large that the store empties it before it writes, which
// takes SQLite's lock and waits for who reads: not while the host has the write lock.
func TestWriteLockLog(t *testing.T) {
	db, store := impatientHost(t)
	reader := openHost(t, strings.TrimSuffix(store.Log(), "-wal"), "_journal_mode=WAL&_busy_timeout=5000")
	reading := begin(t, reader)
	defer reading.Rollback()
	var rows int
	if err := reading.QueryRow("SELECT count(*) FROM ledger").Scan(&rows); err != nil {
		t.Fatal(err)
	}
	large := strings.Repeat("x", 1<<20)
	for i := range sqlite.LogLimit/len(large) + 1 {
		if _, err := db.Exec("INSERT INTO ledger VALUES (?)", fmt.Sprint(i, large)); err != nil {
			t.Fatal(err)
		}
	}
	release := hold(store)
	defer release()
	dispatched := make(chan error, 1)
	go func() { dispatched <- store.Dispatch(context.Background(), event("e")) }()
	pace := time.NewTicker(2 * time.Millisecond) // it leaves SQLite's lock free between its writes
	defer pace.Stop()
	for i := range 50 {
		<-pace.C
		if _, err := db.Exec("INSERT INTO ledger VALUES (?)", i); err != nil {
			t.Fatal(err)
		}
	}
	release()
	if err := <-dispatched; err != nil {
		t.Error(err)
	}
}

// TestWriteLockFreed has the store end its transactions in several ways: none of them keeps the
// lock.
func TestWriteLockFreed(t *testing.T) {
	for _, c := range []struct {
		name string
		run  func(t *testing.T, db *sql.DB, store *sqlite.Store) error
	}{
		{"commits", func(t *testing.T, _ *sql.DB, store *sqlite.Store) error {
			return store.Dispatch(t.Context(), event("e"))
		}},
		{"can't commit", func(t *testing.T, _ *sql.DB, store *sqlite.Store) error {
			if err := store.RefuseCommits(2); err != nil { // by itself too
				return err
			}
			if err := store.Dispatch(t.Context(), event("e")); err == nil {
				return errors.New("committed")
			}
			return nil
		}},
		{"rolls back", func(t *testing.T, _ *sql.DB, store *sqlite.Store) error {
			if _, err := store.Settle(t.Context(), 99, nil); !errors.Is(err, webhook.ErrFenced) {
				return fmt.Errorf("settled: %w", err)
			}
			return nil
		}},
		{"panics", func(t *testing.T, _ *sql.DB, store *sqlite.Store) (err error) {
			create(t, store)
			w := join(t, store)
			if err := store.Dispatch(t.Context(), event("e")); err != nil {
				return err
			}
			p, err := store.Pending(t.Context(), webhook.PendingRequest{Limit: 1, LimitBytes: 1 << 20})
			if err != nil {
				return err
			}
			defer func() {
				if recover() == nil {
					err = errors.New("no panic")
				}
			}()
			_, err = store.FanOutAndClaim(t.Context(), expansions(p.Events, []byte("{}"), webhook.Callback{ID: "1"}),
				webhook.ClaimRequest{Worker: w, Now: time.Now(), Limit: 1, LimitBytes: 1 << 20,
					Room: func(string, webhook.Health) int { panic("no room") }})
			return err
		}},
		{"finds another connection writing", func(t *testing.T, db *sql.DB, store *sqlite.Store) error {
			tx := begin(t, db)
			defer tx.Rollback()
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
			defer cancel()
			if err := store.Dispatch(ctx, event("e")); !errors.Is(err, context.DeadlineExceeded) {
				return fmt.Errorf("dispatched: %w", err)
			}
			return nil
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			db, store := newHost(t)
			if err := c.run(t, db, store); err != nil {
				t.Error(err)
			}
			locked := make(chan struct{})
			go func() {
				hold(store)()
				close(locked)
			}()
			select {
			case <-locked:
			case <-time.After(sqlite.BusyTimeout):
				t.Fatal("the store has the lock")
			}
		})
	}
}

// TestWriteLockMisused unlocks what nobody has locked.
func TestWriteLockMisused(t *testing.T) {
	_, store := newHost(t)
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
		if err := store.Dispatch(t.Context(), event("e")); err != nil {
			t.Error(err)
		}
	}()
	store.WriteLock().Unlock()
}

// TestWriteLockWakes shows that an event that is dispatched under the lock wakes Watch, also
// where another goroutine of the host's does not use it.
func TestWriteLockWakes(t *testing.T) {
	db, store := newHost(t)
	woken := make(chan struct{}, 100)
	ctx, cancel := context.WithCancel(t.Context())
	watching := make(chan error, 1)
	go func() { watching <- store.Watch(ctx, func() { woken <- struct{}{} }) }()
	<-woken // once as it begins
	for i := range 10 {
		release := hold(store)
		if i%2 == 1 {
			release()
		}
		if err := hostTransaction(db, store, fmt.Sprint("e", i)); err != nil {
			t.Fatal(err)
		}
		release()
		select {
		case <-woken:
		case <-time.After(5 * time.Second):
			t.Fatal("not woken")
		}
	}
	cancel()
	if err := <-watching; err != nil {
		t.Error(err)
	}
}
