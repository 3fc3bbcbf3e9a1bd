//go:build unix

package crash_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/ringback-dev/ringback/store/sqlite"
	"github.com/ringback-dev/ringback/webhook"
)

// An undoer is a host that makes transactions which come to nothing.
type undoer struct {
	db    *sql.DB
	store *sqlite.Store
	name  string
	count int
}

// dispatch writes to the ledger and dispatches, so many times, in one transaction.
func (h *undoer) dispatch(tx *sql.Tx, events int) error {
	list := make([]webhook.Event, events)
	for i := range list {
		h.count++
		record := fmt.Sprintf("%s-r%d", h.name, h.count%records)
		list[i] = update(fmt.Sprintf("%s-%d", h.name, h.count), record, h.count)
		_, err := tx.Exec("INSERT INTO ledger (event, record, n) VALUES (?, ?, ?)", list[i].ID, record, h.count)
		if err != nil {
			return err
		}
	}
	half := events / 2
	d := h.store.InTx(tx)
	ctx := context.Background()
	return errors.Join(d.Dispatch(ctx, list[:half]...), d.Dispatch(ctx, list[half:]...))
}

// ways are how a transaction comes to nothing. Each begins in one that has dispatched,
// and returns an error if something else became of it.
var ways = map[string]func(h *undoer, tx *sql.Tx, cancel context.CancelFunc) error{
	"rollback": func(_ *undoer, tx *sql.Tx, _ context.CancelFunc) error { return tx.Rollback() },

	"panic": func(_ *undoer, tx *sql.Tx, _ context.CancelFunc) (err error) {
		defer func() { _ = recover() }()
		defer func() { err = tx.Rollback() }()
		panic(errGiveUp)
	},

	// The rest of the transaction commits.
	"savepoint": func(h *undoer, tx *sql.Tx, _ context.CancelFunc) error {
		_, undone := tx.Exec("ROLLBACK TO host; RELEASE host")
		_, changed := tx.Exec("UPDATE profiles SET n = n + 1")
		return errors.Join(undone, changed, tx.Commit())
	},

	"savepoint in a savepoint": func(h *undoer, tx *sql.Tx, _ context.CancelFunc) error {
		_, begun := tx.Exec("SAVEPOINT inner")
		dispatched := h.dispatch(tx, 2)
		_, ended := tx.Exec("RELEASE inner; ROLLBACK TO host; RELEASE host")
		return errors.Join(begun, dispatched, ended, tx.Commit())
	},

	"failed commit": func(h *undoer, tx *sql.Tx, _ context.CancelFunc) error {
		_, err := tx.Exec("INSERT INTO ledger VALUES (?, 'r', 0, 'nobody')", fmt.Sprint(h.name, "-orphan-", h.count))
		if err != nil {
			return err
		}
		return wantFailure(tx.Commit(), "FOREIGN KEY constraint failed")
	},

	"context cancelled": func(_ *undoer, tx *sql.Tx, cancel context.CancelFunc) error {
		cancel()
		return wantCancelled(tx.Commit())
	},

	"context cancelled amid a dispatch": func(h *undoer, tx *sql.Tx, cancel context.CancelFunc) error {
		cancelled := make(chan struct{})
		go func() {
			cancel()
			close(cancelled)
		}()
		_ = h.dispatch(tx, 4) // it may have been in time
		<-cancelled
		return wantCancelled(tx.Commit())
	},

	// SQLite rolls back by itself.
	"conflict": func(_ *undoer, tx *sql.Tx, _ context.CancelFunc) error {
		_, err := tx.Exec("INSERT OR ROLLBACK INTO profiles VALUES ('r0', 0)")
		return errors.Join(wantFailure(err, "UNIQUE constraint failed"),
			wantFailure(tx.Commit(), "no transaction is active"))
	},
}

func wantCancelled(err error) error {
	if errors.Is(err, context.Canceled) || errors.Is(err, sql.ErrTxDone) {
		return nil
	}
	return fmt.Errorf("commit after the context ended: %v", err)
}

func wantFailure(err error, text string) error {
	if err == nil || !strings.Contains(err.Error(), text) {
		return fmt.Errorf("got %v, want an error with %q", err, text)
	}
	return nil
}

// lose makes a transaction that dispatches so many events and comes to nothing.
func (h *undoer) lose(way string, events int) error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	tx, err := h.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	if _, err := tx.Exec("SAVEPOINT host"); err != nil {
		return err
	}
	if err := h.dispatch(tx, events); err != nil {
		return err
	}
	return ways[way](h, tx, cancel)
}

// keep makes a transaction that commits.
func (h *undoer) keep() error {
	tx, err := h.db.Begin()
	if err != nil {
		return err
	}
	defer tx.Rollback()
	if err := h.dispatch(tx, 2); err != nil {
		return err
	}
	return tx.Commit()
}

// TestRollback lets transactions that dispatch come to nothing in every way, beside
// some that commit and an engine that delivers. Nothing is received of them.
func TestRollback(t *testing.T) {
	t.Parallel()
	const hosts, events = 2, 10
	transactions := 150 // of each host
	if *full {
		transactions = 5_000
	}
	random := newRand(t)
	r := newReceiver(t, moody(t, rand.New(rand.NewPCG(random.Uint64(), 0))))
	file, subscriptions := newFile(t, r.URL)
	l := newLedger(t, file, subscriptions)
	db, err := openHost(file)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	store, err := sqlite.New(t.Context(), db, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	engine, err := newEngine(store, 0)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ran := make(chan error, 1)
	go func() { ran <- engine.Run(ctx) }()
	names := slices.Sorted(maps.Keys(ways))
	var wait sync.WaitGroup
	var lost [hosts]int
	for i := range hosts {
		h := &undoer{db: db, store: store, name: fmt.Sprint("host", i)}
		random := rand.New(rand.NewPCG(random.Uint64(), 0))
		wait.Go(func() {
			for n := range transactions {
				way := names[random.IntN(len(names))]
				if err := h.lose(way, events); err != nil {
					t.Errorf("%s: %v", way, err)
				}
				lost[i] += events
				if n%20 == 19 {
					if err := h.keep(); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	wait.Wait()
	waitFor(t, patience, "everything to be delivered", func() bool { return l.drained(store) })
	stop()
	if err := <-ran; err != nil {
		t.Error(err)
	}
	r.Close()
	l.check(r)
	t.Logf("%d dispatches came to nothing", lost[0]+lost[1])
}
