package main

import (
	"context"
	"database/sql"
	"strconv"
	"sync"

	"github.com/ringback-dev/ringback/webhook"
)

// A host is a database product with a table of profiles.
type host struct {
	db *sql.DB

	// writing is held by the one who writes: SQLite lets only one, and its own waiting
	// is a lottery.
	writing sync.Locker
}

func newHost(ctx context.Context, db *sql.DB, writing sync.Locker) (*host, error) {
	_, err := db.ExecContext(ctx, `
		CREATE TABLE profiles (id INTEGER PRIMARY KEY, company TEXT NOT NULL, changes INTEGER NOT NULL);
		INSERT INTO profiles WITH RECURSIVE numbers (id) AS (SELECT 0 UNION ALL SELECT id + 1 FROM numbers)
			SELECT id, 'Apple', 0 FROM numbers LIMIT `+strconv.Itoa(records)+`;
		CREATE TABLE notes (id INTEGER PRIMARY KEY, event TEXT NOT NULL, encoded BLOB NOT NULL)`)
	return &host{db: db, writing: writing}, err
}

// change changes the records of a range of numbers in one transaction, with what tell
// adds to it.
func (h *host) change(ctx context.Context, from, to int, tell func(*sql.Tx) error) error {
	h.writing.Lock()
	defer h.writing.Unlock()
	tx, err := h.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() // of no effect after the commit
	for number := from; number < to; number++ {
		_, err := tx.ExecContext(ctx, "UPDATE profiles SET changes = changes + 1 WHERE id = ?", number%records)
		if err != nil {
			return err
		}
	}
	if err := tell(tx); err != nil {
		return err
	}
	return tx.Commit()
}

// growLog has SQLite's log be as large as it becomes with time, but not so large that the store
// empties it. Until then the disk is waited for longer, as the file grows: whoever comes first
// would pay for the others.
func (h *host) growLog(ctx context.Context) error {
	_, err := h.db.ExecContext(ctx, `
		CREATE TABLE large AS SELECT zeroblob(8 << 20);
		DROP TABLE large;
		PRAGMA wal_checkpoint`)
	return err
}

// changeSilently tells nobody of a change.
func (h *host) changeSilently(ctx context.Context, from, to int) error {
	return h.change(ctx, from, to, func(*sql.Tx) error { return nil })
}

// changeAndNote inserts a row about a change: the least that a host does who keeps, by hand,
// what it has to tell.
func (h *host) changeAndNote(ctx context.Context, from, to int) error {
	e := event(from)
	return h.change(ctx, from, to, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "INSERT INTO notes (event, encoded) VALUES (?, ?)", e.ID, webhook.EncodeEvent(&e))
		return err
	})
}
