package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
)

// receiverArg makes this program be the receiver, in a process of its own.
const receiverArg = "receiver"

// idHeader says which message a request carries: its number is what follows the first
// letter, up to an underscore.
const idHeader = "Webhook-Id"

// A ledger counts what has arrived.
type ledger struct {
	mu       sync.Mutex
	arrived  *sync.Cond
	seen     []bool // by number
	distinct int
	total    int
	wanted   int // when this many distinct ones are there, arrived is told
}

func (l *ledger) note(number int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.total++
	for number >= len(l.seen) {
		l.seen = append(l.seen, make([]bool, max(1024, len(l.seen)))...)
	}
	if !l.seen[number] {
		l.seen[number] = true
		l.distinct++
	}
	if l.distinct == l.wanted {
		l.arrived.Broadcast()
	}
}

// serveReceiver serves until stdin ends. It prints its address.
func serveReceiver(stdin io.Reader, stdout io.Writer) error {
	l := &ledger{}
	l.arrived = sync.NewCond(&l.mu)
	mux := http.NewServeMux()
	mux.HandleFunc("POST /hook", func(w http.ResponseWriter, r *http.Request) {
		id, _, _ := strings.Cut(r.Header.Get(idHeader), "_")
		number, err := strconv.Atoi(strings.TrimLeft(id, "abcdefghijklmnopqrstuvwxyz"))
		if _, bad := io.Copy(io.Discard, r.Body); err != nil || bad != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		l.note(number)
	})
	mux.HandleFunc("POST /reset", func(http.ResponseWriter, *http.Request) {
		l.mu.Lock()
		defer l.mu.Unlock()
		clear(l.seen)
		l.distinct, l.total = 0, 0
	})
	mux.HandleFunc("GET /wait", func(w http.ResponseWriter, r *http.Request) {
		n, _ := strconv.Atoi(r.FormValue("n"))
		defer context.AfterFunc(r.Context(), l.arrived.Broadcast)()
		l.mu.Lock()
		defer l.mu.Unlock()
		l.wanted = n
		for l.distinct < n && r.Context().Err() == nil {
			l.arrived.Wait()
		}
		fmt.Fprint(w, l.total, " ", l.distinct)
	})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := &http.Server{Handler: mux}
	go func() {
		io.Copy(io.Discard, stdin)
		server.Close()
	}()
	fmt.Fprintln(stdout, listener.Addr())
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// A receiver is the receiver's process.
type receiver struct {
	url     string
	command *exec.Cmd
	stdin   io.Closer
}

func startReceiver(ctx context.Context) (*receiver, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	command := exec.CommandContext(ctx, program, receiverArg)
	command.Stderr = os.Stderr
	stdin, err := command.StdinPipe()
	if err != nil {
		return nil, err
	}
	stdout, err := command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := command.Start(); err != nil {
		return nil, err
	}
	r := &receiver{command: command, stdin: stdin}
	address, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		r.stop()
		return nil, fmt.Errorf("the receiver does not start: %w", err)
	}
	r.url = "http://" + strings.TrimSpace(address)
	return r, nil
}

func (r *receiver) stop() {
	r.stdin.Close()
	r.command.Wait()
}

// hook is where messages go.
func (r *receiver) hook() string { return r.url + "/hook" }

func (r *receiver) reset(ctx context.Context) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, r.url+"/reset", nil)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	return response.Body.Close()
}

// wait returns when n different messages have arrived, with how many requests it took.
func (r *receiver) wait(ctx context.Context, n int) (total int, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, r.url+"/wait?n="+strconv.Itoa(n), nil)
	if err != nil {
		return 0, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	var distinct int
	if _, err := fmt.Fscan(response.Body, &total, &distinct); err != nil {
		return 0, err
	}
	if distinct != n {
		return 0, fmt.Errorf("%d of %d messages have arrived", distinct, n)
	}
	return total, nil
}

// check reports whether n messages have arrived, each once.
func (r *receiver) check(ctx context.Context, n int) error {
	total, err := r.wait(ctx, n)
	if err == nil && total != n {
		err = fmt.Errorf("%d messages have arrived in %d requests", n, total)
	}
	return err
}
