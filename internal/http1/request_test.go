package http1_test

import (
	"bufio"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/ringback-dev/ringback/internal/http1"
)

// written makes a request, whatever the host, and returns the address that was dialled
// and the bytes that were sent there in one write.
func written(t *testing.T, target *http1.Target, fields []http1.Field, body string) (address, request string) {
	t.Helper()
	s := serve(t, answering(ok+"Content-Length: 0\r\n\r\n"))
	writes := make(chan string, 10)
	c := newClient(t, http1.Options{Dial: func(ctx context.Context, network, a string) (net.Conn, error) {
		if network != "tcp" {
			t.Errorf("network %q", network)
		}
		address = a
		c, err := new(net.Dialer).DialContext(ctx, network, s.URL.Host)
		return &writeSignal{c, writes}, err
	}})
	if _, err := c.Post(t.Context(), target, fields, []byte(body)); err != nil {
		t.Fatal(err)
	}
	if request = <-writes; len(writes) > 0 {
		t.Errorf("sent with %d more writes", len(writes))
	}
	return address, request
}

// writeSignal tells what is written to its connection.
type writeSignal struct {
	net.Conn
	writes chan<- string
}

func (w *writeSignal) Write(p []byte) (int, error) {
	w.writes <- string(p)
	return w.Conn.Write(p)
}

func TestRequestIsWritten(t *testing.T) {
	target := to(mustParse("http://receiver.example/a%20b/ü?c=d&e"),
		http1.Field{Name: "X-Two", Value: "a"}, http1.Field{Name: "Content-Type", Value: "text/plain"})
	fields := []http1.Field{{Name: "webhook-id", Value: "1"}, {Name: "X-Two", Value: "b\tc"}, {Name: "X-Empty"}}
	const want = "POST /a%20b/%C3%BC?c=d&e HTTP/1.1\r\nHost: receiver.example\r\n" +
		"X-Two: a\r\nContent-Type: text/plain\r\nwebhook-id: 1\r\nX-Two: b\tc\r\nX-Empty: \r\n" +
		"Content-Length: 4\r\n\r\nbody"
	if _, got := written(t, target, fields, "body"); got != want {
		t.Errorf("written:\n%q, want\n%q", got, want)
	}
	if got, err := target.AppendRequest([]byte("before "), fields, []byte("body")); err != nil || string(got) != "before "+want {
		t.Errorf("appended: %q, %v", got, err)
	}
	if _, got := written(t, to(mustParse("http://receiver.example")), nil, ""); got !=
		"POST / HTTP/1.1\r\nHost: receiver.example\r\nContent-Length: 0\r\n\r\n" {
		t.Errorf("written: %q", got)
	}
}

// One target serves many requests at the same time, each with its own fields.
func TestTargetIsShared(t *testing.T) {
	target := to(mustParse("http://receiver.example/"), http1.Field{Name: "X", Value: strings.Repeat("a", 100)})
	var group sync.WaitGroup
	for i := range 8 {
		group.Go(func() {
			value := strconv.Itoa(i)
			for range 100 {
				got, err := target.AppendRequest(nil, []http1.Field{{Name: "Y", Value: value}}, []byte(value))
				if err != nil || !strings.HasSuffix(string(got), "\r\nY: "+value+"\r\nContent-Length: 1\r\n\r\n"+value) {
					t.Errorf("%q, %v", got, err)
				}
			}
		})
	}
	group.Wait()
}

func TestHosts(t *testing.T) {
	for raw, want := range map[string][2]string{
		"http://receiver.example/":         {"receiver.example:80", "receiver.example"},
		"http://receiver.example:80/":      {"receiver.example:80", "receiver.example:80"},
		"http://Receiver.example:8080/":    {"Receiver.example:8080", "Receiver.example:8080"},
		"http://receiver.example:/":        {"receiver.example:80", "receiver.example"},
		"http://receiver.example./":        {"receiver.example.:80", "receiver.example."},
		"http://name:secret@example.com/":  {"example.com:80", "example.com"},
		"http://192.0.2.1/":                {"192.0.2.1:80", "192.0.2.1"},
		"http://[2001:db8::1]/":            {"[2001:db8::1]:80", "[2001:db8::1]"},
		"http://[2001:db8::1]:8080/":       {"[2001:db8::1]:8080", "[2001:db8::1]:8080"},
		"http://bücher.example/":           {"xn--bcher-kva.example:80", "xn--bcher-kva.example"},
		"http://BÜCHER.example:8080/":      {"xn--bcher-kva.example:8080", "xn--bcher-kva.example:8080"},
		"http://b%C3%BCcher.example/":      {"xn--bcher-kva.example:80", "xn--bcher-kva.example"},
		"http://example.com/?name:secret@": {"example.com:80", "example.com"},
	} {
		address, request := written(t, to(mustParse(raw)), nil, "")
		_, field, _ := strings.Cut(request, "\r\nHost: ")
		field, _, _ = strings.Cut(field, "\r\n")
		if address != want[0] || field != want[1] {
			t.Errorf("%s: dialled %q for %q, want %q", raw, address, field, want)
		}
		if strings.Contains(strings.TrimPrefix(request, "POST /?name:secret@"), "secret") {
			t.Errorf("%s: %q", raw, request)
		}
	}
}

// What would change the request's meaning is refused before anything is dialled.
func TestRequestIsRefused(t *testing.T) {
	for _, u := range []*url.URL{
		{},
		{Scheme: "ftp", Host: "a", Path: "/"},
		{Scheme: "HTTP", Host: "a", Path: "/"},
		{Scheme: "http", Path: "/"},
		{Scheme: "http", Host: ":80", Path: "/"},
		{Scheme: "http", Opaque: "a"},
		{Scheme: "http", Opaque: "//a/b", Host: "a"},
		{Scheme: "http", Host: "a b", Path: "/"},
		{Scheme: "http", Host: "a\r\nX: y", Path: "/"},
		{Scheme: "http", Host: "[fe80::1%eth0]", Path: "/"},
		{Scheme: "http", Host: "a/b", Path: "/"},
		{Scheme: "http", Host: "a@b", Path: "/"},
		{Scheme: "http", Host: "ü\r\n", Path: "/"},
		{Scheme: "http", Host: "\xff", Path: "/"},
		{Scheme: "http", Host: "a", Path: "b"},
		{Scheme: "http", Host: "a", Path: "/", RawQuery: "a b"},
		{Scheme: "http", Host: "a", Path: "/", RawQuery: "a HTTP/1.1\r\nX: y"},
		{Scheme: "http", Host: "a", Path: "/", RawQuery: "\x7f"},
	} {
		if target, err := http1.NewTarget(u); !errors.Is(err, http1.ErrRequest) || target != nil {
			t.Errorf("%#v: %v", u, err)
		}
	}
	c := newClient(t, http1.Options{Dial: func(context.Context, string, string) (net.Conn, error) {
		t.Error("was dialled")
		return nil, errors.New("dialled")
	}})
	u := mustParse("http://a/")
	for name, value := range map[string]string{
		"": "a", "X Y": "a", "X:": "a", "X\r\n": "a", "Ü": "a",
		"A": "secret\r\nX: y", "B": "secret\n", "C": "secret\x00", "D": "secret\x7f",
		"Host": "a", "content-length": "1", "TRANSFER-ENCODING": "chunked", "Connection": "close", "Expect": "100-continue",
		"Upgrade": "h2c",
	} {
		field := http1.Field{Name: name, Value: value}
		_, err := c.Post(t.Context(), to(u), []http1.Field{field}, nil)
		_, ofTarget := http1.NewTarget(u, field)
		for _, err := range []error{err, ofTarget} {
			if !errors.Is(err, http1.ErrRequest) || strings.Contains(err.Error(), "secret") {
				t.Errorf("%q: %q: %v", name, value, err)
			}
		}
	}
}

// A large request arrives whole, and its connection is used again.
func TestLargeRequest(t *testing.T) {
	sums := make(chan [32]byte, 1)
	s := serve(t, func(c net.Conn) {
		r := bufio.NewReader(c)
		for request := readRequest(r); request != nil; request = readRequest(r) {
			body, _ := io.ReadAll(request.Body)
			sums <- sha256.Sum256(body)
			write(c, ok+"Content-Length: 0\r\n\r\n")
		}
	})
	c := newClient(t, http1.Options{})
	for _, size := range []int{0, 1, 60 << 10, 64 << 10, 65 << 10, 8 << 20} {
		body := strings.Repeat("abcdefg", size/7+1)[:size]
		if a, err := post(t, c, s.URL, body); err != nil || a.Status != 200 {
			t.Fatalf("%d bytes: %+v, %v", size, a, err)
		}
		if <-sums != sha256.Sum256([]byte(body)) {
			t.Errorf("%d bytes did not arrive as they were", size)
		}
	}
	if n := s.Accepted.Load(); n != 1 {
		t.Errorf("%d connections", n)
	}
}

// A request that the network takes only piece by piece arrives whole, on a new connection
// and on one that was kept.
func TestSlowReader(t *testing.T) {
	bodies := make(chan string, 1)
	s := serve(t, func(c net.Conn) {
		r := bufio.NewReader(c)
		for {
			<-time.After(20 * time.Millisecond) // until nothing more can be sent
			request := readRequest(r)
			if request == nil {
				return
			}
			body, _ := io.ReadAll(request.Body)
			bodies <- string(body)
			write(c, empty)
		}
	})
	narrow(s.listener)
	var dialled tap
	c := newClient(t, http1.Options{Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
		c, err := dialled.Dial(ctx, network, address)
		if err == nil {
			dialled.Last().SetWriteBuffer(1 << 10)
		}
		return c, err
	}})
	for n := range 3 {
		body := strings.Repeat(strconv.Itoa(n), 60<<10)
		if a, err := post(t, c, s.URL, body); err != nil || a.Status != 200 {
			t.Fatalf("%+v, %v", a, err)
		}
		if got := <-bodies; got != body {
			t.Errorf("%d bytes arrived, not as they were sent", len(got))
		}
	}
	if n := s.Accepted.Load(); n != 1 {
		t.Errorf("%d connections", n)
	}
}

// counted is a connection that sees what is written to it.
type counted struct {
	*net.TCPConn
	writes *atomic.Int32
}

func (c counted) Write(p []byte) (int, error) {
	c.writes.Add(1)
	return c.TCPConn.Write(p)
}

// What Dial wraps around a connection sees every request.
func TestWrappedConnection(t *testing.T) {
	s := serve(t, answering(empty))
	var writes atomic.Int32
	c := newClient(t, http1.Options{Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
		c, err := new(net.Dialer).DialContext(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return counted{c.(*net.TCPConn), &writes}, nil
	}})
	for range 3 {
		mustPost(t, c, s.URL)
	}
	if writes.Load() != 3 || s.Accepted.Load() != 1 {
		t.Errorf("%d requests were seen, on %d connections", writes.Load(), s.Accepted.Load())
	}
}

// An answer counts, even if it comes before the request has been read.
func TestEarlyAnswer(t *testing.T) {
	const early = "HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\n\r\nabc"
	for name, handle := range map[string]func(c net.Conn){
		"nothing is read": func(c net.Conn) {
			write(c, early)
			<-time.After(100 * time.Millisecond) // the client has to go first
		},
		"only the header is read": func(c net.Conn) {
			http.ReadRequest(bufio.NewReader(c))
			write(c, early)
			<-time.After(500 * time.Millisecond)
		},
		"large answer first": func(c net.Conn) {
			write(c, "HTTP/1.1 413 Too Large\r\n\r\nabc")
			for write(c, strings.Repeat("a", 1<<16)) == nil {
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, handle)
			c := newClient(t, http1.Options{Snippet: 3})
			began := time.Now()
			a, err := post(t, c, s.URL, strings.Repeat("a", 16<<20))
			if err != nil || a.Status != 413 || a.Body != "abc" {
				t.Errorf("%+v, %v", a, err)
			}
			if d := time.Since(began); d > 10*time.Second {
				t.Errorf("took %v", d)
			}
			if _, err := post(t, c, s.URL, ""); err != nil || s.Accepted.Load() != 2 {
				t.Errorf("afterwards: %v, %d connections", err, s.Accepted.Load())
			}
			eventually(t, "the connections are closed", func() bool { return s.Open.Load() == 0 })
		})
	}
}

// unwritable is a connection that was closed for writing after an answer had come.
type unwritable struct{ *script }

func (unwritable) Write([]byte) (int, error) { return 0, syscall.EPIPE }

func TestAnswerToUnwrittenRequest(t *testing.T) {
	for answer, want := range map[string]error{"HTTP/1.1 408 Timeout\r\n\r\n": nil, "": syscall.EPIPE, "hm\r\n": syscall.EPIPE} {
		c := newClient(t, http1.Options{Dial: func(context.Context, string, string) (net.Conn, error) {
			return unwritable{&script{left: []byte(answer), step: len(answer)}}, nil
		}})
		if a, err := post(t, c, mustParse("http://a/"), ""); !errors.Is(err, want) || want == nil && (err != nil || a.Status != 408) {
			t.Errorf("%q: %+v, %v", answer, a, err)
		}
	}
}
