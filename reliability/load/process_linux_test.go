package load_test

import (
	"testing"

	"github.com/ringback-dev/ringback/reliability/internal/child"
)

// A process is a child that runs an engine: see config.
type process struct {
	*child.Process
	t *testing.T
}

// start starts a child. It ends with the test at the latest.
func start(t *testing.T, c config) *process {
	t.Helper()
	return &process{child.Start(t, childVariable, c), t}
}

// await waits until the process has said so many lines that begin with a word, and
// returns them.
func (p *process) await(word string, lines int) []string {
	p.t.Helper()
	waitFor(p.t, "the child to say "+word, func() bool {
		if len(p.Heard(word)) >= lines {
			return true
		}
		p.Running(p.t)
		return false
	})
	return p.Heard(word)
}

// stop ends the process and returns its peak memory, in bytes.
func (p *process) stop() int64 {
	p.t.Helper()
	p.Stdin.Close()
	peak := parse(p.t, p.await("peak", 1)[0]) << 10
	waitFor(p.t, "the child to end", func() bool {
		select {
		case <-p.Ended:
			return true
		default:
			return false
		}
	})
	if !p.Cmd.ProcessState.Success() {
		p.t.Errorf("the child: %v\n%s", p.Cmd.ProcessState, &p.Stderr)
	}
	return peak
}
