package sqlite

import (
	"context"
	"fmt"
	"io"
	"time"
)

const (
	// moveSize is how large the log is when one of the store's commits has what it holds moved
	// into the database's file. That waits for the disk twice: SQLite's own measure, 1,000
	// pages, has it done every 30 commits or so under load. A host's connections have theirs.
	moveSize = 10 << 20

	// logLimit is how large the file whose name ends in -wal becomes before the store
	// empties it. SQLite does so only at a moment when nobody reads: where reads overlap
	// without end there is none.
	logLimit = 16 << 20

	// readersWait is how long the readers of the moment have for their end; those that
	// begin meanwhile read the database's file. Other writers wait as long.
	readersWait = 100 * time.Millisecond
)

// setMoveSize has a connection's commits keep to moveSize.
func (c *conn) setMoveSize() error {
	var page int
	if err := (tx{context.Background(), c}).row("PRAGMA page_size").Scan(&page); err != nil {
		return err
	}
	return c.script(fmt.Sprintf("PRAGMA wal_autocheckpoint = %d", max(moveSize/page, 1)))
}

// limitLog empties the log when it has become large, before a work. Where somebody reads for too long, it
// tries again when the log has grown as much once more.
func (w *writer) limitLog(k *work) {
	// Stat would tell more: and because it tells the time of the last write, Linux notes that of
	// the next one more exactly, which without a journal is one more block to be waited for by
	// each sync.
	size, err := w.syncer.log.Seek(0, io.SeekEnd)
	if err != nil || size < w.logNext {
		return
	}
	if w.take(k) != nil {
		return // as the work itself will find
	}
	defer w.lock.release()
	w.logNext = logLimit
	if emptied, err := emptyLog(w.conn); err != nil || !emptied {
		w.logNext += size
	}
}

// emptyLog moves what the log holds into the database's file and empties it, and reports
// whether others have let it. SQLite's lock is taken for as long, and so must the write lock be.
func emptyLog(c *conn) (emptied bool, err error) {
	if err := c.script(fmt.Sprintf("PRAGMA busy_timeout = %d", readersWait.Milliseconds())); err != nil {
		return false, err
	}
	var busy bool
	var pages, moved int
	err = tx{context.Background(), c}.row("PRAGMA wal_checkpoint(TRUNCATE)").Scan(&busy, &pages, &moved)
	if isBusy(err) {
		busy, err = true, nil
	}
	if failed := c.script("PRAGMA busy_timeout = 0"); err == nil {
		err = failed
	}
	return err == nil && !busy, err
}

// How often, and with what pauses, truncateLog tries.
const (
	truncateTries = 6
	truncatePause = 200 * time.Millisecond
)

// truncateLog empties the log, as far as others let it.
func (w *writer) truncateLog(ctx context.Context) error {
	for try := 1; ; try++ {
		var emptied bool
		err := w.outside(ctx, func(tx tx) (err error) {
			emptied, err = emptyLog(tx.conn)
			return err
		})
		if err != nil {
			return fmt.Errorf("sqlite: purge: %w", err)
		}
		if emptied || try == truncateTries {
			return nil
		}
		select {
		case <-time.After(truncatePause):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
