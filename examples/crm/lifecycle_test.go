package main_test

import (
	"context"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// TestDrain: a process that is asked to end takes no more requests, lets the
// message in flight come to its end, and does not send it again after a restart.
func TestDrain(t *testing.T) {
	arrived, release := make(chan struct{}, 10), make(chan struct{})
	answerNow := sync.OnceFunc(func() { close(release) })
	r := newReceiver(t, func(m message) int {
		if m.path == "/slow" {
			arrived <- struct{}{}
			<-release
		}
		return 200
	})
	defer answerNow()
	file := newFile(t)
	p := start(t, file)
	p.listen("/database/788", r, "/slow", `,"action":"create"`)
	p.listen("/database/788", r, "/after", `,"action":"update"`)
	id := p.create("/database/788/profiles", `{}`)
	<-arrived
	p.signal(syscall.SIGTERM)
	refused(t, p)
	answerNow()
	if code := p.wait(); code != 0 {
		t.Errorf("exit status %d; on stderr: %s", code, &p.stderr)
	}
	if m := r.next(t); m.path != "/slow" {
		t.Errorf("unexpected message to %s", m.path)
	}

	p = start(t, file)
	p.must(200, "PUT", "/profile/"+id, `{"fields":{"n":1}}`)
	if m := r.next(t); m.path != "/after" {
		t.Errorf("unexpected message to %s: %s", m.path, m.body)
	}
	p.stop()
	r.empty(t)
}

// refused waits until the process takes no more connections.
func refused(t *testing.T, p *process) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var dialer net.Dialer
	for {
		connection, err := dialer.DialContext(ctx, "tcp", strings.TrimPrefix(p.url, "http://"))
		if ctx.Err() != nil {
			t.Fatal("the process still takes connections")
		}
		if err != nil {
			return
		}
		connection.Close()
	}
}

// TestIdleEndsAtOnce, for both signals.
func TestIdleEndsAtOnce(t *testing.T) {
	for _, signal := range []os.Signal{syscall.SIGTERM, syscall.SIGINT} {
		p := start(t, newFile(t))
		p.must(200, "GET", "/database/788/callbacks", "") // leaves an idle connection
		asked := time.Now()
		p.signal(signal)
		if code := p.wait(); code != 0 {
			t.Errorf("%v: exit status %d; on stderr: %s", signal, code, &p.stderr)
		}
		if took := time.Since(asked); took > 5*time.Second {
			t.Errorf("%v: took %v", signal, took)
		}
		if p.stderr.Len() > 0 {
			t.Errorf("on stderr: %s", &p.stderr)
		}
	}
}

// TestDeadReceiverDoesNotHoldUpTheEnd: what cannot be delivered stays in the file.
func TestDeadReceiverDoesNotHoldUpTheEnd(t *testing.T) {
	dead := newReceiverFunc(t, func(http.ResponseWriter, message) { panic(http.ErrAbortHandler) })
	r := newReceiver(t, nil)
	file := newFile(t)
	p := start(t, file, "-retry-base", "500ms")
	callback := p.listen("/database/788", dead, "/", "")
	p.listen("/database/788", r, "/witness", "")
	p.create("/database/788/profiles", `{"fields":{"n":1}}`)
	r.next(t)
	p.stop()

	p = start(t, file, "-retry-base", "50ms")
	p.must(200, "PUT", "/callback/"+callback, `{"url":"`+r.URL+`/late"}`)
	m := r.next(t)
	if m.path != "/late" || decode(t, m.body)["action"] != "create" {
		t.Errorf("message to %s: %s", m.path, m.body)
	}
}

// TestFileName: a name is a name, whatever it means in a URL.
func TestFileName(t *testing.T) {
	r := newReceiver(t, nil)
	file := filepath.Join(t.TempDir(), "100%25 odd? #1&_txlock=none.db")
	p := start(t, file)
	p.listen("/database/788", r, "", "")
	p.create("/database/788/profiles", `{}`)
	r.next(t)
	p.stop()
	if _, err := os.Stat(file); err != nil {
		t.Error(err)
	}
}

// TestTwoProcesses: two processes on one file share the work, and the order of a
// record that is changed through both is kept.
func TestTwoProcesses(t *testing.T) {
	const updates = 30
	r := newReceiver(t, nil)
	file := newFile(t)
	both := []*process{start(t, file), start(t, file)}
	both[0].listen("/database/788", r, "/", "")
	shared := both[0].create("/database/788/profiles", `{"fields":{"n":0}}`)
	for n := 1; n <= updates; n++ {
		if err := count(both[n%2], "/profile/"+shared, n, n); err != nil {
			t.Fatal(err)
		}
	}
	l := newLedger()
	for len(l.bodies) < updates+1 {
		l.add(t, r.next(t))
	}
	l.check(t, shared, updates)
	for _, p := range both {
		p.stop()
	}
	r.empty(t) // neither has sent what the other had
}

// TestCommandLine: what is wrong is said, with the usual exit status.
func TestCommandLine(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for _, row := range []struct {
		args   []string
		status int
		stderr []string
	}{
		{[]string{"-h"}, 0, []string{"-listen", `"127.0.0.1:8080"`, "-db", `"crm.db"`, "-allow-private", "-retry-base", "5s", "-conditions", `"expression"`, "-operator-token token"}},
		{[]string{"-nonsense"}, 2, []string{"-nonsense"}},
		{[]string{"-retry-base", "5"}, 2, []string{"-retry-base"}},
		{[]string{"-retry-base", "0s"}, 2, []string{"-retry-base"}},
		{[]string{"-conditions", "anything"}, 2, []string{"-conditions", `"anything"`, "use expression or script"}},
		{[]string{"-conditions", ""}, 2, []string{"-conditions"}},
		{[]string{"-conditions", "Script"}, 2, []string{"-conditions"}},
		{[]string{"-db", ""}, 2, []string{"-db"}},
		{[]string{"file.db"}, 2, []string{"file.db"}},
		{[]string{"-db", t.TempDir()}, 1, []string{"crm: "}},
		{[]string{"-db", newFile(t), "-listen", taken.Addr().String()}, 1, []string{"address already in use"}},
	} {
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		command := exec.CommandContext(ctx, binary, row.args...)
		var stderr strings.Builder
		command.Stderr = &stderr
		stdout, _ := command.Output() // the status is judged below
		cancel()
		if got := command.ProcessState.ExitCode(); got != row.status {
			t.Errorf("%v: exit status %d, want %d: %s", row.args, got, row.status, &stderr)
		}
		for _, want := range row.stderr {
			if !strings.Contains(stderr.String(), want) {
				t.Errorf("%v: no %q in %s", row.args, want, &stderr)
			}
		}
		if len(stdout) > 0 {
			t.Errorf("%v: on stdout: %s", row.args, stdout)
		}
	}
}
