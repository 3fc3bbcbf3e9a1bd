package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/mattn/go-sqlite3"
)

// secondWait is how long inspect waits for a second connection of the host's: all of
// them may be in use for as long as the host likes.
const secondWait = 250 * time.Millisecond

// inspect returns the file of the host's database, or an error that says what about
// its connections would break a promise of the store. It looks at two, if it can get
// them: what the host has set on one by a PRAGMA the others do not have.
func inspect(ctx context.Context, db *sql.DB, relaxed bool) (string, error) {
	if db == nil {
		return "", errors.New("sqlite: New needs the host's database, got nil")
	}
	first, err := db.Conn(ctx)
	if err != nil {
		return "", explain("the host's database", err)
	}
	defer first.Close() // gives it back: the store's own are opened without it
	path, err := inspectConn(ctx, first, relaxed)
	if err != nil || db.Stats().MaxOpenConnections == 1 {
		return path, err
	}
	wait, cancel := context.WithTimeout(ctx, secondWait)
	defer cancel()
	second, err := db.Conn(wait)
	if err != nil {
		if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
			return path, nil
		}
		return "", explain("the host's database", err)
	}
	defer second.Close()
	return inspectConn(ctx, second, relaxed)
}

// inspectConn does so for one connection.
func inspectConn(ctx context.Context, conn *sql.Conn, relaxed bool) (string, error) {
	var path, source string
	var s settings
	for _, look := range []struct {
		query string
		found any
	}{
		{"SELECT sqlite_source_id()", &source},
		{"SELECT file FROM pragma_database_list WHERE name = 'main'", &path},
		{"PRAGMA journal_mode", &s.journal},
		{"PRAGMA synchronous", &s.synchronous},
		{"PRAGMA busy_timeout", &s.timeout},
	} {
		if err := conn.QueryRowContext(ctx, look.query).Scan(look.found); err != nil {
			return "", explain("the host's database", err)
		}
	}
	// Two SQLites in one process break each other's locks, and then the database:
	// https://www.sqlite.org/howtocorrupt.html#multiple_copies_of_sqlite_linked_into_the_same_application
	if _, _, own := sqlite3.Version(); source != own {
		return "", errors.New("sqlite: the host's database is open with another driver, or another copy of SQLite: " +
			"use github.com/mattn/go-sqlite3, in the version of this module")
	}
	if path == "" {
		return "", errInMemory
	}
	if _, err := os.Stat(path); err != nil {
		return "", fmt.Errorf("%w (%v)", errInMemory, err)
	}
	return path, judge(path, s, relaxed)
}

// settings are those of a connection of the host's that matter to a store.
type settings struct {
	journal     string
	synchronous int
	timeout     int // milliseconds
}

// judge says what about a host's connections must change.
func judge(path string, s settings, relaxed bool) error {
	const full = 2 // OFF is 0, NORMAL 1, FULL 2, EXTRA 3
	var wrong []string
	if s.journal != "wal" {
		wrong = append(wrong, fmt.Sprintf("journal_mode is %s, must be wal", s.journal))
	}
	if s.synchronous < full && !relaxed {
		wrong = append(wrong, fmt.Sprintf("synchronous is %d, must be 2 (FULL) or 3 (EXTRA): "+
			"a power cut could undo acknowledged commits", s.synchronous))
	}
	if s.timeout <= 0 {
		wrong = append(wrong, "busy_timeout is 0: a write would fail whenever another one is under way")
	}
	if wrong == nil {
		return nil
	}
	return fmt.Errorf("sqlite: the host's connections are not set up for a store: %s. Open the database with sql.Open(%q, %q): "+
		"a PRAGMA by Exec reaches one connection only, what is in the DSN reaches all",
		strings.Join(wrong, "; "), driver, hostSource(path))
}
