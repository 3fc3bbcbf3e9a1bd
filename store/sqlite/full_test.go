package sqlite_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mattn/go-sqlite3"

	"github.com/ringback-dev/ringback/store/storetest"
	"github.com/ringback-dev/ringback/webhook"
)

// lots is how far a database may grow when its disk is not full.
const lots = 100_000

// wantFull ends the test unless a write failed for want of space.
func wantFull(t *testing.T, what string, err error) {
	t.Helper()
	var failure sqlite3.Error
	if !errors.As(err, &failure) || failure.Code != sqlite3.ErrFull {
		t.Fatalf("%s: got %v, want a full database", what, err)
	}
}

// TestFull lets each kind of write run into a full disk: it fails whole, and goes on
// when there is space again.
func TestFull(t *testing.T) {
	store := open(t, filepath.Join(t.TempDir(), "store.db"))
	c := create(t, store)
	w := join(t, store)
	large := strings.Repeat("x", 50_000)
	full := func(full bool) {
		t.Helper()
		more := lots
		if full {
			more = 3
		}
		if err := store.LimitPages(more); err != nil {
			t.Fatal(err)
		}
	}

	list := events("e", 3)
	for i := range list {
		list[i].Profile.Fields["large"] = large
	}
	full(true)
	wantFull(t, "dispatch", store.Dispatch(t.Context(), list...))
	if got := pending(t, store); got != "" {
		t.Errorf("pending: %s", got)
	}
	full(false)
	if err := store.Dispatch(t.Context(), list...); err != nil {
		t.Fatal(err)
	}

	full(true)
	wantFull(t, "fan-out", fanOut(t, store, []byte(large+large), c))
	if got := pending(t, store); got != "e0 e1 e2" {
		t.Errorf("pending: %s", got)
	}
	storetest.CheckInvariants(t, store)
	full(false)
	if err := fanOut(t, store, []byte(large+large), c); err != nil {
		t.Fatal(err)
	}

	claimed := claim(t, store, w, 10)
	if len(claimed) != 3 {
		t.Fatalf("claimed %d", len(claimed))
	}
	full(true)
	_, err := store.Settle(t.Context(), w, outcomes(claimed, large))
	wantFull(t, "settle", err)
	storetest.CheckInvariants(t, store)
	for _, d := range claimed {
		if got, err := store.Delivery(t.Context(), d.ID); err != nil || got != d.Delivery {
			t.Errorf("delivery is %+v, %v, want %+v", got, err, d.Delivery)
		}
	}
	full(false)
	if _, err := store.Settle(t.Context(), w, outcomes(claimed, large)); err != nil {
		t.Fatal(err)
	}

	full(true)
	expression := strings.Repeat("a", webhook.MaxExpression)
	created := 1 // c
	for {
		_, err := store.CreateCallback(t.Context(), webhook.Callback{Database: "d", Expression: expression}, 0)
		if err != nil {
			wantFull(t, "create", err)
			break
		}
		created++
	}
	full(false)
	page, err := store.Callbacks(t.Context(), webhook.CallbackQuery{Limit: 100})
	if err != nil || len(page.Callbacks) != created {
		t.Errorf("%d callbacks, %v, want %d", len(page.Callbacks), err, created)
	}
	storetest.CheckInvariants(t, store)
	storetest.CheckDrains(t, store)
}

// TestFullHost fills the disk in a transaction of the host's.
func TestFullHost(t *testing.T) {
	db, store := newHost(t)
	db.SetMaxOpenConns(1) // the limit is the connection's
	limit := func(more int) {
		t.Helper()
		pages := count(t, db, "PRAGMA page_count")
		if got := count(t, db, fmt.Sprintf("PRAGMA max_page_count = %d", pages+more)); got != pages+more {
			t.Fatalf("at most %d pages, want %d", got, pages+more)
		}
	}
	list := events("e", 1200) // several statements
	limit(20)
	tx := begin(t, db)
	wantFull(t, "dispatch", store.InTx(tx).Dispatch(t.Context(), list...))
	// Whether or not SQLite has rolled back, nothing of it is left.
	if err := tx.Commit(); err != nil {
		t.Log(err)
	}
	if got := pending(t, store); got != "" {
		t.Errorf("%d are pending", len(strings.Fields(got)))
	}
	limit(lots)
	tx = begin(t, db)
	if err := store.InTx(tx).Dispatch(t.Context(), list...); err != nil {
		t.Fatal(err)
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	if got := len(strings.Fields(pending(t, store))); got != len(list) {
		t.Errorf("%d are pending, want %d", got, len(list))
	}
}
