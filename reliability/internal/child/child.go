// Package child runs a test's own program once more, as a process that the test can talk
// to and end.
package child

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

// A Process is a child. It says lines, of which the first word says what they are.
type Process struct {
	Cmd   *exec.Cmd
	Stdin io.WriteCloser
	// Ended is closed when the process has ended and all that it said is read; Stderr
	// is not to be read before.
	Ended  chan struct{}
	Stderr bytes.Buffer

	mu   sync.Mutex
	said map[string][]string // by the first word of the line, the rest
}

// Start starts a child, which finds its config as JSON in an environment variable. It ends
// with the test at the latest.
func Start(t *testing.T, variable string, config any) *Process {
	t.Helper()
	encoded, err := json.Marshal(config)
	if err != nil {
		t.Fatal(err)
	}
	p := &Process{Cmd: exec.Command(os.Args[0]), Ended: make(chan struct{}), said: make(map[string][]string)}
	p.Cmd.Env = append(os.Environ(), variable+"="+string(encoded))
	p.Cmd.Stderr = &p.Stderr
	if p.Stdin, err = p.Cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	stdout, err := p.Cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go p.listen(stdout)
	t.Cleanup(func() {
		p.Cmd.Process.Kill() // fails if it has ended
		<-p.Ended
	})
	return p
}

// listen hears what the process says until it ends.
func (p *Process) listen(stdout io.Reader) {
	defer close(p.Ended)
	for lines := bufio.NewScanner(stdout); lines.Scan(); {
		word, rest, _ := strings.Cut(lines.Text(), " ")
		p.mu.Lock()
		p.said[word] = append(p.said[word], rest)
		p.mu.Unlock()
	}
	p.Cmd.Wait() // its error is in ProcessState
}

// Heard returns the lines so far that began with a word, without it.
func (p *Process) Heard(word string) []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.said[word])
}

// Running fails the test if the process has ended by itself.
func (p *Process) Running(t *testing.T) {
	t.Helper()
	select {
	case <-p.Ended:
		t.Fatalf("the child has ended by itself: %v\n%s", p.Cmd.ProcessState, &p.Stderr)
	default:
	}
}
