//go:build unix

package crash_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// A process is a child that runs a host with its engine: see config.
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
	return p.said[word]
}

// running fails the test if the process has ended by itself.
func (p *process) running() {
	p.t.Helper()
	select {
	case <-p.ended:
		p.t.Fatalf("the child has ended by itself: %v\n%s", p.cmd.ProcessState, &p.stderr)
	default:
	}
}

// await waits until the process has said so many lines that begin with a word.
func (p *process) await(word string, lines int) {
	p.t.Helper()
	waitFor(p.t, patience, fmt.Sprintf("the child to say %q", word), func() bool {
		p.running()
		return len(p.heard(word)) >= lines
	})
}

func (p *process) signal(s syscall.Signal) {
	p.t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		p.t.Fatal(err)
	}
}

// kill ends the process with SIGKILL, after so long.
func (p *process) kill(after time.Duration) {
	p.t.Helper()
	select {
	case <-time.After(after):
	case <-p.ended:
	}
	p.running()
	p.signal(syscall.SIGKILL)
	<-p.ended
	if status := p.cmd.ProcessState.Sys().(syscall.WaitStatus); status.Signal() != syscall.SIGKILL {
		p.t.Fatalf("the child has ended by itself: %v\n%s", p.cmd.ProcessState, &p.stderr)
	}
}

// stop asks the process to end, and checks that it does so properly.
func (p *process) stop() {
	p.t.Helper()
	p.signal(syscall.SIGTERM)
	waitFor(p.t, patience, "the child to end", func() bool {
		select {
		case <-p.ended:
			return true
		default:
			return false
		}
	})
	if !p.cmd.ProcessState.Success() {
		p.t.Errorf("after SIGTERM: %v\n%s", p.cmd.ProcessState, &p.stderr)
	}
}

// tell gives the process a command: see obey.
func (p *process) tell(command string) {
	p.t.Helper()
	if _, err := io.WriteString(p.stdin, command+"\n"); err != nil {
		p.t.Fatal(err)
	}
}
