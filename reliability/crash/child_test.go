//go:build unix

package crash_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"syscall"
	"time"

	"github.com/ringback-dev/ringback/store/sqlite"
)

// childVariable holds the config of a child process.
const childVariable = "RINGBACK_CRASH_CHILD"

// A config says what a child process does: it runs an engine on a file until SIGTERM,
// beside host writers if it is to have any.
//
// What it says on standard output, a line each: "ready" before the engine runs;
// "committed" and the event IDs of a transaction; "announced" with event ID, record
// and n before, and "dispatched" with event ID after, a Dispatch through the engine;
// "failed" and an error, if it is tolerant; "finished" when the writers have ended;
// "returned" and how many milliseconds after SIGTERM Run did so.
type config struct {
	File     string
	Name     string // begins the IDs of its events
	Seed     uint64
	Writers  int           // beside these, if there are any, one dispatches through the engine
	Tolerant bool          // an error is said, not fatal
	Timeout  time.Duration // of a request; 0 is the default
}

func say(words ...any) { fmt.Println(words...) }

// fatal ends the child.
func fatal(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

// runChild is the child's main. It returns the exit status.
func runChild(encoded string) int {
	var c config
	if err := json.Unmarshal([]byte(encoded), &c); err != nil {
		fatal(err)
	}
	if err := c.run(); err != nil {
		fatal(err)
	}
	return 0
}

func (c *config) run() error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	db, err := openHost(c.File)
	if err != nil {
		return err
	}
	defer db.Close()
	store, err := sqlite.New(ctx, db, nil)
	if err != nil {
		return err
	}
	defer store.Close()
	engine, err := newEngine(store, c.Timeout)
	if err != nil {
		return err
	}
	writing, finish := context.WithCancel(ctx)
	defer finish()
	go obey(finish)
	h := &host{config: c, db: db, store: store, engine: engine}
	if c.Writers > 0 {
		go h.work(writing)
	}
	told := make(chan time.Time, 1)
	context.AfterFunc(ctx, func() { told <- time.Now() })
	before := runtime.NumGoroutine()
	say("ready")
	if err := engine.Run(ctx); err != nil {
		return err
	}
	say("returned", time.Since(<-told).Milliseconds())
	return noneLeft(before)
}

// noneLeft waits until there are no more goroutines than before. What Run has closed
// may take a moment to end.
func noneLeft(before int) error {
	deadline := time.After(5 * time.Second)
	look := time.NewTicker(time.Millisecond)
	defer look.Stop()
	for runtime.NumGoroutine() > before {
		select {
		case <-deadline:
			stacks := make([]byte, 1<<20)
			stacks = stacks[:runtime.Stack(stacks, true)]
			return fmt.Errorf("%d goroutines, %d before Run:\n%s", runtime.NumGoroutine(), before, stacks)
		case <-look.C:
		}
	}
	return nil
}

// obey does what standard input says: "full" leaves it no room on the disk, "space" gives
// it back, "finish" ends the writers. Its end is that of the test.
func obey(finish context.CancelFunc) {
	for commands := bufio.NewScanner(os.Stdin); commands.Scan(); {
		switch command := commands.Text(); command {
		case "full":
			limitFiles(true)
		case "space":
			limitFiles(false)
		case "finish":
			finish()
		default:
			fatal(fmt.Errorf("unknown command %q", command))
		}
	}
	os.Exit(3)
}
