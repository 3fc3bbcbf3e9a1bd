// Package sqlite is a store in an SQLite database: the host's own, so that an event
// commits with the change that it tells of.
//
//	store, err := sqlite.New(ctx, db, nil) // db is the host's *sql.DB
//	…
//	tx, err := db.BeginTx(ctx, nil)
//	…                                      // the change
//	err = store.InTx(tx).Dispatch(ctx, event)
//	…
//	err = tx.Commit()
//
// The store keeps to tables of its own, whose names begin with "ringback_", and to
// connections of its own: it borrows none of the host's after New. Several processes
// on one machine may share a database.
//
// Writes that wait at the same time share a transaction. The disk is waited for behind it,
// once for all that was committed meanwhile, while others may write.
// What became of deliveries is written while the disk is waited for because of another write,
// if there was one within 10 ms, and is on the disk with the next one; while a host writes it
// shares a transaction instead. It waits up to 5 ms for the one and for the other, except for
// a while after the first was in vain some times in a row or another delivery waited for one
// of them.
//
// A delivery that a worker claims as it is made is written when there is an outcome: once, if
// it was delivered by the first attempt. Until then it is held: one row for each transaction
// says which ones are, and whose.
//
// What was acknowledged survives a power cut, provided that commits wait for the
// disk (WAL mode with synchronous=FULL, which is not the driver's default). [Open]
// sees to that, [New] insists on it.
//
// A host's transactions should begin with BEGIN IMMEDIATE (_txlock=immediate in the
// driver's DSN): one that reads first and writes later fails at once, whatever its
// timeout, when another connection wrote in between. A host that writes often should take
// turns with the store by [Store.WriteLock].
//
// What is committed is in a file first whose name ends in -wal, and moves on from there
// while nobody reads. Where reads overlap without end the store makes room for that when
// the file has 16 MiB, and writes wait up to a tenth of a second for those who read. A
// transaction that reads for longer lets the file grow for as long as it is open.
package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"sync/atomic"

	_ "github.com/mattn/go-sqlite3" // the driver "sqlite3"

	"github.com/ringback-dev/ringback/webhook"
)

var (
	_ webhook.Store         = (*Store)(nil)
	_ webhook.FanOutClaimer = (*Store)(nil)
	_ webhook.AppendClaimer = (*Store)(nil)
)

// Options tune a store. Nil means the defaults.
type Options struct {
	// AllowRelaxedDurability lets New accept a host whose commits do not wait for
	// the disk (synchronous below FULL). Then a power cut may undo what was
	// committed last, changes and events alike; a crash of the process undoes
	// nothing. Open takes no notice: it always waits for the disk.
	AllowRelaxedDurability bool

	// MaxBacklog is how much may wait to be delivered: events that are not fanned out
	// and open deliveries together. Beyond it Dispatch, InTx included, returns
	// [webhook.ErrBacklogFull] and appends nothing. 0 is no limit. It is looked at
	// once a second at most, beside what is appended, so what is appended within a
	// second or so comes on top. What belongs to disabled callbacks does not count.
	MaxBacklog int
}

// A Store is a [webhook.Store] in an SQLite database. Make one with [Open] or [New],
// end it with Close.
type Store struct {
	writer  *writer
	readers *pool
	urgent  *pool // for what deliveries and hosts wait for: long reads are not in its way
	bell    *bell
	backlog backlog
	recent  recent
	closed  chan struct{}

	replayed atomic.Int64 // the callback that had its turn with replays last
}

// maxReaders is how many reads run at once, and how many urgent ones beside them. A writer
// waits for them only to empty the log.
const maxReaders = 4

// Open opens the database in a file, which it creates when there is none, and brings
// the store's tables up to date. The file must have a name: a database in memory is
// refused.
func Open(ctx context.Context, file string, options *Options) (*Store, error) {
	path, err := absolute(file)
	if err != nil {
		return nil, err
	}
	return open(ctx, path, "rwc", options)
}

// New returns a store in the host's own database, and brings the store's tables up to
// date. db is open with the driver github.com/mattn/go-sqlite3, in WAL mode, with
// synchronous=FULL and a busy timeout; otherwise New returns an error that says how
// to open it. Settings belong in the DSN: a PRAGMA by db.Exec reaches one connection
// only, so New looks at two where the pool has them free. It changes nothing about db
// and does not keep it. With _stmt_cache_size=16 a Dispatch in a transaction takes almost
// a third less time; New does not insist on it.
//
// On macOS a commit with synchronous=FULL reaches the drive, which may keep it in a cache
// that a power cut empties. The store's own connections wait for more than that; those of
// a host do if the PRAGMA fullfsync = 1 was executed on each, for which the driver's DSN
// has no setting: register an sqlite3.SQLiteDriver of your own, with a ConnectHook that
// executes it, and open the database by its name.
func New(ctx context.Context, db *sql.DB, options *Options) (*Store, error) {
	path, err := inspect(ctx, db, options != nil && options.AllowRelaxedDurability)
	if err != nil {
		return nil, err
	}
	return open(ctx, path, "rw", options)
}

// open opens the store's own connections.
func open(ctx context.Context, path, mode string, options *Options) (*Store, error) {
	if options == nil {
		options = &Options{}
	}
	bell := newBell()
	writer, err := openWriter(ctx, bell, dataSource(path, mode, "_busy_timeout=0", "_secure_delete=on", "_cache_size=-8000"))
	if err != nil {
		return nil, explain(path, err)
	}
	reading := dataSource(path, "rw", "_query_only=on", "_busy_timeout=5000")
	s := &Store{
		writer: writer, readers: newPool(reading, maxReaders), urgent: newPool(reading, maxReaders),
		bell: bell, backlog: backlog{most: options.MaxBacklog}, closed: make(chan struct{}),
	}
	if err := s.migrate(ctx); err != nil {
		return nil, errors.Join(explain(path, err), s.Close())
	}
	return s, nil
}

// Close ends the store's own connections, and every Watch. It waits for the reads and the
// transaction under way; a write that waits for other connections returns an error. It does
// not touch the host's connections. Closing twice does nothing.
func (s *Store) Close() error {
	if !s.bell.close(s.closed) {
		return nil
	}
	s.backlog.close()
	return errors.Join(s.urgent.close(), s.readers.close(), s.writer.close())
}
