package sqlite

import (
	"context"
	"path/filepath"
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
		connection querier
		readsOnly  string
	}{
		"writer": {store.writer.conn, "0"}, "readers": {store.readers, "1"}, "watcher": {store.watcher, "1"},
	} {
		for pragma, want := range map[string]string{
			"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1", "query_only": c.readsOnly,
		} {
			var got string
			err := c.connection.QueryRowContext(context.Background(), "PRAGMA "+pragma).Scan(&got)
			if err != nil || got != want {
				t.Errorf("%s: %s is %s, %v, want %s", name, pragma, got, err, want)
			}
		}
	}
}
