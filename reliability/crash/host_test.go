//go:build unix

package crash_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ringback-dev/ringback/dispatch"
	"github.com/ringback-dev/ringback/store/sqlite"
	"github.com/ringback-dev/ringback/webhook"
)

// hostTables are the host's own. A parent is what a ledger row may refer to: it is
// looked for at the commit.
const hostTables = `
CREATE TABLE profiles (id TEXT PRIMARY KEY, n INTEGER NOT NULL);
CREATE TABLE parents (id TEXT PRIMARY KEY);
CREATE TABLE ledger (
	event  TEXT PRIMARY KEY,
	record TEXT NOT NULL,
	n      INTEGER NOT NULL,
	parent TEXT REFERENCES parents (id) DEFERRABLE INITIALLY DEFERRED
);`

// records is how many profiles there are, "r0", "r1" ….
const records = 12

// openHost opens a host's database.
func openHost(file string) (*sql.DB, error) {
	settings := "_journal_mode=WAL&_synchronous=FULL&_busy_timeout=10000&_txlock=immediate&_foreign_keys=on"
	return sql.Open("sqlite3", (&url.URL{Scheme: "file", Path: file}).String()+"?"+settings)
}

// pauses are those between attempts.
var pauses = []time.Duration{10 * time.Millisecond, 20 * time.Millisecond, 40 * time.Millisecond}

// newEngine returns an engine that may call everything, and tries again soon.
func newEngine(store webhook.Store, timeout time.Duration) (*dispatch.Engine, error) {
	return dispatch.New(store, &dispatch.Options{
		Timeout: timeout,
		Retry:   dispatch.Retry{Pauses: pauses},
		Targets: dispatch.Targets{AllowPrivate: dispatch.AllAddresses(), AllowAllPorts: true},
	})
}

// update returns the event of a record's nth update.
func update(id, record string, n int) webhook.Event {
	return webhook.Event{
		ID: id, Action: webhook.ActionUpdate, Database: "788",
		Profile:  webhook.Record{ID: record, Fields: map[string]any{"n": n}},
		Previous: &webhook.Record{Fields: map[string]any{"n": n - 1}},
	}
}

// A host is a program that changes records and tells of it.
type host struct {
	*config
	db     *sql.DB
	store  *sqlite.Store
	engine *dispatch.Engine
	events atomic.Int64
}

// work runs the writers until ctx ends.
func (h *host) work(ctx context.Context) {
	var writers sync.WaitGroup
	for i := range h.Writers {
		writers.Go(func() { h.write(ctx, rand.New(rand.NewPCG(h.Seed, uint64(i)))) })
	}
	writers.Go(func() { h.dispatch(ctx) })
	writers.Wait()
	say("finished")
}

// write changes records until ctx ends.
func (h *host) write(ctx context.Context, random *rand.Rand) {
	for ctx.Err() == nil {
		h.must(h.change(random))
		select {
		case <-ctx.Done():
		case <-time.After(time.Duration(random.IntN(20)) * time.Millisecond):
		}
	}
}

func (h *host) must(err error) {
	if err != nil && h.Tolerant {
		say("failed", err)
	} else if err != nil {
		fatal(err)
	}
}

// errGiveUp is what some transactions panic with.
var errGiveUp = errors.New("give up")

// change makes one transaction, which need not commit, with the write lock or without.
func (h *host) change(random *rand.Rand) error {
	if random.IntN(2) == 0 {
		lock := h.store.WriteLock()
		lock.Lock()
		defer lock.Unlock()
	}
	tx, err := h.db.Begin()
	if err != nil {
		return err
	}
	defer func() {
		tx.Rollback() // fails if it has ended
		if p := recover(); p != nil && p != errGiveUp {
			panic(p)
		}
	}()
	var events []string
	touch := func() {
		if err == nil {
			var event string
			event, err = h.touch(tx, fmt.Sprint("r", random.IntN(records)))
			events = append(events, event)
		}
	}
	touch()
	switch random.IntN(10) {
	case 0:
		return err
	case 1:
		if err == nil {
			panic(errGiveUp)
		}
	case 2:
		if err == nil {
			_, err = tx.Exec("SAVEPOINT host")
		}
		touch()
		if err == nil {
			_, err = tx.Exec("ROLLBACK TO host; RELEASE host")
			events = events[:1]
		}
		touch()
	case 3:
		touch()
		touch()
	}
	if err == nil {
		err = tx.Commit()
	}
	if err == nil {
		say("committed", strings.Join(events, " "))
	}
	return err
}

// touch updates a record, writes to the ledger and dispatches. It returns the event's
// ID.
func (h *host) touch(tx *sql.Tx, record string) (event string, err error) {
	event = fmt.Sprintf("%s-%d", h.Name, h.events.Add(1))
	var n int
	if err := tx.QueryRow("UPDATE profiles SET n = n + 1 WHERE id = ? RETURNING n", record).Scan(&n); err != nil {
		return "", err
	}
	if _, err := tx.Exec("INSERT INTO ledger (event, record, n) VALUES (?, ?, ?)", event, record, n); err != nil {
		return "", err
	}
	return event, h.store.InTx(tx).Dispatch(context.Background(), update(event, record, n))
}

// dispatch tells of changes to a record of this process's own, without a transaction of
// the host's, until ctx ends.
func (h *host) dispatch(ctx context.Context) {
	record := "own-" + h.Name
	for n := 1; ctx.Err() == nil; n++ {
		event := fmt.Sprintf("%s-%d", record, n)
		say("announced", event, record, n)
		if err := h.engine.Dispatch(context.Background(), update(event, record, n)); err != nil {
			h.must(err)
		} else {
			say("dispatched", event)
		}
		select {
		case <-ctx.Done():
		case <-time.After(20 * time.Millisecond):
		}
	}
}
