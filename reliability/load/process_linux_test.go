package load_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
)

// A process is a child that runs an engine: see config.
type process struct {
	t      *testing.T
	cmd    *exec.Cmd
	stdin  io.WriteCloser
	stderr bytes.Buffer  // not to be read before ended is closed
	ended  chan struct{} // closed when the process has ended and all it said is read

	mu   sync.Mutex
	said map[string][]string // by the first word of the line, the rest
}

// start starts a child. It ends with the test at the latest.
func start(t *testing.T, c config) *process {
	t.Helper()
	encoded, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	p := &process{t: t, cmd: exec.Command(os.Args[0]), ended: make(chan struct{}), said: make(map[string][]string)}
	p.cmd.Env = append(os.Environ(), childVariable+"="+string(encoded))
	p.cmd.Stderr = &p.stderr
	if p.stdin, err = p.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(p.ended)
		for lines := bufio.NewScanner(stdout); lines.Scan(); {
			word, rest, _ := strings.Cut(lines.Text(), " ")
			p.mu.Lock()
			p.said[word] = append(p.said[word], rest)
			p.mu.Unlock()
		}
		p.cmd.Wait() // its error is in ProcessState
	}()
	t.Cleanup(func() {
		p.cmd.Process.Kill() // fails if it has ended
		<-p.ended
	})
	return p
}

// heard returns the lines so far that began with a word, without it.
func (p *process) heard(word string) []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.said[word])
}

// await waits until the process has said so many lines that begin with a word, and
// returns them.
func (p *process) await(word string, lines int) []string {
	p.t.Helper()
	waitFor(p.t, "the child to say "+word, func() bool {
		if len(p.heard(word)) >= lines {
			return true
		}
		select {
		case <-p.ended:
			p.t.Fatalf("the child has ended: %v\n%s", p.cmd.ProcessState, &p.stderr)
		default:
		}
		return false
	})
	return p.heard(word)
}

// stop ends the process and returns its peak memory, in bytes.
func (p *process) stop() int64 {
	p.t.Helper()
	p.stdin.Close()
	peak := parse(p.t, p.await("peak", 1)[0]) << 10
	waitFor(p.t, "the child to end", func() bool {
		select {
		case <-p.ended:
			return true
		default:
			return false
		}
	})
	if !p.cmd.ProcessState.Success() {
		p.t.Errorf("the child: %v\n%s", p.cmd.ProcessState, &p.stderr)
	}
	return peak
}
