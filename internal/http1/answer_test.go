package http1_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ringback-dev/ringback/internal/http1"
)

const ok = "HTTP/1.1 200 OK\r\n"

// Each answer is given to two requests: the second shows whether the connection is used
// again.
func TestAnswers(t *testing.T) {
	large := strings.Repeat("x", 5000)
	for _, test := range []struct {
		name, answer string
		status       int
		body         string
		reused       bool
	}{
		{"length", ok + "Content-Length: 3\r\n\r\nabc", 200, "abc", true},
		{"no body", ok + "Content-Length: 0\r\n\r\n", 200, "", true},
		{"no reason", "HTTP/1.1 200\r\nContent-Length: 3\r\n\r\nabc", 200, "abc", true},
		{"line feeds", "HTTP/1.1 200 OK\ncontent-length:3\n\nabc", 200, "abc", true},
		{"large fields", ok + "X: " + large + "\r\nContent-Length: 3\r\nY: " + large + large + "\r\n\r\nabc", 200, "abc", true},
		{"folded length", ok + "Content-Length:\r\n 3 \r\nX: a\r\n\tb\r\n\r\nabc", 200, "abc", true},
		{"longer than the snippet", ok + "Content-Length: 3000\r\n\r\n" + large[:3000], 200, large[:1024], true},
		{"as long as may be read", ok + "Content-Length: 4096\r\n\r\n" + large[:4096], 200, large[:1024], true},
		{"too long", ok + "Content-Length: 4097\r\n\r\n" + large[:4097], 200, large[:1024], false},
		{"a later version", "HTTP/1.2 200 OK\r\nContent-Length: 3\r\n\r\nabc", 200, "abc", true},

		{"chunked", ok + "Transfer-Encoding: Chunked\r\n\r\n1\r\na\r\n0A\r\nbcdefghijk\r\n0\r\n\r\n", 200, "abcdefghijk", true},
		{"chunk extensions", ok + "Transfer-Encoding: chunked\r\n\r\n3 ;a=b;c=\"d\"\r\nabc\r\n0;e\r\n\r\n", 200, "abc", true},
		{"trailer", ok + "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nRetry-After: 5\r\nX: y\r\n\r\n", 200, "abc", true},
		{"bad trailer", ok + "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nHm\r\n\r\n", 200, "abc", false},
		{"large chunk", ok + "Transfer-Encoding: chunked\r\n\r\n1000\r\n" + large[:4096] + "\r\n0\r\n\r\n", 200, large[:1024], true},
		{"too large chunk", ok + "Transfer-Encoding: chunked\r\n\r\n1001\r\n" + large[:4097] + "\r\n0\r\n\r\n", 200, large[:1024], false},
		{"giant chunk", ok + "Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n" + large, 200, large[:1024], false},
		{"chunk size overflows", ok + "Transfer-Encoding: chunked\r\n\r\n10000000000000003\r\nabc\r\n0\r\n\r\n", 200, "", false},
		{"chunk size is none", ok + "Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n-3\r\nabc\r\n0\r\n\r\n", 200, "a", false},
		{"chunk size is empty", ok + "Transfer-Encoding: chunked\r\n\r\n\r\nabc\r\n0\r\n\r\n", 200, "", false},
		{"chunk line feeds", ok + "Transfer-Encoding: chunked\r\n\r\n3\nabc\n0\n\n", 200, "", false},
		{"chunk too short", ok + "Transfer-Encoding: chunked\r\n\r\n2\r\nabc\r\n0\r\n\r\n", 200, "ab", false},
		{"chunk extension too large", ok + "Transfer-Encoding: chunked\r\n\r\n3;" + strings.Repeat("e", 70<<10) + "\r\nabc\r\n0\r\n\r\n", 200, "", false},
		{"trailer too large", ok + "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n" + strings.Repeat("X: y\r\n", 12<<10) + "\r\n", 200, "abc", false},

		{"204", "HTTP/1.1 204 No Content\r\n\r\n", 204, "", true},
		{"304", "HTTP/1.1 304 Not Modified\r\n\r\n", 304, "", true},
		{"204 of length 0", "HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n", 204, "", true},
		{"204 with a body", "HTTP/1.1 204 No Content\r\nContent-Length: 3\r\n\r\n", 204, "", false},
		{"204 chunked", "HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 204, "", false},
		{"bytes after a 204", "HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 500 Stale\r\nContent-Length: 0\r\n\r\n", 204, "", false},
		{"bytes after the length", ok + "Content-Length: 3\r\n\r\nabcHTTP/1.1 500 Stale\r\n\r\n", 200, "abc", false},
		{"bytes after the chunks", ok + "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n\r\n", 200, "abc", false},

		{"interim answers", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nContent-Length: 7\r\n\r\n" + ok + "Content-Length: 3\r\n\r\nabc", 200, "abc", true},
		{"101", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nContent-Length: 3\r\n\r\nabc", 101, "", false},
		{"000", "HTTP/1.1 000 Hm\r\nContent-Length: 0\r\n\r\n", 0, "", true},
		{"099", "HTTP/1.1 099 Hm\r\nContent-Length: 0\r\n\r\n", 99, "", true},
		{"600", "HTTP/1.1 600 Hm\r\nContent-Length: 0\r\n\r\n", 600, "", true},
		{"999", "HTTP/1.1 999 Hm\r\nContent-Length: 0\r\n\r\n", 999, "", true},
		{"redirect", "HTTP/1.1 307 Temporary Redirect\r\nLocation: /again\r\nContent-Length: 0\r\n\r\n", 307, "", true},

		{"same length twice", ok + "Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc", 200, "abc", false},
		{"two lengths", ok + "Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd", 200, "", false},
		{"a list of lengths", ok + "Content-Length: 3, 3\r\n\r\nabc", 200, "", false},
		{"negative length", ok + "Content-Length: -3\r\n\r\nabc", 200, "", false},
		{"signed length", ok + "Content-Length: +3\r\n\r\nabc", 200, "", false},
		{"empty length", ok + "Content-Length:\r\n\r\nabc", 200, "", false},
		{"length overflows", ok + "Content-Length: 18446744073709551619\r\n\r\nabc", 200, "", false},
		{"space after the name", ok + "Content-Length: 3\r\nX : a\r\n\r\nabc", 200, "abc", false},
		{"length and chunked", ok + "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n", 200, "a", false},
		{"unknown coding", ok + "Transfer-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc", 200, "", false},
		{"several codings", ok + "Transfer-Encoding: gzip, chunked\r\n\r\n1\r\na\r\n0\r\n\r\n", 200, "", false},
		{"chunked twice", ok + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n", 200, "", false},
		{"HTTP/1.0 chunked", "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n", 200, "", false},

		{"close", ok + "Connection: close\r\nContent-Length: 3\r\n\r\nabc", 200, "abc", false},
		{"close among others", ok + "Connection: x, Close\r\nContent-Length: 3\r\n\r\nabc", 200, "abc", false},
		{"close in another line", ok + "Connection: keep-alive\r\nConnection: close\r\nContent-Length: 3\r\n\r\nabc", 200, "abc", false},
		{"keep-alive", ok + "Connection: keep-alive\r\nContent-Length: 3\r\n\r\nabc", 200, "abc", true},
		{"HTTP/1.0", "HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nabc", 200, "abc", false},
		{"HTTP/1.0 keep-alive", "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 3\r\n\r\nabc", 200, "abc", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := serve(t, answering(test.answer))
			c := newClient(t, http1.Options{MaxBody: 4096})
			for range 2 {
				a, err := post(t, c, s.URL, "body")
				if err != nil || a.Status != test.status || a.Body != test.body || a.RetryAfter != "" {
					t.Fatalf("%+v, %v; want %d, %q", a, err, test.status, test.body)
				}
			}
			if n := s.Accepted.Load(); (n == 1) != test.reused {
				t.Errorf("%d connections for two requests, reused should be %v", n, test.reused)
			}
		})
	}
}

// A body that does not end well costs the connection, not the answer.
func TestBodiesThatFail(t *testing.T) {
	for _, test := range []struct {
		name, answer string
		end          func(c net.Conn) // what follows
		body         string
	}{
		{"ends with the connection", ok + "\r\nabc", nil, "abc"},
		{"length and the connection", ok + "Content-Length: 10\r\n\r\nabc", nil, "abc"},
		{"chunk and the connection", ok + "Transfer-Encoding: chunked\r\n\r\n5\r\nabc", nil, "abc"},
		{"stalls", ok + "Content-Length: 10\r\n\r\nabc", stall, "abc"},
		{"stalls between chunks", ok + "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", stall, "abc"},
		{"stalls without a length", ok + "\r\nabc", stall, "abc"},
		{"never ends", ok + "\r\n", func(c net.Conn) {
			for write(c, strings.Repeat("a", 1<<10)) == nil {
			}
		}, strings.Repeat("a", 1024)},
		{"drips", ok + "Content-Length: 100000\r\n\r\n" + strings.Repeat("a", 1024), func(c net.Conn) {
			for write(c, "a") == nil {
				<-time.After(5 * time.Millisecond)
			}
		}, strings.Repeat("a", 1024)},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := serve(t, func(c net.Conn) {
				readRequest(bufio.NewReader(c))
				write(c, test.answer)
				if test.end != nil {
					test.end(c)
				}
			})
			c := newClient(t, http1.Options{BodyTime: 100 * time.Millisecond, MaxBody: 1 << 30})
			for n := int32(1); n <= 2; n++ {
				began := time.Now()
				a, err := post(t, c, s.URL, "body")
				if err != nil || a.Status != 200 || a.Body != test.body || s.Accepted.Load() != n {
					t.Errorf("%+v, %v, %d connections; want %q", a, err, s.Accepted.Load(), test.body)
				}
				if d := time.Since(began); d > 10*time.Second {
					t.Errorf("took %v", d)
				}
			}
		})
	}
}

// stall waits until the client closes the connection.
func stall(c net.Conn) { io.Copy(io.Discard, c) }

// readSignal tells when its connection has been read from.
type readSignal struct {
	net.Conn
	read chan struct{}
}

func (r *readSignal) Read(p []byte) (int, error) {
	n, err := r.Conn.Read(p)
	if n > 0 {
		r.read <- struct{}{}
	}
	return n, err
}

func TestResetAmidTheBody(t *testing.T) {
	read := make(chan struct{}, 10)
	s := serve(t, func(c net.Conn) {
		readRequest(bufio.NewReader(c))
		write(c, ok+"Content-Length: 100\r\n\r\nabc")
		<-read
		c.(*net.TCPConn).SetLinger(0)
	})
	c := newClient(t, http1.Options{Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
		c, err := new(net.Dialer).DialContext(ctx, network, address)
		return &readSignal{c, read}, err
	}})
	if a, err := post(t, c, s.URL, ""); err != nil || a.Status != 200 || a.Body != "abc" {
		t.Errorf("%+v, %v; want 200 and the beginning of the body", a, err)
	}
}

func TestRetryAfter(t *testing.T) {
	for header, want := range map[string]string{
		"Retry-After: 120": "120",
		"retry-after:\t Fri, 31 Dec 1999 23:59:59 GMT ":        "Fri, 31 Dec 1999 23:59:59 GMT",
		"Retry-After: 1\r\nRetry-After: 2":                     "1",
		"Retry-After: Fri, 31 Dec\r\n  1999 23:59:59\r\n\tGMT": "Fri, 31 Dec 1999 23:59:59 GMT",
		"X-Retry-After: 120":                                   "",
	} {
		s := serve(t, answering("HTTP/1.1 103 Hints\r\nRetry-After: 7\r\n\r\nHTTP/1.1 503 Busy\r\n"+header+"\r\nContent-Length: 0\r\n\r\n"))
		if a := mustPost(t, newClient(t, http1.Options{}), s.URL); a.Status != 503 || a.RetryAfter != want {
			t.Errorf("%q: %+v, want %q", header, a, want)
		}
	}
}

func TestNoAnswer(t *testing.T) {
	const marker = "RECEIVER"
	flood := func(c net.Conn, text string) {
		for write(c, text) == nil {
		}
	}
	for _, test := range []struct {
		name   string
		handle func(c net.Conn)
		want   []error // one of them
	}{
		{"another protocol", says("SSH-2.0-" + marker + "\r\n"), []error{http1.ErrMalformed}},
		{"leading space", says(" HTTP/1.1 200 " + marker + "\r\n\r\n"), []error{http1.ErrMalformed}},
		{"leading line", says("\r\nHTTP/1.1 200 " + marker + "\r\n\r\n"), []error{http1.ErrMalformed}},
		{"HTTP/2.0", says("HTTP/2.0 200 " + marker + "\r\n\r\n"), []error{http1.ErrMalformed}},
		{"lower case", says("http/1.1 200 " + marker + "\r\n\r\n"), []error{http1.ErrMalformed}},
		{"two digits", says("HTTP/1.1 20 " + marker + "\r\n\r\n"), []error{http1.ErrMalformed}},
		{"four digits", says("HTTP/1.1 2000 " + marker + "\r\n\r\n"), []error{http1.ErrMalformed}},
		{"signed status", says("HTTP/1.1 +20 " + marker + "\r\n\r\n"), []error{http1.ErrMalformed}},
		{"two spaces", says("HTTP/1.1  200 " + marker + "\r\n\r\n"), []error{http1.ErrMalformed}},
		{"no status", says("HTTP/1.1\r\n\r\n"), []error{http1.ErrMalformed}},
		{"no colon", says(ok + marker + "\r\n\r\n"), []error{http1.ErrMalformed}},
		{"no name", says(ok + ": " + marker + "\r\n\r\n"), []error{http1.ErrMalformed}},
		{"bad name", says(ok + marker + "\x01: a\r\n\r\n"), []error{http1.ErrMalformed}},
		{"bad value", says(ok + marker + ": a\x00\r\n\r\n"), []error{http1.ErrMalformed}},
		{"CR in a value", says(ok + marker + ": a\rb\r\n\r\n"), []error{http1.ErrMalformed}},
		{"folded first line", says(ok + " " + marker + ": a\r\n\r\n"), []error{http1.ErrMalformed}},
		{"bad folded line", says(ok + "a: b\r\n " + marker + "\x00\r\n\r\n"), []error{http1.ErrMalformed}},
		{"bad answer after an interim one", says("HTTP/1.1 100 Continue\r\n\r\n" + marker + "\r\n"), []error{http1.ErrMalformed}},

		{"long status line", says("HTTP/1.1 200 " + strings.Repeat(marker, 1<<16)), []error{http1.ErrHeaderTooLarge}},
		{"long field", says(ok + marker + ": " + strings.Repeat("a", 1<<20)), []error{http1.ErrHeaderTooLarge}},
		{"many fields", func(c net.Conn) { write(c, ok); flood(c, marker+": a\r\n") }, []error{http1.ErrHeaderTooLarge}},
		{"interim answers for ever", func(c net.Conn) { flood(c, "HTTP/1.1 103 "+marker+"\r\nLink: a\r\n\r\n") }, []error{http1.ErrHeaderTooLarge}},

		{"closes", func(net.Conn) {}, []error{io.ErrUnexpectedEOF}},
		{"closes in the status line", says("HTTP/1.1 200 " + marker), []error{io.ErrUnexpectedEOF}},
		{"closes in the header", says(ok + marker + ": a\r\n"), []error{io.ErrUnexpectedEOF}},
		{"closes after an interim answer", says("HTTP/1.1 100 Continue\r\n\r\n"), []error{io.ErrUnexpectedEOF}},
		{"resets", func(c net.Conn) { c.(*net.TCPConn).SetLinger(0) }, []error{syscall.ECONNRESET, io.ErrUnexpectedEOF}},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := serve(t, func(c net.Conn) {
				readRequest(bufio.NewReader(c))
				test.handle(c)
			})
			a, err := post(t, newClient(t, http1.Options{}), s.URL, "body")
			found := false
			for _, want := range test.want {
				found = found || errors.Is(err, want)
			}
			if !found || a.Status != 0 || a.Body != "" {
				t.Errorf("%+v, %v; want %v", a, err, test.want)
			}
			if err != nil && strings.Contains(err.Error(), marker) {
				t.Errorf("the error quotes the receiver: %v", err)
			}
			if n := s.Accepted.Load(); n != 1 {
				t.Errorf("%d connections", n)
			}
		})
	}
}

// says returns a handler that sends a text and closes the connection.
func says(text string) func(net.Conn) {
	return func(c net.Conn) { write(c, text) }
}
