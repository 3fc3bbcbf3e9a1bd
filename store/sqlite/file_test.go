package sqlite_test

import (
	"database/sql"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ringback-dev/ringback/store/sqlite"
)

// TestUnusableFiles opens files that can't hold a store, by themselves and as a host's.
func TestUnusableFiles(t *testing.T) {
	for _, c := range []struct {
		name  string
		spoil func(t *testing.T, file string) error
		want  string
	}{
		{"no database", func(_ *testing.T, file string) error {
			return os.WriteFile(file, []byte(strings.Repeat("This is no database. ", 500)), 0o600)
		}, "give the name of another file"},
		{"cut off", func(_ *testing.T, file string) error { return os.Truncate(file, 3*4096) }, "restore it from a backup"},
		{"cut off within a page", func(_ *testing.T, file string) error {
			return os.Truncate(file, 5000)
		}, "restore it from a backup"},
		{"broken table", func(t *testing.T, file string) error {
			data, err := os.ReadFile(file)
			if err != nil {
				return err
			}
			for i := 100; i < 4096; i++ {
				data[i] = 0xff
			}
			return os.WriteFile(file, data, 0o600)
		}, "restore it from a backup"},
		{"later version", func(t *testing.T, file string) error {
			db, err := sql.Open("sqlite3", file)
			if err != nil {
				return err
			}
			defer db.Close()
			_, err = db.Exec("INSERT INTO ringback_schema (version) VALUES (1000)")
			return err
		}, "use a later library"},
	} {
		t.Run(c.name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "store.db")
			store, err := sqlite.Open(t.Context(), file, nil)
			if err != nil {
				t.Fatal(err)
			}
			if err := store.Close(); err != nil {
				t.Fatal(err)
			}
			if err := c.spoil(t, file); err != nil {
				t.Fatal(err)
			}
			before, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if store, err = sqlite.Open(t.Context(), file, nil); err == nil {
				store.Close()
				t.Fatal("Open: opened")
			}
			if !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), file) {
				t.Errorf("Open: got %q, want the file and %q in it", err, c.want)
			}
			db, err := sql.Open("sqlite3", "file:"+file+"?"+hostSettings)
			if err != nil {
				t.Fatal(err)
			}
			closeLater(t, db)
			if store, err = sqlite.New(t.Context(), db, nil); err == nil {
				store.Close()
				t.Fatal("New: opened")
			}
			if !strings.Contains(err.Error(), c.want) {
				t.Errorf("New: got %q, want %q in it", err, c.want)
			}
			if after, err := os.ReadFile(file); err != nil || string(after) != string(before) {
				t.Errorf("the file was changed, %v", err)
			}
		})
	}
}
