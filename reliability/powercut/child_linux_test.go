package powercut_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/ringback-dev/ringback/dispatch"
	"github.com/ringback-dev/ringback/internal/durable"
	"github.com/ringback-dev/ringback/store/sqlite"
	"github.com/ringback-dev/ringback/webhook"
)

const (
	databaseName = "host.db"

	// hostSettings are what a host's connections need. How long they wait for each
	// other is no matter here.
	hostSettings = "_journal_mode=WAL&_synchronous=FULL&_busy_timeout=60000&_txlock=immediate"

	createLedger = "CREATE TABLE IF NOT EXISTS ledger (event TEXT PRIMARY KEY)"

	// hostPrefix begins the IDs of events that a row of the ledger goes with.
	hostPrefix = "host-"
)

// hostSource returns the driver's name for a host's connection.
func hostSource(file, settings string) string {
	return (&url.URL{Scheme: "file", Path: file, RawQuery: settings}).String()
}

// A workload is what a child does.
type workload struct {
	Seed    uint64
	Rounds  int    // the database is closed and opened again between them
	Changes int    // of the host's, in each round
	URL     string // of the receiver

	// What is done wrong on purpose.
	Relaxed bool // the host's commits do not wait for the disk
	Apart   bool // the host's changes and their events have a transaction each
}

// The environment of a child.
const (
	workloadVariable  = "POWERCUT_WORKLOAD"
	directoryVariable = "POWERCUT_DIRECTORY"
	recordVariable    = "POWERCUT_RECORD"
)

// A child is the process that works.
type child struct {
	workload
	notes notebook
	db    *sql.DB
	store *sqlite.Store
}

// beChild does what a workload says. In the end the database is left open: what a
// close would write is missing then.
func beChild(text string) error {
	c := new(child)
	if err := json.Unmarshal([]byte(text), &c.workload); err != nil {
		return err
	}
	var err error
	if c.notes, err = openNotebook(os.Getenv(recordVariable)); err != nil {
		return err
	}
	durable.Sync = c.notes.recordSyncs()
	ctx := context.Background()
	for round := range c.Rounds {
		if round > 0 {
			if err := errors.Join(c.store.Close(), c.db.Close()); err != nil {
				return err
			}
		}
		if err := c.open(ctx, filepath.Join(os.Getenv(directoryVariable), databaseName)); err != nil {
			return err
		}
		if round == 0 {
			if err := c.register(ctx); err != nil {
				return err
			}
		}
		if err := c.work(ctx, round); err != nil {
			return err
		}
	}
	return nil
}

func (c *child) open(ctx context.Context, file string) (err error) {
	settings := hostSettings
	if c.Relaxed {
		settings = strings.Replace(settings, "FULL", "NORMAL", 1)
	}
	if c.db, err = sql.Open("sqlite3", hostSource(file, settings)); err != nil {
		return err
	}
	if _, err := c.db.ExecContext(ctx, createLedger); err != nil {
		return err
	}
	c.store, err = sqlite.New(ctx, c.db, &sqlite.Options{AllowRelaxedDurability: c.Relaxed})
	return err
}

// register registers the callbacks that are told of everything.
func (c *child) register(ctx context.Context) error {
	for _, callback := range []webhook.Callback{
		{Database: "d", URL: c.URL + steadyPath},
		{Database: "d", URL: c.URL + fussyPath, Method: webhook.MethodXML},
	} {
		callback, err := c.store.CreateCallback(ctx, callback, 0)
		if err != nil {
			return err
		}
		if err := c.notes.note(saysPermanent, callback.ID); err != nil {
			return err
		}
	}
	return nil
}

// engineOptions are those of every engine here.
func engineOptions() *dispatch.Options {
	return &dispatch.Options{
		Retry:   dispatch.Retry{Pauses: []time.Duration{20 * time.Millisecond, 20 * time.Millisecond}},
		Targets: dispatch.Targets{AllowPrivate: dispatch.AllAddresses(), AllowAllPorts: true},
		Logger:  slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn})),
	}
}

// work does a round: an engine delivers while the host and others dispatch.
func (c *child) work(ctx context.Context, round int) error {
	engine, err := dispatch.New(c.store, engineOptions())
	if err != nil {
		return err
	}
	running, stop := context.WithCancel(ctx)
	defer stop()
	ran := make(chan error, 1)
	go func() { ran <- engine.Run(running) }()
	var group errgroup.Group
	group.Go(func() error { return c.each(round, 1, c.Changes, c.hostChange) })
	group.Go(func() error { return c.each(round, 2, c.Changes/2, c.ownDispatch) })
	group.Go(func() error { return c.each(round, 3, c.Changes/5, c.maintain) })
	err = group.Wait()
	stop()
	return errors.Join(err, <-ran)
}

// each does something so many times, each time with a name and a random generator.
func (c *child) each(round int, loop uint64, times int, do func(name string, rng *rand.Rand) error) error {
	rng := rand.New(rand.NewPCG(c.Seed, uint64(round)<<8|loop))
	for i := range times {
		if err := do(fmt.Sprintf("%d-%d", round, i), rng); err != nil {
			return err
		}
	}
	return nil
}

// event returns an event about one of a few records, with a message of any size.
func event(id string, rng *rand.Rand) webhook.Event {
	text := strings.Repeat("x", rng.IntN(500))
	if rng.IntN(20) == 0 {
		text = strings.Repeat("many pages", rng.IntN(2000))
	}
	return webhook.Event{
		ID: id, Action: webhook.ActionUpdate, Database: "d",
		Profile: webhook.Record{ID: fmt.Sprint("r", rng.IntN(12)), Fields: map[string]any{"id": id, "text": text}},
	}
}

// hostChange makes a change of the host's with its event; some are rolled back.
func (c *child) hostChange(name string, rng *rand.Rand) error {
	ctx := context.Background()
	undo := rng.IntN(4) == 0
	id := hostPrefix + name
	if !undo {
		if err := c.notes.note(saysBegun, id); err != nil {
			return err
		}
	}
	tx, err := c.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	if _, err := tx.ExecContext(ctx, "INSERT INTO ledger VALUES (?)", id); err != nil {
		return err
	}
	if !c.Apart {
		if err := c.store.InTx(tx).Dispatch(ctx, event(id, rng)); err != nil {
			return err
		}
	}
	if undo {
		return nil
	}
	if err := tx.Commit(); err != nil {
		return err
	}
	if c.Apart {
		if err := c.store.Dispatch(ctx, event(id, rng)); err != nil {
			return err
		}
	}
	return c.notes.note(saysCommitted, id)
}

// ownDispatch dispatches a few events through the store.
func (c *child) ownDispatch(name string, rng *rand.Rand) error {
	var events []webhook.Event
	var ids []any
	for i := range 1 + rng.IntN(3) {
		id := fmt.Sprintf("own-%s-%d", name, i)
		events, ids = append(events, event(id, rng)), append(ids, id)
	}
	if err := c.notes.note(append([]any{saysBegun}, ids...)...); err != nil {
		return err
	}
	if err := c.store.Dispatch(context.Background(), events...); err != nil {
		return err
	}
	return c.notes.note(append([]any{saysCommitted}, ids...)...)
}

// maintain is what happens now and then: a checkpoint, pruning, and a callback that
// comes and goes.
func (c *child) maintain(name string, rng *rand.Rand) error {
	ctx := context.Background()
	callback, err := c.store.CreateCallback(ctx, webhook.Callback{Database: "d", URL: c.URL + steadyPath}, 0)
	if err != nil {
		return err
	}
	if err := c.notes.note(saysRegistered, callback.ID); err != nil {
		return err
	}
	if err := c.ownDispatch("meanwhile-"+name, rng); err != nil {
		return err
	}
	// Whether it gets as far as it could depends on who else is at work.
	mode := []string{"PASSIVE", "FULL", "RESTART", "TRUNCATE"}[rng.IntN(4)]
	if _, err := c.db.ExecContext(ctx, "PRAGMA wal_checkpoint("+mode+")"); err != nil {
		return err
	}
	if err := c.notes.note(saysUnregistering, callback.ID); err != nil {
		return err
	}
	if err := c.store.DeleteCallback(ctx, callback.ID); err != nil {
		return err
	}
	if err := c.notes.note(saysUnregistered, callback.ID); err != nil {
		return err
	}
	prune := webhook.PruneRequest{Limit: 50, Delivered: time.Now().Add(-100 * time.Millisecond)}
	for {
		result, err := c.store.Prune(ctx, prune)
		if err != nil || result.Next == 0 {
			return err
		}
		prune.After = result.Next
	}
}
