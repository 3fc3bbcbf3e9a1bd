package sqlite_test

import (
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/ringback-dev/ringback/store/sqlite"
	"github.com/ringback-dev/ringback/webhook"
)

func TestFileNames(t *testing.T) {
	for _, name := range []string{
		"plain.db", "with space.db", "what?.db", "100%.db", "%41.db", "a#b.db", "a?mode=memory", "a&b=c;d.db", "é☎.db",
		"\xff.db", "new\nline.db", "-", "' OR 1.db", "?", "%00", "a+b.db", ":memory", "C:x.db",
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			file := filepath.Join(dir, name)
			store := open(t, file)
			if err := store.Dispatch(t.Context(), event("e")); err != nil {
				t.Fatal(err)
			}
			if got := pending(t, open(t, file)); got != "e" {
				t.Errorf("opened again it holds %q", got)
			}
			files, err := os.ReadDir(dir)
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range files {
				if f.Name() != name && f.Name() != name+"-wal" && f.Name() != name+"-shm" {
					t.Errorf("there is a file %q", f.Name())
				}
			}
		})
	}
}

// TestHostFileNames finds the file behind a host's handle.
func TestHostFileNames(t *testing.T) {
	for _, name := range []string{"with space.db", "what?.db", "100%.db", "a#b.db", "é☎.db"} {
		t.Run(name, func(t *testing.T) {
			db := openHost(t, filepath.Join(t.TempDir(), name), hostSettings)
			store, err := sqlite.New(t.Context(), db, nil)
			if err != nil {
				t.Fatal(err)
			}
			closeLater(t, store)
			tx := begin(t, db)
			if err := store.InTx(tx).Dispatch(t.Context(), event("e")); err != nil {
				t.Fatal(err)
			}
			if err := tx.Commit(); err != nil {
				t.Fatal(err)
			}
			if got := pending(t, store); got != "e" {
				t.Errorf("pending: %q", got)
			}
		})
	}
}

func TestRelativeName(t *testing.T) {
	t.Chdir(t.TempDir())
	store := open(t, "store.db")
	db, err := sql.Open("sqlite3", "file:host.db?"+hostSettings)
	if err != nil {
		t.Fatal(err)
	}
	closeLater(t, db)
	host, err := sqlite.New(t.Context(), db, nil)
	if err != nil {
		t.Fatal(err)
	}
	closeLater(t, host)
	t.Chdir(t.TempDir())
	for _, s := range []*sqlite.Store{store, host} {
		if err := s.Dispatch(t.Context(), event("e")); err != nil {
			t.Fatal(err)
		}
		if got := pending(t, s); got != "e" { // the readers open their connections here
			t.Errorf("pending: %q", got)
		}
	}
}

func TestOpenRefuses(t *testing.T) {
	for _, c := range []struct{ file, want string }{
		{":memory:", "in memory"},
		{":memory:?cache=shared", "in memory"},
		{"", "in memory"},
		{"file:store.db", "not a URI"},
		{"a\x00b", "zero byte"},
		{filepath.Join(t.TempDir(), "absent", "store.db"), "unable to open database file"},
		{t.TempDir(), "unable to open database file"},
	} {
		store, err := sqlite.Open(t.Context(), c.file, nil)
		if err == nil {
			store.Close()
			t.Fatalf("%q: opened", c.file)
		}
		if !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: got %q, want %q in it", c.file, err, c.want)
		}
	}
}

func TestOpenNoDatabase(t *testing.T) {
	file := filepath.Join(t.TempDir(), "notes.txt")
	text := strings.Repeat("This is no database. ", 500)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if store, err := sqlite.Open(t.Context(), file, nil); err == nil {
		store.Close()
		t.Fatal("opened")
	}
	if got, err := os.ReadFile(file); err != nil || string(got) != text {
		t.Errorf("the file was changed, %v", err)
	}
}

func TestOpenCanceled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	store, err := sqlite.Open(ctx, filepath.Join(t.TempDir(), "store.db"), nil)
	if err == nil {
		store.Close()
	}
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestNewRefuses(t *testing.T) {
	const settings = "_journal_mode=WAL&_synchronous=FULL&_busy_timeout=5000"
	for _, c := range []struct {
		name, settings string
		relaxed        bool
		want           []string // nothing: accepted
	}{
		{"as needed", settings, false, nil},
		{"extra", strings.Replace(settings, "FULL", "EXTRA", 1), false, nil},
		{"the driver's default", "_journal_mode=WAL", false, []string{"synchronous is 1"}},
		{"the driver's default, allowed", "_journal_mode=WAL", true, nil},
		{"off", strings.Replace(settings, "FULL", "OFF", 1), false, []string{"synchronous is 0"}},
		{"off, allowed", strings.Replace(settings, "FULL", "OFF", 1), true, nil},
		{"rollback journal", "_synchronous=FULL", false, []string{"journal_mode is delete"}},
		{"rollback journal is not allowed", "_synchronous=FULL", true, []string{"journal_mode is delete"}},
		{"no timeout", settings + "&_busy_timeout=0", true, nil}, // the first one counts
		{"no timeout", "_journal_mode=WAL&_synchronous=FULL&_busy_timeout=0", true, []string{"busy_timeout is 0"}},
		{"nothing at all", "_busy_timeout=0", false, []string{"journal_mode", "synchronous", "busy_timeout"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "ho st.db")
			db := openHost(t, file, c.settings)
			store, err := sqlite.New(t.Context(), db, &sqlite.Options{AllowRelaxedDurability: c.relaxed})
			if err == nil {
				defer store.Close()
			}
			if (err == nil) != (c.want == nil) {
				t.Fatalf("got %v", err)
			}
			if err == nil {
				return
			}
			// The error says how to do it right.
			for _, want := range append(c.want, "_journal_mode=WAL", "_synchronous=FULL", "_busy_timeout=5000",
				"_txlock=immediate", "/ho%20st.db?") {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("got %q, want %q in it", err, want)
				}
			}
			if n := count(t, db, "SELECT count(*) FROM sqlite_schema WHERE name LIKE 'ringback%'"); n > 0 {
				t.Errorf("refused, it made %d tables and indexes", n)
			}
			dsn := strings.Split(err.Error(), `"`)[3]
			again, err := sql.Open("sqlite3", dsn)
			if err != nil {
				t.Fatal(err)
			}
			closeLater(t, again)
			store, err = sqlite.New(t.Context(), again, nil)
			if err != nil {
				t.Fatalf("opened as the error says: %v", err)
			}
			closeLater(t, store)
		})
	}
}

func TestNewRefusesMemory(t *testing.T) {
	for _, name := range []string{":memory:", "file::memory:?cache=shared", "", "file:shared?mode=memory&cache=shared", "file:/shared?vfs=memdb"} {
		db, err := sql.Open("sqlite3", name)
		if err != nil {
			t.Fatal(err)
		}
		closeLater(t, db)
		store, err := sqlite.New(t.Context(), db, nil)
		if err == nil {
			store.Close()
			t.Fatalf("%q: accepted", name)
		}
		if !strings.Contains(err.Error(), "in memory") {
			t.Errorf("%q: got %v", name, err)
		}
	}
	if _, err := sqlite.New(t.Context(), nil, nil); err == nil {
		t.Error("nil: accepted")
	}
}

// TestNewLeavesHost shows that nothing about the host's connections changes.
func TestNewLeavesHost(t *testing.T) {
	db := openHost(t, filepath.Join(t.TempDir(), "host.db"), hostSettings)
	settings := func() string {
		var all []string
		for _, pragma := range []string{
			"journal_mode", "synchronous", "busy_timeout", "foreign_keys", "query_only", "locking_mode", "cache_size",
			"temp_store", "wal_autocheckpoint", "user_version", "application_id", "recursive_triggers",
		} {
			var value string
			if err := db.QueryRow("PRAGMA " + pragma).Scan(&value); err != nil {
				t.Fatal(err)
			}
			all = append(all, pragma+"="+value)
		}
		return strings.Join(all, " ")
	}
	db.SetMaxOpenConns(1)
	before := settings()
	store, err := sqlite.New(t.Context(), db, nil)
	if err != nil {
		t.Fatal(err)
	}
	if after := settings(); after != before {
		t.Errorf("settings are\n%s, were\n%s", after, before)
	}
	if err := store.Close(); err != nil {
		t.Error(err)
	}
	if in := db.Stats().OpenConnections; in != 1 {
		t.Errorf("the host has %d connections open, want 1", in)
	}
	if err := db.Ping(); err != nil {
		t.Errorf("the host's database after Close: %v", err)
	}
}

func TestClose(t *testing.T) {
	store, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "store.db"), nil)
	if err != nil {
		t.Fatal(err)
	}
	watched := make(chan error)
	begun := make(chan struct{}, 1)
	go func() {
		watched <- store.Watch(t.Context(), func() {
			select {
			case begun <- struct{}{}:
			default:
			}
		})
	}()
	<-begun
	for range 2 {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	}
	if err := <-watched; err == nil {
		t.Error("Watch ended without an error although its context goes on")
	}
	if err := store.Dispatch(t.Context(), event("e")); err == nil {
		t.Error("Dispatch after Close: got no error")
	}
	if _, err := store.Pending(t.Context(), webhook.PendingRequest{Limit: 1, LimitBytes: 1}); err == nil {
		t.Error("Pending after Close: got no error")
	}
}

// TestOpenTogether opens a new file several times at once.
func TestOpenTogether(t *testing.T) {
	for range 5 {
		file := filepath.Join(t.TempDir(), "store.db")
		var group sync.WaitGroup
		for i := range 6 {
			group.Go(func() {
				store, err := sqlite.Open(t.Context(), file, nil)
				if err != nil {
					t.Error(err)
					return
				}
				defer store.Close()
				if err := store.Dispatch(t.Context(), events("e", 6)[i]); err != nil {
					t.Error(err)
				}
			})
		}
		group.Wait()
		if got := strings.Fields(pending(t, open(t, file))); len(got) != 6 {
			t.Errorf("pending: %s", got)
		}
	}
}

func TestNewerSchema(t *testing.T) {
	file := filepath.Join(t.TempDir(), "store.db")
	open(t, file)
	db := openHost(t, file, hostSettings)
	if _, err := db.Exec("INSERT INTO ringback_schema (version) SELECT max(version) + 1 FROM ringback_schema"); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		store, err := sqlite.Open(t.Context(), file, nil)
		if err == nil {
			store.Close()
			t.Fatal("opened")
		}
		if !strings.Contains(err.Error(), "has version") || !strings.Contains(err.Error(), "later") {
			t.Errorf("got %v", err)
		}
	}
}

// TestMigrations makes the tables as a host's own tool would.
func TestMigrations(t *testing.T) {
	db := openHost(t, filepath.Join(t.TempDir(), "host.db"), hostSettings)
	files, err := fs.Glob(sqlite.Migrations(), "*.sql")
	if err != nil || len(files) == 0 {
		t.Fatalf("migrations: %v, %v", files, err)
	}
	for _, file := range files {
		statements, err := fs.ReadFile(sqlite.Migrations(), file)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := db.Exec(string(statements)); err != nil {
			t.Fatal(err)
		}
	}
	store, err := sqlite.New(t.Context(), db, nil)
	if err != nil {
		t.Fatal(err)
	}
	closeLater(t, store)
	create(t, store)
	if n := count(t, db, "SELECT count(*) FROM ringback_schema"); n != len(files) {
		t.Errorf("%d migrations are noted, want %d", n, len(files))
	}
}
