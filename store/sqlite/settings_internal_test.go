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
		use                         func(context.Context, func(tx) error) error
		readsOnly, overwrite, moves string
	}{
		"writer":  {store.writer.outside, "0", "1", "2560"}, // 10 MiB in pages of 4 KiB
		"readers": {outside(store.readers), "1", "0", "1000"}, "urgent": {outside(store.urgent), "1", "0", "1000"},
	} {
		for pragma, want := range map[string]string{
			"journal_mode": "wal", "synchronous": "1", "foreign_keys": "1", "query_only": c.readsOnly,
			"fullfsync": "1", "secure_delete": c.overwrite, "wal_autocheckpoint": c.moves,
		} {
			var got string
			err := c.use(t.Context(), func(tx tx) error { return tx.row("PRAGMA " + pragma).Scan(&got) })
			if err != nil || got != want {
				t.Errorf("%s: %s is %s, %v, want %s", name, pragma, got, err, want)
			}
		}
	}
}

// outside runs queries on a connection of a pool.
func outside(p *pool) func(context.Context, func(tx) error) error {
	return func(ctx context.Context, run func(tx) error) error {
		return p.borrow(ctx, func(c *conn) error { return run(tx{ctx, c}) })
	}
}

// TestReadOnly opens a file that can't be written to, new and with its tables.
func TestReadOnly(t *testing.T) {
	file := filepath.Join(t.TempDir(), "store.db")
	writer, err := openWriter(t.Context(), newBell(), dataSource(file, "rwc", "_busy_timeout=100"))
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
