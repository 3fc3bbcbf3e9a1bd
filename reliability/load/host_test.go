package load_test

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"net/url"
	"testing"
	"time"

	"github.com/ringback-dev/ringback/dispatch"
	"github.com/ringback-dev/ringback/store/sqlite"
	"github.com/ringback-dev/ringback/webhook"
)

// openHost opens a host's database.
func openHost(file string) (*sql.DB, error) {
	settings := "_journal_mode=WAL&_synchronous=FULL&_busy_timeout=30000&_txlock=immediate"
	db, err := sql.Open("sqlite3", (&url.URL{Scheme: "file", Path: file}).String()+"?"+settings)
	if err == nil {
		db.SetMaxIdleConns(2 * busyWriters) // opening one takes longer than a transaction
	}
	return db, err
}

// newHost returns a host's database, with profiles "r0", "r1" … in it, and the store in
// that. They end with the test.
func newHost(t *testing.T, file string, profiles int) (*sql.DB, *sqlite.Store) {
	t.Helper()
	db, err := openHost(file)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	if _, err := db.Exec("CREATE TABLE IF NOT EXISTS profiles (id TEXT PRIMARY KEY, n INTEGER NOT NULL)"); err != nil {
		t.Fatal(err)
	}
	for i := range profiles {
		if _, err := db.Exec("INSERT INTO profiles VALUES (?, 0)", fmt.Sprint("r", i)); err != nil {
			t.Fatal(err)
		}
	}
	store, err := sqlite.New(t.Context(), db, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	return db, store
}

// touch updates a record in a transaction and tells of it.
func touch(db *sql.DB, store *sqlite.Store, event, database, record string) error {
	tx, err := db.Begin()
	if err != nil {
		return err
	}
	defer tx.Rollback() // fails once it is committed
	var n int
	if err := tx.QueryRow("UPDATE profiles SET n = n + 1 WHERE id = ? RETURNING n", record).Scan(&n); err != nil {
		return err
	}
	if err := store.InTx(tx).Dispatch(context.Background(), update(event, database, record, n)); err != nil {
		return err
	}
	return tx.Commit()
}

// update returns the event of a record's nth update.
func update(id, database, record string, n int) webhook.Event {
	return webhook.Event{
		ID: id, Action: webhook.ActionUpdate, Database: database,
		Profile:  webhook.Record{ID: record, Fields: map[string]any{"n": n}},
		Previous: &webhook.Record{Fields: map[string]any{"n": n - 1}},
	}
}

// subscribe creates a callback of a database.
func subscribe(t *testing.T, store webhook.Store, database, url string) webhook.Callback {
	t.Helper()
	c, err := store.CreateCallback(t.Context(), webhook.Callback{Database: database, URL: url}, 0)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// everything may be called.
var everything = dispatch.Targets{AllowPrivate: dispatch.AllAddresses(), AllowAllPorts: true}

// run runs an engine until the function that it returns is called, or the test ends.
// What it logs of errors goes to the logger, where that is not nil.
func run(t *testing.T, store webhook.Store, o dispatch.Options, log *slog.Logger) (stop func()) {
	t.Helper()
	o.Targets, o.Logger = everything, log
	if o.Timeout == 0 {
		o.Timeout = 5 * time.Second
	}
	engine, err := dispatch.New(store, &o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- engine.Run(ctx) }()
	stopped := false
	stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run: %v", err)
		}
	}
	t.Cleanup(stop)
	return stop
}
