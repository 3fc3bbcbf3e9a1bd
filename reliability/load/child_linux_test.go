package load_test

import (
	"bufio"
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/ringback-dev/ringback/dispatch"
	"github.com/ringback-dev/ringback/store/sqlite"
)

// childVariable holds the config of a child process.
const childVariable = "RINGBACK_LOAD_CHILD"

func TestMain(m *testing.M) {
	if encoded := os.Getenv(childVariable); encoded != "" {
		if err := runChild(encoded); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// A config says what a child process does: it runs an engine on a file until its commands
// end. It says "opening" and the time before it opens the file, "committed", an event and
// the time after each commit, "done" after a command, and "peak" and how many KiB of
// memory it has had at most in the end.
type config struct {
	File        string
	Concurrency int
	Timeout     time.Duration
}

func say(words ...any) { fmt.Println(words...) }

func runChild(encoded string) error {
	var c config
	if err := json.Unmarshal([]byte(encoded), &c); err != nil {
		return err
	}
	db, err := openHost(c.File)
	if err != nil {
		return err
	}
	say("opening", time.Now().UnixNano())
	store, err := sqlite.New(context.Background(), db, nil)
	if err != nil {
		return err
	}
	engine, err := dispatch.New(store, &dispatch.Options{
		Concurrency: c.Concurrency, Timeout: c.Timeout, Targets: everything,
	})
	if err != nil {
		return err
	}
	go func() {
		fmt.Fprintln(os.Stderr, "Run:", engine.Run(context.Background()))
		os.Exit(1)
	}()
	if err := obey(db, store); err != nil {
		return err
	}
	peak, err := peakMemory()
	if err != nil {
		return err
	}
	say("peak", peak)
	return nil
}

// obey does what standard input says until its end: "touch", a prefix, a record, a
// number and a pause let it change a record so many times.
func obey(db *sql.DB, store *sqlite.Store) error {
	commands := bufio.NewScanner(os.Stdin)
	for commands.Scan() {
		var prefix, record, text string
		var times int
		if _, err := fmt.Sscanf(commands.Text(), "touch %s %s %d %s", &prefix, &record, &times, &text); err != nil {
			return err
		}
		pause, err := time.ParseDuration(text)
		if err != nil {
			return err
		}
		for i := range times {
			event := fmt.Sprint(prefix, i)
			if err := touch(db, store, event, "healthy", record); err != nil {
				return err
			}
			say("committed", event, time.Now().UnixNano())
			<-time.After(pause)
		}
		say("done", prefix)
	}
	return commands.Err()
}

// peakMemory returns how much memory this process has had at most, in KiB.
func peakMemory() (int, error) {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			return strconv.Atoi(strings.TrimSuffix(strings.TrimSpace(rest), " kB"))
		}
	}
	return 0, fmt.Errorf("no VmHWM in %q", bytes.TrimSpace(status))
}

// parse returns the number that a line of a child's ends with.
func parse(t *testing.T, line string) int64 {
	t.Helper()
	n, err := strconv.ParseInt(line[strings.LastIndexByte(line, ' ')+1:], 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// command gives a child a command.
func (p *process) command(format string, args ...any) {
	p.t.Helper()
	if _, err := io.WriteString(p.Stdin, fmt.Sprintf(format, args...)+"\n"); err != nil {
		p.t.Fatal(err)
	}
}
