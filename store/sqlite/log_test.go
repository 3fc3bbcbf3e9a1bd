package sqlite_test

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/ringback-dev/ringback/store/sqlite"
)

// readWithoutEnd reads in short transactions, each of which begins before the one before it
// ends, until the context ends.
func readWithoutEnd(ctx context.Context, db *sql.DB) error {
	read := func() (*sql.Tx, error) {
		tx, err := db.BeginTx(context.WithoutCancel(ctx), nil)
		if err != nil {
			return nil, err
		}
		var n int
		return tx, tx.QueryRow("SELECT count(*) FROM ledger").Scan(&n)
	}
	last, err := read()
	for err == nil && ctx.Err() == nil {
		var next *sql.Tx
		if next, err = read(); err == nil {
			err = last.Rollback()
		}
		last = next
	}
	if last != nil {
		_ = last.Rollback()
	}
	return err
}

// TestLogLimit writes while there is always somebody who reads: the log is emptied all the
// same.
func TestLogLimit(t *testing.T) {
	file := filepath.Join(t.TempDir(), "store.db")
	store := open(t, file)
	db := openHost(t, file, "_journal_mode=WAL&_busy_timeout=5000")
	ctx, cancel := context.WithCancel(t.Context())
	var reading sync.WaitGroup
	defer reading.Wait()
	defer cancel()
	for range 3 {
		reading.Go(func() {
			if err := readWithoutEnd(ctx, db); err != nil {
				t.Error(err)
			}
		})
	}
	large := strings.Repeat("x", 400_000)
	for i, before := 0, int64(0); ; i++ {
		if i == 10*sqlite.LogLimit/len(large) {
			if before > sqlite.LogLimit { // or else the readers have left a gap, again and again
				t.Errorf("the log has grown to %d bytes", before)
			}
			break
		}
		e := event(fmt.Sprint("e", i))
		e.Profile.Fields["large"] = large
		if err := store.Dispatch(t.Context(), e); err != nil {
			t.Fatal(err)
		}
		log, err := os.Stat(file + "-wal")
		if err != nil {
			t.Fatal(err)
		}
		if log.Size() < before {
			break
		}
		before = log.Size()
	}
}

// TestLogOfLink opens a file by a symbolic link.
func TestLogOfLink(t *testing.T) {
	file, link := filepath.Join(t.TempDir(), "store.db"), filepath.Join(t.TempDir(), "link.db")
	if err := os.Symlink(file, link); err != nil {
		t.Fatal(err)
	}
	log, err := os.Stat(open(t, link).Log())
	if err != nil {
		t.Fatal(err)
	}
	if want, err := os.Stat(file + "-wal"); err != nil || !os.SameFile(log, want) {
		t.Errorf("the log is %s, %v", log.Name(), err)
	}
}
