package sqlite

import (
	"context"
	"path/filepath"
	"strings"
	"testing"
)

// TestSettings checks what the store's own connections are set to, whichever host's
// file they are on.
func TestSettings(t *testing.T) {
	store, err := Open(t.Context(), filepath.Join(t.TempDir(), "store.db"), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	for name, c := range map[string]struct {
		connection           querier
		readsOnly, overwrite string
	}{
		"writer": {store.writer.conn, "0", "1"}, "readers": {store.readers, "1", "0"}, "watcher": {store.watcher, "1", "0"},
	} {
		for pragma, want := range map[string]string{
			"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1", "query_only": c.readsOnly,
			"fullfsync": "1", "secure_delete": c.overwrite,
		} {
			var got string
			err := c.connection.QueryRowContext(context.Background(), "PRAGMA "+pragma).Scan(&got)
			if err != nil || got != want {
				t.Errorf("%s: %s is %s, %v, want %s", name, pragma, got, err, want)
			}
		}
	}
}

// TestJudge shows what is demanded of a host on which system.
func TestJudge(t *testing.T) {
	good := settings{journal: "wal", synchronous: 2, timeout: 5000, fullfsync: true}
	weak := good
	weak.fullfsync = false
	for _, c := range []struct {
		name     string
		settings settings
		system   string
		relaxed  bool
		want     string // nothing: accepted
	}{
		{"macOS", good, "darwin", false, ""},
		{"macOS by default", weak, "darwin", false, "fullfsync is off"},
		{"macOS by default, allowed", weak, "darwin", true, ""},
		{"Linux by default", weak, "linux", false, ""},
		{"Windows by default", weak, "windows", false, ""},
	} {
		err := judge("host.db", c.settings, c.system, c.relaxed)
		if (err == nil) != (c.want == "") {
			t.Errorf("%s: got %v", c.name, err)
		}
		if err != nil && (!strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "ConnectHook")) {
			t.Errorf("%s: got %q, want %q and what to do in it", c.name, err, c.want)
		}
	}
}

// TestReadOnly opens a file that can't be written to, new and with its tables.
func TestReadOnly(t *testing.T) {
	file := filepath.Join(t.TempDir(), "store.db")
	writer, err := openWriter(t.Context(), dataSource(file, "rwc", "_busy_timeout=100"))
	if err != nil {
		t.Fatal(err)
	}
	defer writer.close()
	for _, what := range []string{"without tables", "with tables"} {
		store, err := open(t.Context(), file, "ro", nil)
		if err == nil {
			store.Close()
			t.Fatalf("%s: opened", what)
		}
		if !strings.Contains(err.Error(), "the file is read-only") || !strings.Contains(err.Error(), file) {
			t.Errorf("%s: got %q", what, err)
		}
		made, err := Open(t.Context(), file, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := made.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
