package http1_test

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"log"
	"net"
	"net/http"
	"net/url"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ringback-dev/ringback/internal/http1"
	"github.com/ringback-dev/ringback/internal/leaktest"
)

// Nothing may be logged, whatever a receiver sends.
func TestMain(m *testing.M) {
	var logged lockedBuffer
	log.SetOutput(&logged)
	code := leaktest.Run(m)
	if text := logged.String(); text != "" {
		os.Stderr.WriteString("FAIL: was logged: " + text)
		code = 1
	}
	os.Exit(code)
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// A server handles raw connections.
type server struct {
	URL      *url.URL
	Accepted atomic.Int32 // connections so far
	Open     atomic.Int32 // connections now
	listener net.Listener
	conns    sync.WaitGroup
}

// serve starts a server that gives every connection to handle, and closes it after.
func serve(t testing.TB, handle func(c net.Conn)) *server {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &server{listener: listener, URL: mustParse("http://" + listener.Addr().String() + "/")}
	s.conns.Go(func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			s.Accepted.Add(1)
			s.Open.Add(1)
			c.SetDeadline(time.Now().Add(20 * time.Second))
			s.conns.Go(func() {
				defer s.Open.Add(-1)
				defer c.Close()
				handle(c)
			})
		}
	})
	t.Cleanup(s.Close)
	return s
}

// Close waits until the client has closed its connections too.
func (s *server) Close() {
	s.listener.Close()
	s.conns.Wait()
}

// answering returns a handler that answers every request with the same bytes.
func answering(answer string) func(net.Conn) {
	return func(c net.Conn) {
		for r := bufio.NewReader(c); readRequest(r) != nil; {
			if write(c, answer) != nil {
				return
			}
		}
	}
}

// readRequest reads a request with its body, and returns nil if there is none.
func readRequest(r *bufio.Reader) *http.Request {
	request, err := http.ReadRequest(r)
	if err != nil {
		return nil
	}
	body, err := io.ReadAll(request.Body)
	if err != nil {
		return nil
	}
	request.Body = io.NopCloser(bytes.NewReader(body))
	return request
}

// write sends raw bytes; whether the client still listens is its own business.
func write(c net.Conn, text string) error {
	_, err := io.WriteString(c, text)
	return err
}

func mustParse(raw string) *url.URL {
	u, err := url.Parse(raw)
	if err != nil {
		panic(err)
	}
	return u
}

// to returns the target of a URL that can be sent to.
func to(u *url.URL, fields ...http1.Field) *http1.Target {
	target, err := http1.NewTarget(u, fields...)
	if err != nil {
		panic(err)
	}
	return target
}

// newClient returns a client that leaves nothing behind.
func newClient(t testing.TB, o http1.Options) *http1.Client {
	c := http1.New(o)
	t.Cleanup(c.CloseIdle)
	return c
}

// post makes a request that has plenty of time.
func post(t testing.TB, c *http1.Client, u *url.URL, body string) (http1.Answer, error) {
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	return c.Post(ctx, to(u), []http1.Field{{Name: "X-Test", Value: "a"}}, []byte(body))
}

// mustPost makes a request that has to be answered.
func mustPost(t testing.TB, c *http1.Client, u *url.URL) http1.Answer {
	t.Helper()
	a, err := post(t, c, u, "body")
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// eventually waits for a condition that is met soon.
func eventually(t testing.TB, what string, condition func() bool) {
	t.Helper()
	late := time.After(15 * time.Second)
	for !condition() {
		select {
		case <-time.After(time.Millisecond):
		case <-late:
			t.Fatalf("not within 15 s: %s", what)
		}
	}
}
