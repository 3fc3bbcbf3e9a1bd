package main

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"

	_ "github.com/mattn/go-sqlite3"
)

const schema = `
CREATE TABLE IF NOT EXISTS profiles (
	id        INTEGER PRIMARY KEY AUTOINCREMENT, -- never given twice
	database  TEXT NOT NULL,
	fields    TEXT NOT NULL, -- a JSON object
	interests TEXT NOT NULL, -- a JSON array of strings
	created   TIMESTAMP NOT NULL,
	modified  TIMESTAMP NOT NULL
);
CREATE TABLE IF NOT EXISTS subprofiles (
	id         INTEGER PRIMARY KEY AUTOINCREMENT,
	profile    INTEGER NOT NULL REFERENCES profiles (id),
	collection TEXT NOT NULL,
	fields     TEXT NOT NULL,
	interests  TEXT NOT NULL,
	created    TIMESTAMP NOT NULL,
	modified   TIMESTAMP NOT NULL
);
CREATE INDEX IF NOT EXISTS subprofiles_by_profile ON subprofiles (profile, id);
`

// openDatabase opens the file, creating it and its tables when they are missing.
func openDatabase(ctx context.Context, file string) (*sql.DB, error) {
	options := url.Values{
		// Readers and the writer do not wait for each other.
		"_journal_mode": {"WAL"},
		// A commit is on the disk when it returns. The driver's default in this mode
		// would lose the last ones in a power cut, and their events with them.
		"_synchronous": {"FULL"},
		// Transactions take the write lock when they begin. One that reads first and
		// writes later would otherwise fail with "database is locked" whenever
		// another writer got in between, at once, whatever the busy timeout.
		"_txlock": {"immediate"},
		// How many milliseconds to wait for that lock.
		"_busy_timeout": {"5000"},
		"_foreign_keys": {"on"},
	}
	path := url.URL{Path: file}
	db, err := sql.Open("sqlite3", "file:"+path.EscapedPath()+"?"+options.Encode())
	if err != nil {
		return nil, err
	}
	if _, err := db.ExecContext(ctx, schema); err != nil {
		db.Close()
		return nil, fmt.Errorf("opening %s: %w", file, err)
	}
	return db, nil
}

// A jsonColumn stores what its value holds, or points to, as JSON text. Numbers
// under an any keep their text, however large.
type jsonColumn struct{ value any }

// Value implements driver.Valuer.
func (c jsonColumn) Value() (driver.Value, error) {
	text, err := json.Marshal(c.value)
	return string(text), err
}

// Scan implements sql.Scanner.
func (c jsonColumn) Scan(source any) error {
	text, ok := source.(string)
	if !ok {
		return fmt.Errorf("JSON is stored as text, not as %T", source)
	}
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	return decoder.Decode(c.value)
}
