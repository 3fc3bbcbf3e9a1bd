//go:build unix

package crash_test

import (
	"fmt"
	"io"
	"syscall"
	"testing"
	"time"

	"github.com/ringback-dev/ringback/reliability/internal/child"
)

// A process is a child that runs a host with its engine: see config.
type process struct {
	*child.Process
	t *testing.T
}

// start starts a child. It ends with the test at the latest.
func start(t *testing.T, c config) *process {
	t.Helper()
	return &process{child.Start(t, childVariable, c), t}
}

// await waits until the process has said so many lines that begin with a word.
func (p *process) await(word string, lines int) {
	p.t.Helper()
	waitFor(p.t, patience, fmt.Sprintf("the child to say %q", word), func() bool {
		p.Running(p.t)
		return len(p.Heard(word)) >= lines
	})
}

func (p *process) signal(s syscall.Signal) {
	p.t.Helper()
	if err := p.Cmd.Process.Signal(s); err != nil {
		p.t.Fatal(err)
	}
}

// kill ends the process with SIGKILL, after so long.
func (p *process) kill(after time.Duration) {
	p.t.Helper()
	select {
	case <-time.After(after):
	case <-p.Ended:
	}
	p.Running(p.t)
	p.signal(syscall.SIGKILL)
	<-p.Ended
	if status := p.Cmd.ProcessState.Sys().(syscall.WaitStatus); status.Signal() != syscall.SIGKILL {
		p.t.Fatalf("the child has ended by itself: %v\n%s", p.Cmd.ProcessState, &p.Stderr)
	}
}

// stop asks the process to end, and checks that it does so properly.
func (p *process) stop() {
	p.t.Helper()
	p.signal(syscall.SIGTERM)
	waitFor(p.t, patience, "the child to end", func() bool {
		select {
		case <-p.Ended:
			return true
		default:
			return false
		}
	})
	if !p.Cmd.ProcessState.Success() {
		p.t.Errorf("after SIGTERM: %v\n%s", p.Cmd.ProcessState, &p.Stderr)
	}
}

// tell gives the process a command: see obey.
func (p *process) tell(command string) {
	p.t.Helper()
	if _, err := io.WriteString(p.Stdin, command+"\n"); err != nil {
		p.t.Fatal(err)
	}
}
