package sqlite_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/ringback-dev/ringback/store/sqlite"
)

// TestNewRefusesPragmas has a host that sets up one connection only.
func TestNewRefusesPragmas(t *testing.T) {
	for _, c := range []struct {
		name string
		max  int
		want string // nothing: accepted
	}{
		{"one of many", 0, "synchronous is 1"},
		{"one of two", 2, "synchronous is 1"},
		{"the only one", 1, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			db := openHost(t, filepath.Join(t.TempDir(), "host.db"), "_journal_mode=WAL")
			db.SetMaxOpenConns(c.max)
			if _, err := db.Exec("PRAGMA synchronous = FULL"); err != nil {
				t.Fatal(err)
			}
			store, err := sqlite.New(t.Context(), db, nil)
			if err == nil {
				closeLater(t, store)
			}
			if c.want == "" {
				if err != nil {
					t.Errorf("got %v", err)
				}
				return
			}
			if err == nil {
				t.Fatal("accepted")
			}
			for _, want := range []string{c.want, "PRAGMA by Exec", "DSN"} {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("got %q, want %q in it", err, want)
				}
			}
			if in := db.Stats().InUse; in != 0 {
				t.Errorf("%d of the host's connections are still taken", in)
			}
		})
	}
}

// TestNewBusyPool has a host that uses all its connections but one.
func TestNewBusyPool(t *testing.T) {
	db := openHost(t, filepath.Join(t.TempDir(), "host.db"), hostSettings)
	db.SetMaxOpenConns(2)
	busy, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	closeLater(t, busy)
	store, err := sqlite.New(t.Context(), db, nil)
	if err != nil {
		t.Fatal(err)
	}
	closeLater(t, store)
	if in := db.Stats().InUse; in != 1 {
		t.Errorf("%d of the host's connections are taken, want 1", in)
	}
}
