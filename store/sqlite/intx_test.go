package sqlite_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/ringback-dev/ringback/webhook"
)

func TestInTx(t *testing.T) {
	errFailed := errors.New("failed")
	for _, c := range []struct {
		name string
		run  func(tx *sql.Tx, d webhook.Dispatcher) error // commits unless it fails
		want string
	}{
		{"commit", func(tx *sql.Tx, d webhook.Dispatcher) error {
			return d.Dispatch(context.Background(), event("e1"), event("e2"))
		}, "e1 e2"},
		{"rollback", func(tx *sql.Tx, d webhook.Dispatcher) error {
			return errors.Join(d.Dispatch(context.Background(), event("e1")), errFailed)
		}, ""},
		{"nothing", func(tx *sql.Tx, d webhook.Dispatcher) error { return d.Dispatch(context.Background()) }, ""},
		{"twice", func(tx *sql.Tx, d webhook.Dispatcher) error {
			return errors.Join(d.Dispatch(context.Background(), event("e1"), event("e1")),
				d.Dispatch(context.Background(), event("e1"), event("e2")))
		}, "e1 e1 e1 e2"},
		{"invalid", func(tx *sql.Tx, d webhook.Dispatcher) error {
			err := d.Dispatch(context.Background(), event("e1"), event("not valid"))
			if !errors.Is(err, webhook.ErrInvalid) {
				return fmt.Errorf("got %v", err)
			}
			return d.Dispatch(context.Background(), event("e2"))
		}, "e2"},
		{"context has ended", func(tx *sql.Tx, d webhook.Dispatcher) error {
			ctx, cancel := context.WithCancel(context.Background())
			cancel()
			if err := d.Dispatch(ctx, event("e1")); !errors.Is(err, context.Canceled) {
				return fmt.Errorf("got %v", err)
			}
			return d.Dispatch(context.Background(), event("e2"))
		}, "e2"},
		{"savepoint", func(tx *sql.Tx, d webhook.Dispatcher) error {
			_, begun := tx.Exec("SAVEPOINT host")
			dispatched := d.Dispatch(context.Background(), events("lost", 1200)...)
			_, undone := tx.Exec("ROLLBACK TO host")
			return errors.Join(begun, dispatched, undone, d.Dispatch(context.Background(), event("kept")))
		}, "kept"},
		{"a later statement of many fails", func(tx *sql.Tx, d webhook.Dispatcher) error {
			_, err := tx.Exec(`CREATE TEMP TRIGGER refuse BEFORE INSERT ON ringback_pending WHEN NEW.id = 'many1100'
				BEGIN SELECT RAISE(ABORT, 'refused'); END`)
			if err != nil {
				return err
			}
			if err := d.Dispatch(context.Background(), events("many", 1200)...); err == nil {
				return errFailed
			}
			return d.Dispatch(context.Background(), event("e1"))
		}, "e1"},
		{"a statement of the host's fails", func(tx *sql.Tx, d webhook.Dispatcher) error {
			err := d.Dispatch(context.Background(), event("e1"))
			if _, failed := tx.Exec("INSERT INTO ledger VALUES ('row')"); failed == nil {
				return errFailed // it is there already
			}
			return err
		}, "e1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			db, store := newHost(t)
			tx := begin(t, db)
			if _, err := tx.Exec("INSERT INTO ledger VALUES ('row')"); err != nil {
				t.Fatal(err)
			}
			err := c.run(tx, store.InTx(tx))
			if got := pending(t, store); got != "" {
				t.Errorf("pending before the commit: %s", got)
			}
			rows := 0
			if err == nil {
				rows = 1
				if err := tx.Commit(); err != nil {
					t.Fatal(err)
				}
			} else if err := tx.Rollback(); err != nil {
				t.Fatal(err)
			}
			if c.want != "" && err != nil || err != nil && !errors.Is(err, errFailed) {
				t.Fatal(err)
			}
			if got := pending(t, store); got != c.want {
				t.Errorf("pending: %q, want %q", got, c.want)
			}
			if got := count(t, db, "SELECT count(*) FROM ledger"); got != rows {
				t.Errorf("the host has %d rows, want %d", got, rows)
			}
		})
	}
}

func TestInTxPanic(t *testing.T) {
	db, store := newHost(t)
	func() {
		defer func() {
			if recover() == nil {
				t.Error("did not panic")
			}
		}()
		tx := begin(t, db)
		defer tx.Rollback()
		if err := store.InTx(tx).Dispatch(t.Context(), event("e")); err != nil {
			t.Error(err)
		}
		panic("in the host")
	}()
	if got := pending(t, store); got != "" {
		t.Errorf("pending: %s", got)
	}
}

// TestInTxMany takes more events than fit in a statement.
func TestInTxMany(t *testing.T) {
	db, store := newHost(t)
	many := events("e", 1701)
	for i := range 2 { // the second time all are known
		tx := begin(t, db)
		if err := store.InTx(tx).Dispatch(t.Context(), many...); err != nil {
			t.Fatal(err)
		}
		if err := tx.Commit(); err != nil {
			t.Fatal(err)
		}
		ids := strings.Fields(pending(t, store))
		if len(ids) != (i+1)*len(many) {
			t.Fatalf("%d are pending, want %d times %d", len(ids), i+1, len(many))
		}
		for i, id := range ids {
			if want := many[i%len(many)].ID; id != want {
				t.Fatalf("event %d is %s, want %s", i, id, want)
			}
		}
	}
	if err := fanOut(t, store, nil); err != nil {
		t.Fatal(err)
	}
	if n := count(t, db, "SELECT count(*) FROM ringback_events"); n != len(many) {
		t.Errorf("%d events, want %d", n, len(many))
	}
}

func TestInTxEnded(t *testing.T) {
	db, store := newHost(t)
	tx := begin(t, db)
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	if err := store.InTx(tx).Dispatch(t.Context(), event("e")); !errors.Is(err, sql.ErrTxDone) {
		t.Errorf("in a transaction that has ended: got %v", err)
	}
	if err := store.InTx(nil).Dispatch(t.Context(), event("e")); err == nil {
		t.Error("in no transaction: got no error")
	}
	if got := pending(t, store); got != "" {
		t.Errorf("pending: %s", got)
	}
}

// TestPoolOfOne shows that the store needs none of the host's connections.
func TestPoolOfOne(t *testing.T) {
	db, store := newHost(t)
	db.SetMaxOpenConns(1)
	tx := begin(t, db)
	create := func(ctx context.Context) error {
		_, err := store.CreateCallback(ctx, webhook.Callback{Database: "d", URL: "https://example.com/"}, 0)
		return err
	}
	if err := store.InTx(tx).Dispatch(t.Context(), event("e1")); err != nil {
		t.Fatal(err)
	}
	if got := pending(t, store); got != "" { // reads while the host writes
		t.Errorf("pending: %s", got)
	}
	// Writes wait for the host's transaction, not for its connection, and not
	// longer than they may.
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if err := create(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a write during the host's transaction: got %v", err)
	}
	written := make(chan error)
	go func() { written <- create(t.Context()) }()
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	if err := <-written; err != nil {
		t.Error(err)
	}
	if got := pending(t, store); got != "e1" {
		t.Errorf("pending: %s", got)
	}
}

// TestInTxRolledBack dispatches in transactions that SQLite has rolled back already while
// the host goes on: nothing is appended without the change.
func TestInTxRolledBack(t *testing.T) {
	db, store := newHost(t)
	for _, statement := range []string{
		"INSERT INTO ledger VALUES ('there')",
		"CREATE TRIGGER guard BEFORE UPDATE ON ledger BEGIN SELECT RAISE(ROLLBACK, 'no'); END",
	} {
		if _, err := db.Exec(statement); err != nil {
			t.Fatal(err)
		}
	}
	for _, statement := range []string{
		"INSERT OR ROLLBACK INTO ledger VALUES ('there')",
		"UPDATE ledger SET id = 'other'",
	} {
		for _, n := range []int{1, 1200} { // one statement, and several
			tx := begin(t, db)
			if _, err := tx.Exec("INSERT INTO ledger VALUES ('change')"); err != nil {
				t.Fatal(err)
			}
			if _, err := tx.Exec(statement); err == nil {
				t.Fatal("the statement has not failed")
			}
			err := store.InTx(tx).Dispatch(t.Context(), events("e", n)...)
			if err == nil || !strings.Contains(err.Error(), "rolled the transaction back") {
				t.Errorf("%s: dispatch: %v", statement, err)
			}
			if err := tx.Commit(); err == nil {
				t.Errorf("%s: committed", statement)
			}
			if got := pending(t, store); got != "" {
				t.Errorf("%s: pending: %s", statement, got)
			}
		}
	}
	if n := count(t, db, "SELECT count(*) FROM ledger"); n != 1 {
		t.Errorf("%d rows, want 1", n)
	}
	tx := begin(t, db) // the connections are as good as new
	if err := store.InTx(tx).Dispatch(t.Context(), event("e")); err != nil {
		t.Error(err)
	}
	if err := tx.Commit(); err != nil {
		t.Error(err)
	}
	if got := pending(t, store); got != "e" {
		t.Errorf("pending: %s", got)
	}
}
