package sqlite_test

import (
	"path/filepath"
	"testing"

	"github.com/ringback-dev/ringback/webhook"
)

// TestPurgeMany removes an event with more deliveries than fit in a step.
func TestPurgeMany(t *testing.T) {
	db, store := newHost(t)
	var callbacks []webhook.Callback
	for range 1100 {
		callbacks = append(callbacks, create(t, store))
	}
	list := events("e", 3)
	list[2].Profile.ID = list[0].Profile.ID
	if err := store.Dispatch(t.Context(), list...); err != nil {
		t.Fatal(err)
	}
	if err := fanOut(t, store, nil, callbacks...); err != nil {
		t.Fatal(err)
	}
	got, err := store.Purge(t.Context(), webhook.Scope{Database: "d"}, list[0].Profile.ID)
	if err != nil || got != 2 {
		t.Fatalf("purged %d, %v", got, err)
	}
	if n := count(t, db, "SELECT count(*) FROM ringback_deliveries"); n != len(callbacks) {
		t.Errorf("%d deliveries are left, want %d", n, len(callbacks))
	}
}

// TestPurgeBusy purges while another reads for longer than it waits.
func TestPurgeBusy(t *testing.T) {
	file := filepath.Join(t.TempDir(), "store.db")
	store := open(t, file)
	if err := store.Dispatch(t.Context(), events("e", 3)...); err != nil {
		t.Fatal(err)
	}
	reading, err := openHost(t, file, "_journal_mode=WAL").BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer reading.Rollback()
	var n int
	if err := reading.QueryRow("SELECT count(*) FROM ringback_pending WHERE id <> ''").Scan(&n); err != nil || n != 3 {
		t.Fatal(n, err)
	}
	if got, err := store.Purge(t.Context(), webhook.Scope{Database: "d"}, "re1"); err != nil || got != 1 {
		t.Fatalf("purged %d, %v", got, err)
	}
	if got := pending(t, store); got != "e0 e2" {
		t.Errorf("pending: %s", got)
	}
}
