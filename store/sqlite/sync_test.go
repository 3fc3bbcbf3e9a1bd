package sqlite_test

import (
	"errors"
	"os"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/ringback-dev/ringback/store/sqlite"
)

// TestSyncedBeforeAcknowledged holds the disk back: nothing is acknowledged meanwhile, while
// others go on writing, and closing waits as well.
func TestSyncedBeforeAcknowledged(t *testing.T) {
	file := filepath.Join(t.TempDir(), "store.db")
	store, err := sqlite.Open(t.Context(), file, nil)
	if err != nil {
		t.Fatal(err)
	}
	syncing, release := make(chan string, 2), make(chan struct{})
	store.ReplaceSync(func(f *os.File) error {
		syncing <- f.Name()
		<-release
		return nil
	})
	dispatch := func(id string) <-chan error {
		done := make(chan error, 1)
		go func() { done <- store.Dispatch(t.Context(), event(id)) }()
		return done
	}
	first := dispatch("e1")
	if name := <-syncing; name != store.Log() {
		t.Errorf("synced %s, want the log", name)
	}
	db := openHost(t, file, hostSettings)
	if _, err := db.Exec("INSERT INTO ledger VALUES ('beside')"); err != nil {
		t.Errorf("a host's write beside a sync: %v", err)
	}
	// It is committed while the first one waits, and its own sync comes behind.
	second := dispatch("e2")
	for pending(t, store) != "e1 e2" {
		if t.Context().Err() != nil {
			t.Fatal(t.Context().Err())
		}
	}
	closed := make(chan error, 1)
	go func() { closed <- store.Close() }()
	select {
	case err := <-first:
		t.Errorf("the first was acknowledged without the disk: %v", err)
	case err := <-second:
		t.Errorf("the second was acknowledged without the disk: %v", err)
	case err := <-closed:
		t.Errorf("the store was closed without the disk: %v", err)
	default:
	}
	release <- struct{}{}
	if err := <-first; err != nil {
		t.Error(err)
	}
	<-syncing
	select {
	case err := <-second:
		t.Errorf("the second was acknowledged by a sync that had begun before it: %v", err)
	default:
	}
	release <- struct{}{}
	if err := errors.Join(<-second, <-closed); err != nil {
		t.Error(err)
	}
}

// TestSyncFails lets the disk refuse: what waited for it is not acknowledged, and nothing
// else is until all that was committed is on the disk by another way.
func TestSyncFails(t *testing.T) {
	file := filepath.Join(t.TempDir(), "store.db")
	store := open(t, file)
	var syncs atomic.Int64
	store.ReplaceSync(func(*os.File) error {
		if syncs.Add(1) == 1 {
			return syscall.EIO
		}
		return nil
	})
	if err := store.Dispatch(t.Context(), event("e1")); !errors.Is(err, syscall.EIO) {
		t.Fatalf("got %v, want an error of the disk", err)
	}

	// While somebody reads what was before, the log can't be emptied.
	db := openHost(t, file, "_journal_mode=WAL")
	reading := begin(t, db)
	var n int
	if err := reading.QueryRow("SELECT count(*) FROM ledger").Scan(&n); err != nil {
		t.Fatal(err)
	}
	if err := store.Dispatch(t.Context(), event("e2")); !errors.Is(err, syscall.EIO) {
		t.Errorf("got %v, want an error of the disk", err)
	}
	if got := pending(t, store); got != "e1" {
		t.Errorf("pending: %s, want what may be on the disk", got)
	}
	if n := syncs.Load(); n != 1 {
		t.Errorf("%d syncs: a second one proves nothing", n)
	}
	if err := reading.Rollback(); err != nil {
		t.Fatal(err)
	}

	if err := store.Dispatch(t.Context(), event("e2")); err != nil {
		t.Fatal(err)
	}
	if got := pending(t, store); got != "e1 e2" {
		t.Errorf("pending: %s", got)
	}
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	withoutLog := filepath.Join(t.TempDir(), "copy.db")
	if err := os.WriteFile(withoutLog, content, 0o600); err != nil {
		t.Fatal(err)
	}
	if got := pending(t, open(t, withoutLog)); got != "e1" {
		t.Errorf("without the log %q is pending, want what was written when the disk refused", got)
	}
}
