package sqlite_test

import (
	"database/sql"
	"fmt"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ringback-dev/ringback/store/sqlite"
	"github.com/ringback-dev/ringback/webhook"
)

// open opens a store in a file until the test ends.
func open(t testing.TB, file string) *sqlite.Store {
	t.Helper()
	store, err := sqlite.Open(t.Context(), file, nil)
	if err != nil {
		t.Fatal(err)
	}
	closeLater(t, store)
	return store
}

// closer is a store or a database.
type closer interface{ Close() error }

func closeLater(t testing.TB, c closer) {
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
}

// hostSettings are what a host's connections need.
const hostSettings = "_journal_mode=WAL&_synchronous=FULL&_busy_timeout=5000&_txlock=immediate"

// openHost opens a host's own database with a table of the host's.
func openHost(t testing.TB, file, settings string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite3", (&url.URL{Scheme: "file", Path: filepath.ToSlash(file)}).String()+"?"+settings)
	if err != nil {
		t.Fatal(err)
	}
	closeLater(t, db)
	if _, err := db.Exec("CREATE TABLE IF NOT EXISTS ledger (id TEXT PRIMARY KEY)"); err != nil {
		t.Fatal(err)
	}
	return db
}

// newHost returns a host's database with a store in it.
func newHost(t testing.TB) (*sql.DB, *sqlite.Store) {
	t.Helper()
	db := openHost(t, filepath.Join(t.TempDir(), "host.db"), hostSettings)
	store, err := sqlite.New(t.Context(), db, nil)
	if err != nil {
		t.Fatal(err)
	}
	closeLater(t, store)
	return db, store
}

// begin begins a transaction of the host's.
func begin(t testing.TB, db *sql.DB) *sql.Tx {
	t.Helper()
	tx, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	return tx
}

// event returns an event about a record that is called like it.
func event(id string) webhook.Event {
	return webhook.Event{
		ID: id, Action: webhook.ActionUpdate, Database: "d",
		Profile: webhook.Record{ID: "r" + id, Fields: map[string]any{"name": id}},
	}
}

// events returns as many events, "prefix0", "prefix1" ….
func events(prefix string, n int) []webhook.Event {
	list := make([]webhook.Event, n)
	for i := range list {
		list[i] = event(fmt.Sprint(prefix, i))
	}
	return list
}

// pending returns the IDs of the events that are not fanned out, in one line.
func pending(t testing.TB, store webhook.Store) string {
	t.Helper()
	p, err := store.Pending(t.Context(), webhook.PendingRequest{Limit: 100_000, LimitBytes: 1 << 30})
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, e := range p.Events {
		ids = append(ids, e.ID)
	}
	return strings.Join(ids, " ")
}

// fanOut fans all pending events out to callbacks, with a message.
func fanOut(t testing.TB, store webhook.Store, message []byte, callbacks ...webhook.Callback) error {
	t.Helper()
	p, err := store.Pending(t.Context(), webhook.PendingRequest{Limit: 100_000, LimitBytes: 1 << 30})
	if err != nil {
		t.Fatal(err)
	}
	return store.FanOut(t.Context(), expansions(p.Events, message, callbacks...))
}

// expansions expand events to callbacks, with a message, which may be empty.
func expansions(events []webhook.Event, message []byte, callbacks ...webhook.Callback) []webhook.Expansion {
	list := make([]webhook.Expansion, len(events))
	message = append([]byte{}, message...)
	for i, e := range events {
		list[i] = webhook.Expansion{Sequence: e.Sequence, Messages: webhook.Messages{JSON: message}}
		for _, c := range callbacks {
			list[i].Targets = append(list[i].Targets, webhook.Target{Callback: c.ID})
		}
	}
	return list
}

// fill writes events that are fanned out to the first callback, so many about each
// record: of their deliveries the first is ready, the others wait.
func fill(t testing.TB, db *sql.DB, events, each int) {
	t.Helper()
	for _, statement := range []string{`
		WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < ?1)
		INSERT INTO ringback_events (id, database_id, collection_id, record_id, action, lane, appended, json)
		SELECT 'e' || i, 'd', '', 'r' || (i / ?2), 'update', i / ?2, ?3, CAST('{"name": "some"}' AS BLOB)
		FROM n`, `
		INSERT INTO ringback_deliveries (event_sequence, callback_id, lane, state, method, encoding, created)
		SELECT sequence, 1, lane, CASE (sequence - 1) % ?2 WHEN 0 THEN 2 ELSE 0 END, 0, 0, ?3
		FROM ringback_events WHERE sequence <= ?1`,
		"INSERT INTO ringback_pending SELECT ?1, id, database_id, collection_id, record_id, parent_id, action, appended, data FROM ringback_pending WHERE sequence = 0",
	} {
		if _, err := db.ExecContext(t.Context(), statement, events, each, time.Now().UnixMilli()); err != nil {
			t.Fatal(err)
		}
	}
}

// create stores a callback.
func create(t testing.TB, store webhook.Store) webhook.Callback {
	t.Helper()
	c, err := store.CreateCallback(t.Context(), webhook.Callback{Database: "d", URL: "https://example.com/"}, 0)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// claim claims what is due.
func claim(t testing.TB, store webhook.Store, w webhook.Worker, limit int) []webhook.Claimed {
	t.Helper()
	claimed, err := store.Claim(t.Context(), webhook.ClaimRequest{Worker: w, Now: time.Now(), Limit: limit, LimitBytes: 1 << 30})
	if err != nil {
		t.Fatal(err)
	}
	return claimed
}

// join registers a worker.
func join(t testing.TB, store webhook.Store) webhook.Worker {
	t.Helper()
	w, err := store.Join(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// outcomes are those of attempts that were answered.
func outcomes(claimed []webhook.Claimed, answer string) []webhook.Outcome {
	var list []webhook.Outcome
	for _, c := range claimed {
		list = append(list, webhook.Outcome{
			Sequence: c.Sequence, Callback: c.Callback, State: webhook.DeliveryDelivered,
			Attempt: &webhook.Attempt{Number: c.Attempts + 1, Time: time.Now(), Status: 200, Answer: answer},
		})
	}
	return list
}

// count returns the one number that a query on a database gives.
func count(t testing.TB, db *sql.DB, query string) (n int) {
	t.Helper()
	if err := db.QueryRowContext(t.Context(), query).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}
