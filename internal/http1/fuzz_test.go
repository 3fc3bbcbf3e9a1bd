package http1_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/ringback-dev/ringback/internal/http1"
)

// A script is a connection on which certain bytes come.
type script struct {
	net.Conn // nil: nothing else is called
	left     []byte
	step     int  // how many come at once
	open     bool // it stays open after them
	requests int
	closed   bool
}

func (s *script) Read(p []byte) (int, error) {
	switch {
	case len(s.left) > 0:
		n := copy(p, s.left[:min(s.step, len(s.left))])
		s.left = s.left[n:]
		return n, nil
	case s.open:
		return 0, os.ErrDeadlineExceeded
	}
	return 0, io.EOF
}

func (s *script) Write(p []byte) (int, error) {
	s.requests++
	return len(p), nil
}

func (s *script) Close() error {
	s.closed = true
	return nil
}

func (s *script) SetDeadline(time.Time) error     { return nil }
func (s *script) SetReadDeadline(time.Time) error { return nil }

const (
	fuzzHeader  = 8 << 10
	fuzzBody    = 2 << 10
	fuzzSnippet = 64
)

// scripted makes a request to a script, and tells whether another one would be made on
// the same connection.
func scripted(t *testing.T, answer []byte, step int, open bool) (a http1.Answer, reused bool, err error) {
	s := &script{left: answer, step: step, open: open}
	dialled := 0
	c := http1.New(http1.Options{
		MaxHeader: fuzzHeader, MaxBody: fuzzBody, Snippet: fuzzSnippet,
		Dial: func(context.Context, string, string) (net.Conn, error) {
			if dialled++; dialled > 1 {
				return nil, errors.New("one is enough")
			}
			return s, nil
		},
	})
	target := to(mustParse("http://a/"))
	a, err = c.Post(t.Context(), target, nil, nil)
	read := len(answer) - len(s.left)
	if read > 2*fuzzHeader+fuzzBody+4<<10 {
		t.Errorf("%d bytes were read", read)
	}
	if len(a.Body) > fuzzSnippet || err != nil && a != (http1.Answer{}) {
		t.Errorf("%+v with error %v", a, err)
	}
	if s.requests != 1 {
		t.Errorf("the request was sent %d times", s.requests)
	}
	left := len(s.left)
	c.Post(t.Context(), target, nil, nil)
	if reused = s.requests > 1; reused && (left > 0 || !open || err != nil) {
		t.Errorf("reused after %v, with %d bytes left, open: %v", err, left, open)
	}
	c.CloseIdle()
	if !s.closed {
		t.Error("the connection was not closed")
	}
	return a, reused, err
}

// reference reads the final answer as net/http does.
func reference(answer []byte) (r *http.Response, body []byte, clean bool, err error) {
	buffered := bufio.NewReader(bytes.NewReader(answer))
	for r == nil || r.StatusCode/100 == 1 && r.StatusCode != http.StatusSwitchingProtocols {
		if r, err = http.ReadResponse(buffered, &http.Request{Method: http.MethodPost}); err != nil {
			return nil, nil, false, err
		}
	}
	body, err = io.ReadAll(r.Body)
	_, after := buffered.ReadByte()
	return r, body, err == nil && after == io.EOF && !r.Close, nil
}

var (
	coding = regexp.MustCompile(`(?i)\nTransfer-Encoding:`)
	giant  = regexp.MustCompile(`\n[0-9A-Fa-f]{16}`)
	blank  = regexp.MustCompile(`[0-9A-Fa-f][ \t]+;`)
)

// FuzzAnswer: whatever comes, and in whatever pieces, limits are kept, no connection is
// used again that is not clean, and what net/http accepts too is read alike.
func FuzzAnswer(f *testing.F) {
	for _, seed := range []string{
		ok + "Content-Length: 3\r\n\r\nabc",
		ok + "Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc",
		ok + "Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
		ok + "Content-Length: +3\r\nX : a\r\n\r\nabc",
		ok + "Content-Length: 9223372036854775807\r\n\r\nabc",
		ok + "Content-Length: 18446744073709551619\r\n\r\nabc",
		ok + "Content-Length:\r\n 3\r\nConnection: a,\r\n\tclose\r\n\r\nabc",
		ok + "Content-Length: 2049\r\n\r\n" + strings.Repeat("a", 2049),
		ok + "Transfer-Encoding: chunked\r\n\r\n3;a=b\r\nabc\r\n0\r\nX: y\r\n\r\n",
		ok + "Transfer-Encoding: chunked\r\n\r\n3 ;a\r\nabc\r\n00000000000000000\r\n\r\n",
		ok + "Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\nabc",
		ok + "Transfer-Encoding: chunked\r\n\r\n7fffffffffffffff\r\nabc",
		ok + "Transfer-Encoding: chunked\r\n\r\n3\nabc\n0\n\n",
		ok + "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n1\r\na\r\n0\r\n\r\nb",
		ok + "Transfer-Encoding: gzip, chunked\r\n\r\n1\r\na\r\n0\r\n\r\n",
		ok + "Transfer-Encoding: chunked\r\n\r\n1;" + strings.Repeat("a", 9<<10) + "\r\na\r\n0\r\n\r\n",
		"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n",
		ok + "\r\nabc",
		ok + "Connection: close\r\nContent-Length: 0\r\n\r\n",
		"HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
		"HTTP/1.1 204 No Content\r\nContent-Length: 3\r\n\r\nabc",
		"HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\nLink: a\n\n" + ok + "Content-Length: 0\r\n\r\n",
		"HTTP/1.1 101 Switching Protocols\r\nUpgrade: a\r\n\r\nabc",
		"HTTP/1.1 099 Hm\r\nContent-Length: 0\r\n\r\n",
		"HTTP/1.2 999\r\nContent-Length: 0\r\n\r\n",
		"HTTP/1.1 +20 OK\r\n\r\n",
		"HTTP/1.1 503 Busy\r\nRetry-After: Fri, 31 Dec\r\n  1999 23:59:59 GMT\r\nRetry-After: 5\r\nContent-Length: 0\r\n\r\n",
		ok + "A: " + strings.Repeat("a", 5<<10) + "\r\nContent-Length: 1\r\n\r\na",
		ok + "A: " + strings.Repeat("a", 9<<10) + "\r\n\r\n",
		ok + " A: b\r\n\r\n",
		ok + "A: b\x00\r\n\r\n",
		"SSH-2.0-OpenSSH_9.2\r\n",
		"HTTP/2.0 200 OK\r\n\r\n",
		"",
	} {
		f.Add([]byte(seed), true)
		f.Add([]byte(seed), false)
	}
	f.Fuzz(func(t *testing.T, answer []byte, open bool) {
		a, reused, err := scripted(t, answer, len(answer)+1, open)
		pieces, piecesReused, piecesErr := scripted(t, answer, 1, open)
		if pieces.Status != a.Status || pieces.RetryAfter != a.RetryAfter || pieces.Body != a.Body ||
			piecesReused != reused || !errors.Is(piecesErr, errors.Unwrap(err)) && piecesErr != err {
			t.Errorf("%+v, %v, %v; in pieces %+v, %v, %v", a, reused, err, pieces, piecesReused, piecesErr)
		}
		if err != nil {
			if !errors.Is(err, http1.ErrMalformed) && !errors.Is(err, http1.ErrHeaderTooLarge) &&
				!errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("error %v", err)
			}
			return
		}
		r, body, clean, refused := reference(answer)
		if refused != nil {
			return // it refuses what frames a body badly; here, the status counts
		}
		if a.Status != r.StatusCode {
			t.Errorf("status %d, net/http reads %d", a.Status, r.StatusCode)
		}
		retryAfter := ""
		for _, value := range r.Header.Values("Retry-After") {
			if retryAfter = strings.Trim(value, " \t"); retryAfter != "" {
				break
			}
		}
		if a.RetryAfter != retryAfter {
			t.Errorf("Retry-After %q, net/http reads %q", a.RetryAfter, retryAfter)
		}
		switch {
		case r.StatusCode == http.StatusSwitchingProtocols:
			body, clean = nil, false // what follows is not HTTP
		case r.ProtoMinor == 0 && coding.Match(answer):
			return // RFC 9112, 6.1: that is faulty; net/http ignores the field
		case giant.Match(answer):
			return // net/http calculates with twice the size of a chunk, which overflows
		case blank.Match(answer), len(answer) > 4<<10:
			// RFC 9112, 7.1.1: a blank before an extension is to be ignored; net/http
			// does not. Limits on what is not data differ, too.
			return
		}
		if want := string(body[:min(len(body), fuzzSnippet)]); a.Body != want {
			t.Errorf("body %q, net/http reads %q", a.Body, want)
		}
		if reused && !clean {
			t.Error("reused, net/http would not")
		}
	})
}
