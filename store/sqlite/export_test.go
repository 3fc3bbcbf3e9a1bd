package sqlite

import (
	"context"
	"fmt"
	"os"
)

// LimitPages keeps the database from growing by more than so many pages: the disk is
// full then, as far as the store can tell.
func (s *Store) LimitPages(more int) error {
	return s.writer.outside(context.Background(), func(tx tx) error {
		var pages int
		if err := tx.row("PRAGMA page_count").Scan(&pages); err != nil {
			return err
		}
		return tx.row(fmt.Sprintf("PRAGMA max_page_count = %d", pages+more)).Scan(&pages)
	})
}

// BusyTimeout is how long a write waits for other connections.
const BusyTimeout = busyTimeout

// LogLimit is how large the log becomes before the store empties it.
const LogLimit = logLimit

// Log returns the name of the file that holds what is not yet in the database's.
func (s *Store) Log() string { return s.writer.syncer.log.Name() }

// RefuseCommits lets so many of the next commits fail.
func (s *Store) RefuseCommits(n int) error {
	return s.writer.outside(context.Background(), func(tx tx) error {
		tx.conn.driver.RegisterCommitHook(func() int {
			if n == 0 {
				return 0
			}
			n--
			return 1
		})
		return nil
	})
}

// CountCommits returns what tells how many transactions the store has committed since.
func (s *Store) CountCommits() (commits func() int) {
	n := 0
	outside := func(run func(c *conn)) {
		_ = s.writer.outside(context.Background(), func(tx tx) error {
			run(tx.conn)
			return nil
		})
	}
	outside(func(c *conn) {
		c.driver.RegisterCommitHook(func() int {
			n++
			return 0
		})
	})
	return func() (counted int) {
		outside(func(*conn) { counted = n })
		return counted
	}
}

// ReplaceSync lets something else than the disk be waited for. Nothing is written meanwhile.
func (s *Store) ReplaceSync(sync func(*os.File) error) { s.writer.syncer.sync = sync }
