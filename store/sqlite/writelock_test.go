package sqlite_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
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

// TestWriteLock has a host that waits for nobody at the file's lock, and need not, beside a
// store that writes all the time.
func TestWriteLock(t *testing.T) {
	db := openHost(t, filepath.Join(t.TempDir(), "host.db"), strings.Replace(hostSettings, "5000", "1", 1))
	store, err := sqlite.New(t.Context(), db, nil)
	if err != nil {
		t.Fatal(err)
	}
	closeLater(t, store)
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

// TestWriteLockTurn has many goroutines of a host wait for the lock: the store has its turn
// before most of them.
func TestWriteLockTurn(t *testing.T) {
	_, store := newHost(t)
	const hosts = 40
	release := hold(store)
	var turns atomic.Int64
	var host sync.WaitGroup
	for range hosts {
		host.Go(func() {
			defer hold(store)()
			turns.Add(1)
			<-time.After(5 * time.Millisecond)
		})
	}
	dispatched := make(chan error, 1)
	var before int64
	go func() {
		err := store.Dispatch(context.Background(), event("e"))
		before = turns.Load()
		dispatched <- err
	}()
	<-time.After(20 * time.Millisecond) // all wait by now
	release()
	if err := <-dispatched; err != nil {
		t.Error(err)
	}
	if before > hosts/2 {
		t.Errorf("%d of the host's %d goroutines had their turns before the store", before, hosts)
	}
	host.Wait()
}

// TestWriteLockHeld has a host hold the lock for long: what reads does not wait for that, nor
// does InTx; what writes waits until its context ends, the store is closed or it took too long.
func TestWriteLockHeld(t *testing.T) {
	db, store := newHost(t)
	release := hold(store)
	defer release()
	if err := hostTransaction(db, store, "host"); err != nil {
		t.Error(err)
	}
	if got := pending(t, store); got != "host" {
		t.Errorf("pending: %q", got)
	}

	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if err := store.Dispatch(ctx, event("e1")); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("with a context that ends: %v", err)
	}
	began := time.Now()
	err := store.Dispatch(t.Context(), event("e2"))
	if err == nil || !strings.Contains(err.Error(), "waited 5s for the write lock") {
		t.Errorf("got %v", err)
	}
	if took := time.Since(began); took < sqlite.BusyTimeout/2 || took > 2*sqlite.BusyTimeout {
		t.Errorf("that took %v", took)
	}
	waiting := make(chan error, 1)
	go func() { waiting <- store.Dispatch(context.Background(), event("e3")) }()
	<-time.After(20 * time.Millisecond)
	if err := store.Close(); err != nil {
		t.Error(err)
	}
	if err := <-waiting; err == nil {
		t.Error("dispatched in a store that was closed")
	}
	release()
	if got := count(t, db, "SELECT count(*) FROM ringback_pending WHERE id <> ''"); got != 1 {
		t.Errorf("%d events, want 1", got)
	}
}

// TestWriteLockFreed has the store end its transactions in each way: none of them keeps the lock.
func TestWriteLockFreed(t *testing.T) {
	db, store := newHost(t)
	w := join(t, store)
	for _, c := range []struct {
		name string
		run  func() error
		want error
	}{
		{"commit", func() error { return store.Dispatch(t.Context(), event("e")) }, nil},
		{"rollback", func() error { _, err := store.Settle(t.Context(), w+1, nil); return err }, webhook.ErrFenced},
		{"another connection writes", func() error {
			tx := begin(t, db)
			defer tx.Rollback()
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
			defer cancel()
			return store.Dispatch(ctx, event("e2"))
		}, context.DeadlineExceeded},
	} {
		if err := c.run(); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", c.name, err)
		}
		locked := make(chan struct{})
		go func() {
			hold(store)()
			close(locked)
		}()
		select {
		case <-locked:
		case <-time.After(sqlite.BusyTimeout):
			t.Fatalf("after the %s the store has the lock", c.name)
		}
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
