package sqlite_test

import (
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ringback-dev/ringback/store/sqlite"
	"github.com/ringback-dev/ringback/store/storetest"
	"github.com/ringback-dev/ringback/webhook"
)

// oldVersions are databases of each earlier version of the tables.
const oldVersions = "testdata/version-*.sqlite"

// copyOf returns a copy of a database that may be changed.
func copyOf(t *testing.T, file string) string {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	copied := filepath.Join(t.TempDir(), "store.db")
	if err := os.WriteFile(copied, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return copied
}

// lines returns the rows of a query, each in one line.
func lines(t *testing.T, db *sql.DB, query string) []string {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for rows.Next() {
		row := make([]any, len(columns))
		into := make([]any, len(columns))
		for i := range row {
			into[i] = &row[i]
		}
		if err := rows.Scan(into...); err != nil {
			t.Fatal(err)
		}
		all = append(all, fmt.Sprintf("%q", row))
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

const schema = "SELECT type, name, tbl_name, sql FROM sqlite_schema WHERE name LIKE '%ringback%' ORDER BY name"

// eventsBefore are all events as they were in one table, before version 3, but for the lanes
// of those that are pending, and outboxBefore those as they were in version 3.
const (
	eventsBefore = `(
	SELECT sequence, id, database_id, collection_id, record_id, parent_id, action, lane, appended,
		0 AS pending, x'' AS data, json, xml FROM ringback_events
	UNION ALL
	SELECT sequence, id, database_id, collection_id, record_id, parent_id, action, 0, appended,
		1, data, NULL, NULL FROM ringback_pending WHERE id <> ''
	ORDER BY sequence)`
	outboxBefore = "(SELECT *, 0 AS lane FROM ringback_pending WHERE id <> '')"
)

// TestMigrate brings databases of all earlier versions up to date: they end with the
// tables of a new one, keep every row, and work.
func TestMigrate(t *testing.T) {
	files, err := filepath.Glob(oldVersions)
	if err != nil || len(files) == 0 {
		t.Fatalf("old versions: %v, %v", files, err)
	}
	newDB, _ := newHost(t)
	want := lines(t, newDB, schema)
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			file := copyOf(t, file)
			old, err := sql.Open("sqlite3", file)
			if err != nil {
				t.Fatal(err)
			}
			closeLater(t, old)
			before := make(map[string][]string) // by the query that gives the same now
			for _, table := range lines(t, old, "SELECT name FROM sqlite_schema WHERE type = 'table' AND name LIKE 'ringback%'") {
				table = strings.Trim(table, `["]`)
				columns := lines(t, old, "SELECT name FROM pragma_table_info('"+table+"')")
				for i := range columns {
					columns[i] = strings.Trim(columns[i], `["]`)
				}
				query, now := "SELECT "+strings.Join(columns, ", ")+" FROM ", table
				switch {
				case table == "ringback_workers" || table == "ringback_claimers":
					now = "ringback_holders"
				case table == "ringback_outbox":
					query = strings.Replace(query, " lane,", " 0 AS lane,", 1)
					now = outboxBefore
				case slices.Contains(columns, "pending"):
					query = strings.Replace(query, " lane,", " CASE pending WHEN 0 THEN lane ELSE 0 END AS lane,", 1)
					now = eventsBefore
				}
				before[query+now] = lines(t, old, query+table)
			}
			store := open(t, file)
			if got := lines(t, old, schema); !slices.Equal(got, want) {
				t.Errorf("the tables are\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
			}
			for query, rows := range before {
				got := lines(t, old, query)
				if strings.HasSuffix(query, "FROM ringback_schema") {
					got = got[:len(rows)] // more versions are noted behind
				}
				if len(rows) == 0 || !slices.Equal(got, rows) {
					t.Errorf("%s:\n got %v\nwant %v", query, got, rows)
				}
			}
			for _, query := range []string{"PRAGMA integrity_check", "PRAGMA foreign_key_check"} {
				if got := strings.Join(lines(t, old, query), " "); got != "" && got != `["ok"]` {
					t.Errorf("%s: %s", query, got)
				}
			}
			storetest.CheckInvariants(t, store)
			storetest.CheckDrains(t, store)
		})
	}
}

// TestMigrateSecond looks at what the second version had otherwise: what was pending stood
// among the events. Of those the last two had been removed.
func TestMigrateSecond(t *testing.T) {
	file := copyOf(t, "testdata/version-2.sqlite")
	store := open(t, file)
	if got := pending(t, store); got != "pending sub-pending" {
		t.Errorf("pending: %s", got)
	}
	if c := create(t, store); c.After != 13 {
		t.Errorf("a new callback hears of events behind %d, want 13", c.After)
	}
	db := openHost(t, file, hostSettings)
	if err := inHostTx(t, db, store, []webhook.Event{event("new"), event("pending"), event("delivered")}); err != nil {
		t.Fatal(err)
	}
	p, err := store.Pending(t.Context(), webhook.PendingRequest{Limit: 10, LimitBytes: 1 << 20})
	if err != nil || len(p.Events) != 5 || p.Events[2].ID != "new" || p.Events[2].Sequence != 14 {
		t.Errorf("pending: %+v, %v", p, err)
	}
	if err := fanOut(t, store, []byte("{}")); err != nil {
		t.Fatal(err)
	}
	if n := count(t, db, "SELECT count(*) FROM ringback_events"); n != 12 {
		t.Errorf("%d events, want 12", n)
	}
	storetest.CheckDrains(t, store)
}

// TestMigrateThird looks at what the third version had otherwise: SQLite counted what was
// appended, and the last three had been removed.
func TestMigrateThird(t *testing.T) {
	for name, c := range map[string]struct {
		before  string // what the host has done
		pending string
		numbers []int64 // of what is pending, and of what is appended next
		events  int
	}{
		"as it is": {"", "pending sub-pending", []int64{7, 9, 13}, 10},
		// It showed what repeats an event that is fanned out.
		"repeated": {
			"UPDATE ringback_outbox SET id = 'delivered', " +
				`data = CAST(replace(data, '"id":"pending"', '"id":"delivered"') AS BLOB) WHERE id = 'pending'`,
			"delivered sub-pending", []int64{7, 9, 13}, 9,
		},
		"nothing pending": {"DELETE FROM ringback_outbox", "", []int64{13}, 8},
		"counted anew": {
			"UPDATE sqlite_sequence SET seq = 9 WHERE name LIKE 'ringback_%'", "pending sub-pending", []int64{7, 9, 10}, 10,
		},
		"counted anew, behind what is fanned out": {
			"UPDATE ringback_outbox SET sequence = sequence - 6; DELETE FROM sqlite_sequence",
			"pending sub-pending", []int64{9, 11, 12}, 10,
		},
		"counted anew, and what is fanned out emptied": {
			"DELETE FROM ringback_outbox; DELETE FROM ringback_deliveries; DELETE FROM ringback_events; " +
				"DELETE FROM sqlite_sequence WHERE name = 'ringback_outbox'", "", []int64{9}, 1,
		},
		"everything emptied": {
			"DELETE FROM ringback_outbox; DELETE FROM ringback_deliveries; DELETE FROM ringback_events", "", []int64{13}, 1,
		},
	} {
		t.Run(name, func(t *testing.T) {
			file := copyOf(t, "testdata/version-3.sqlite")
			db := openHost(t, file, hostSettings)
			if _, err := db.Exec(c.before); err != nil {
				t.Fatal(err)
			}
			store := open(t, file)
			if got := pending(t, store); got != c.pending {
				t.Errorf("pending: %s, want %s", got, c.pending)
			}
			if created := create(t, store); created.After != c.numbers[len(c.numbers)-1]-1 {
				t.Errorf("a new callback hears of events behind %d", created.After)
			}
			if err := inHostTx(t, db, store, events("new", 1)); err != nil {
				t.Fatal(err)
			}
			p, err := store.Pending(t.Context(), webhook.PendingRequest{Limit: 10, LimitBytes: 1 << 20})
			if err != nil {
				t.Fatal(err)
			}
			var numbers []int64
			for _, e := range p.Events {
				numbers = append(numbers, e.Sequence)
			}
			if !slices.Equal(numbers, c.numbers) {
				t.Errorf("pending are %d, want %d", numbers, c.numbers)
			}
			storetest.CheckDrains(t, store)
			if n := count(t, db, "SELECT count(*) FROM ringback_events"); n != c.events {
				t.Errorf("%d events, want %d", n, c.events)
			}
			// The order of a record goes on.
			if n := count(t, db, "SELECT count(DISTINCT lane) FROM ringback_events WHERE record_id = 'r1'"); n > 1 {
				t.Errorf("a record has %d lanes", n)
			}
		})
	}
}

// TestMigrateBehind shows that a process of the third version, which does not know of the
// fourth, can't write to the outbox any more.
func TestMigrateBehind(t *testing.T) {
	file := copyOf(t, "testdata/version-3.sqlite")
	db := openHost(t, file, hostSettings)
	store := open(t, file)
	for _, statement := range []string{
		"INSERT INTO ringback_outbox (id) VALUES ('e')",
		"SELECT sequence, data FROM ringback_outbox",
		"DELETE FROM ringback_outbox",
		"UPDATE ringback_outbox SET sequence = sequence + 12",
	} {
		if _, err := db.Exec(statement); err == nil {
			t.Errorf("%s: no error", statement)
		}
	}
	if got := pending(t, store); got != "pending sub-pending" {
		t.Errorf("pending: %s", got)
	}
}

// TestMigrateWorkers looks at the workers of versions that had them in other tables: their
// numbers go on. A process that knows no other version can't claim any more.
func TestMigrateWorkers(t *testing.T) {
	for _, c := range []struct {
		file, table string
		next        webhook.Worker
	}{
		{"version-3.sqlite", "ringback_workers", 2},
		{"version-4.sqlite", "ringback_workers", 5}, // four there were, of which one is left
		{"version-5.sqlite", "ringback_claimers", 6},
		{"version-6.sqlite", "ringback_claimers", 6},
	} {
		t.Run(c.file, func(t *testing.T) {
			file := copyOf(t, "testdata/"+c.file)
			db := openHost(t, file, hostSettings)
			look := "SELECT EXISTS (SELECT 1 FROM " + c.table + " WHERE id = 1)"
			if n := count(t, db, look); n != 1 {
				t.Fatalf("%s: %d, want 1", look, n)
			}
			store := open(t, file)
			if w := join(t, store); w != c.next {
				t.Errorf("a new worker is %d, want %d", w, c.next)
			}
			if _, err := db.Exec(look); err == nil {
				t.Errorf("%s is there", c.table)
			}
			storetest.CheckDrains(t, store)
		})
	}
}

// TestMigrateFifth looks at what the fifth version had otherwise: two deliveries are held. A
// process that knows no other version can't write others beside them, nor remove what they
// belong to.
func TestMigrateFifth(t *testing.T) {
	file := copyOf(t, "testdata/version-5.sqlite")
	db := openHost(t, file, hostSettings)
	store := open(t, file)
	wantHeldOnes := func(want webhook.DeliveryState) {
		t.Helper()
		for _, id := range []string{"held0", "held1"} {
			if d, err := store.Delivery(t.Context(), webhook.DeliveryID(id, "1")); err != nil || d.State != want {
				t.Errorf("%s: %+v, %v, want it %s", id, d, err, want)
			}
		}
	}
	wantHeldOnes(webhook.DeliveryClaimed)
	for _, statement := range []string{
		"SELECT 1 FROM ringback_deliveries INDEXED BY ringback_deliveries_open WHERE ended = 0",
		"DELETE FROM ringback_events WHERE id = 'held0'",
	} {
		if _, err := db.Exec(statement); err == nil {
			t.Errorf("%s: no error", statement)
		}
	}
	workers, err := store.Workers(t.Context())
	if err != nil || len(workers) != 2 || !workers[1].Holds {
		t.Fatalf("workers: %+v, %v", workers, err)
	}
	if retired, err := store.Retire(t.Context(), workers[1]); err != nil || !retired {
		t.Fatal(retired, err)
	}
	wantHeldOnes(webhook.DeliveryReady)
	storetest.CheckDrains(t, store)
	if _, err := db.Exec("DELETE FROM ringback_attempts; DELETE FROM ringback_deliveries; DELETE FROM ringback_events"); err != nil {
		t.Errorf("nothing is held: %v", err)
	}
}

// TestMigrateDamaged brings tables up to date in which a row is damaged, of deliveries that
// others are beside.
func TestMigrateDamaged(t *testing.T) {
	for _, name := range []string{"version-3.sqlite", "version-6.sqlite"} {
		file := copyOf(t, "testdata/"+name)
		db := openHost(t, file, hostSettings)
		_, err := db.Exec("PRAGMA ignore_check_constraints = ON; UPDATE ringback_deliveries SET track = 9 " +
			"WHERE event_sequence = (SELECT sequence FROM ringback_events WHERE id = 'delivered')")
		if err != nil {
			t.Fatal(err)
		}
		store := open(t, file)
		if _, err := store.Delivery(t.Context(), webhook.DeliveryID("delivered", "1")); !errors.Is(err, webhook.ErrDamaged) {
			t.Errorf("%s: the damaged one: %v", name, err)
		}
		if d, err := store.Delivery(t.Context(), webhook.DeliveryID("dead", "1")); err != nil || d.State != webhook.DeliveryDead {
			t.Errorf("%s: another one: %+v, %v", name, d, err)
		}
	}
}

// TestMigrateHost brings tables up to date beside a view of the host's that refers to
// nothing, from several processes at once.
func TestMigrateHost(t *testing.T) {
	files, err := filepath.Glob(oldVersions)
	if err != nil || len(files) == 0 {
		t.Fatalf("old versions: %v, %v", files, err)
	}
	for _, name := range files {
		file := copyOf(t, name)
		if _, err := openHost(t, file, hostSettings).Exec("CREATE VIEW stale AS SELECT * FROM gone"); err != nil {
			t.Fatal(err)
		}
		var group sync.WaitGroup
		for range 4 {
			group.Go(func() {
				store, err := sqlite.Open(t.Context(), file, nil)
				if err != nil {
					t.Error(err)
					return
				}
				if err := store.Close(); err != nil {
					t.Error(err)
				}
			})
		}
		group.Wait()
		if got := pending(t, open(t, file)); got != "pending sub-pending" {
			t.Errorf("%s: pending: %s", name, got)
		}
	}
}

// TestMigrateFirst looks at what the first version did not have.
func TestMigrateFirst(t *testing.T) {
	file := copyOf(t, "testdata/version-1.sqlite")
	store := open(t, file)
	page, err := store.Callbacks(t.Context(), webhook.CallbackQuery{Limit: 10})
	if err != nil || len(page.Callbacks) != 4 {
		t.Fatalf("callbacks: %+v, %v", page, err)
	}
	for _, c := range page.Callbacks {
		if c.Ordering != webhook.OrderingHold || c.State != webhook.StateActive || c.Reason != "" ||
			c.Health != (webhook.Health{}) {
			t.Errorf("callback %+v", c)
		}
	}
	first := page.Callbacks[0]
	if first.Secret.Reveal() == "" || first.When != webhook.WhenEnters || first.ExpressionFailures != 1 {
		t.Errorf("callback %+v", first)
	}
	var states []string
	for _, id := range []string{"delivered", "dead", "retried", "claimed", "ready", "waiting"} {
		d, err := store.Delivery(t.Context(), webhook.DeliveryID(id, first.ID))
		if err != nil {
			t.Fatal(err)
		}
		states = append(states, fmt.Sprintf("%s %d %d %t %t", d.State, d.Attempts, d.Earlier, d.Passed, d.Replayed))
	}
	if want := []string{
		"delivered 2 0 false false", "dead 1 0 false false", "ready 1 0 false false",
		"claimed 0 0 false false", "ready 0 0 false false", "waiting 0 0 false false",
	}; !slices.Equal(states, want) {
		t.Errorf("deliveries: %q, want %q", states, want)
	}
	if got := pending(t, store); got != "pending sub-pending" {
		t.Errorf("pending: %s", got)
	}

	// What is due depends on when the last attempt was made.
	id := webhook.DeliveryID("retried", first.ID)
	attempts, err := store.Attempts(t.Context(), id)
	if err != nil || len(attempts) != 1 {
		t.Fatalf("attempts: %+v, %v", attempts, err)
	}
	before, now := attempts[0].Time, attempts[0].Time.Add(-48*time.Hour)
	if err := store.Reschedule(t.Context(), now); err != nil {
		t.Fatal(err)
	}
	want := now.Add(time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC).Sub(before))
	if d, err := store.Delivery(t.Context(), id); err != nil || !d.Due.Equal(want) {
		t.Errorf("due %v, %v, want %v", d.Due, err, want)
	}

	// The parents of subprofiles, from what is pending and from messages in both formats.
	for _, c := range []struct {
		record string
		want   int
	}{{"p<1> & Co.\r", 1}, {"p1", 2}, {"r1", 2}, {"p1", 0}} {
		got, err := store.Purge(t.Context(), webhook.Scope{Database: "d"}, c.record)
		if err != nil || got != c.want {
			t.Errorf("purged %d events of %q, %v, want %d", got, c.record, err, c.want)
		}
	}
	storetest.CheckDrains(t, store)
}
