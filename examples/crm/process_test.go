package main_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ringback-dev/ringback/internal/leaktest"
)

// patience bounds every wait. Nothing here takes that long unless it is broken.
const patience = 30 * time.Second

// binary is the program under test. TestMain builds it.
var binary string

func TestMain(m *testing.M) { os.Exit(buildAndRun(m)) }

func buildAndRun(m *testing.M) int {
	dir, err := os.MkdirTemp("", "crm-test")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	binary = filepath.Join(dir, "crm")
	if output, err := exec.Command("go", "build", "-buildvcs=false", "-o", binary, ".").CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "%s%v\n", output, err)
		return 1
	}
	return leaktest.Run(m)
}

// A process is a running crm.
type process struct {
	t      *testing.T
	cmd    *exec.Cmd
	url    string
	client *http.Client
	stderr bytes.Buffer  // not to be read before ended is closed
	ended  chan struct{} // closed when the process has ended
}

// newFile returns the name of a database file that does not exist yet.
func newFile(t *testing.T) string {
	t.Helper()
	return filepath.Join(t.TempDir(), "test.db")
}

// start starts a crm on a database file. It ends with the test at the latest.
func start(t *testing.T, file string, flags ...string) *process {
	t.Helper()
	flags = append([]string{"-listen", "127.0.0.1:0", "-db", file, "-allow-private"}, flags...)
	p := &process{
		t:      t,
		cmd:    exec.Command(binary, flags...),
		client: &http.Client{Transport: &http.Transport{}, Timeout: patience},
		ended:  make(chan struct{}),
	}
	p.cmd.Stderr = &p.stderr
	stdout, output, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	p.cmd.Stdout = output
	err = p.cmd.Start()
	output.Close()
	if err != nil {
		stdout.Close()
		t.Fatal(err)
	}
	go func() {
		p.cmd.Wait() // its error is in ProcessState
		close(p.ended)
	}()
	t.Cleanup(func() {
		p.client.CloseIdleConnections()
		p.kill()
		stdout.Close()
	})
	stdout.SetReadDeadline(time.Now().Add(patience))
	line, err := bufio.NewReader(stdout).ReadString('\n')
	address, ok := strings.CutPrefix(line, "listening on ")
	if err != nil || !ok || !strings.HasPrefix(address, "http://127.0.0.1:") {
		p.kill()
		t.Fatalf("the first line is %q (%v); on stderr: %s", line, err, &p.stderr)
	}
	p.url = strings.TrimSuffix(address, "\n")
	return p
}

// signal sends a signal to the process, if it has not ended.
func (p *process) signal(s os.Signal) {
	p.t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil && !errors.Is(err, os.ErrProcessDone) {
		p.t.Error(err)
	}
}

// wait waits for the end of the process and returns its exit status, -1 if a signal
// ended it.
func (p *process) wait() int {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	select {
	case <-p.ended:
	case <-ctx.Done():
		p.cmd.Process.Kill()
		p.t.Fatal("the process does not end")
	}
	return p.cmd.ProcessState.ExitCode()
}

// kill ends the process as a power cut would: at once.
func (p *process) kill() {
	p.t.Helper()
	p.signal(syscall.SIGKILL)
	p.wait()
}

// stop asks the process to end and checks that it does so properly.
func (p *process) stop() {
	p.t.Helper()
	p.signal(syscall.SIGTERM)
	if code := p.wait(); code != 0 {
		p.t.Errorf("after SIGTERM the exit status is %d; on stderr: %s", code, &p.stderr)
	}
}
