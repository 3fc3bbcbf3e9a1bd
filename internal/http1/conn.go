package http1

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"time"
)

// past is a deadline that has passed.
var past = time.Unix(1, 0)

// restTime is how long the rest of a request may take when its answer has been read
// already.
const restTime = 50 * time.Millisecond

// A conn is a connection and what is needed to use it. It belongs to one goroutine at a
// time, or to the pool.
type conn struct {
	net       net.Conn // TLS, if the origin is secure
	raw       net.Conn // what is below TLS, otherwise the same
	socket    *socket  // below that; nil where there is none
	secure    bool
	r         *bufio.Reader
	interrupt func()    // ends reads and writes, now and later
	deadline  time.Time // of the request; zero is none
	left      int       // of the bytes that may be read outside of a body's data
	room      []byte    // for a field's value, and for what is kept of a body
	one       [1]byte

	// For the pool.
	host         *host
	since        time.Time // it has been idle
	older, newer *conn     // of all that are idle
	below, above *conn     // the same, of its host's
}

var readers = sync.Pool{New: func() any { return bufio.NewReaderSize(nil, 4<<10) }}

func dial(ctx context.Context, to origin, o *Options) (*conn, error) {
	raw, err := o.Dial(ctx, "tcp", to.address())
	if err != nil {
		return nil, err
	}
	c := &conn{net: raw, raw: raw, socket: newSocket(raw), secure: to.secure}
	if to.secure {
		under := &underTLS{Conn: raw}
		config := o.TLS.Clone()
		config.ServerName = to.host
		secured := tls.Client(under, config)
		if err := secured.HandshakeContext(ctx); err != nil {
			raw.Close()
			return nil, err
		}
		c.net, c.raw = secured, under
	}
	c.interrupt = func() { c.net.SetDeadline(past) }
	c.r = readers.Get().(*bufio.Reader)
	if c.direct() {
		c.r.Reset(c.socket)
	} else {
		c.r.Reset(c.net)
	}
	return c, nil
}

// direct reports whether requests may be sent through the socket.
func (c *conn) direct() bool { return c.socket != nil && !c.secure }

// post sends a request, given in two parts of which the second may be empty, and reads
// the answer, until the deadline. It reports whether the connection can be used again.
// One that was kept it tries first: if it is not fit for use, errStale is returned and
// nothing was sent.
func (c *conn) post(ctx context.Context, deadline time.Time, kept bool, request, rest []byte, o *Options) (a Answer, reusable bool, err error) {
	direct := kept && c.direct() && len(rest) == 0 // it is tried on the way
	if kept && !direct && !c.quiet() {
		return Answer{}, false, errStale
	}
	c.deadline = deadline
	c.net.SetDeadline(deadline)
	stop := func() bool { return true }
	if ctx.Done() != nil {
		stop = context.AfterFunc(ctx, c.interrupt)
	}
	if direct {
		a, reusable, err = c.exchangeDirectly(ctx, request, o)
	} else {
		a, reusable, err = c.exchange(ctx, request, rest, o)
	}
	if !stop() {
		reusable = false // the interruption may be still to come
	}
	if err == nil {
		return a, reusable, nil
	}
	switch {
	case ctx.Err() != nil:
		err = ctx.Err()
	case errors.Is(err, os.ErrDeadlineExceeded):
		err = context.DeadlineExceeded
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		err = errClosed
	}
	return Answer{}, false, err
}

// exchangeDirectly sends a request on a connection that was kept.
func (c *conn) exchangeDirectly(ctx context.Context, request []byte, o *Options) (Answer, bool, error) {
	c.socket.request = request
	_, err := c.r.Peek(1)
	unsent := c.socket.request
	c.socket.request = nil
	switch {
	case err == errUnsent:
		return c.exchange(ctx, unsent, nil, o)
	case err != nil:
		return Answer{}, false, err
	}
	return c.readAnswer(ctx, o)
}

func (c *conn) exchange(ctx context.Context, request, rest []byte, o *Options) (Answer, bool, error) {
	if _, err := c.net.Write(request); err != nil {
		// A receiver may answer and close before it has read everything (RFC 9112, 9.5).
		c.within(ctx, o.BodyTime)
		if a, _, answered := c.readAnswer(ctx, o); answered == nil {
			return a, false, nil
		}
		return Answer{}, false, err
	}
	if len(rest) == 0 {
		return c.readAnswer(ctx, o)
	}
	// The answer to a large request can come before its end, and be larger than what
	// the network holds: it is read while the rest is being sent.
	sent := make(chan error, 1)
	go func() {
		_, err := c.net.Write(rest)
		sent <- err
	}()
	a, reusable, err := c.readAnswer(ctx, o)
	if err != nil {
		c.interrupt()
	} else {
		c.within(ctx, restTime)
	}
	if <-sent != nil {
		reusable = false
	}
	return a, reusable, err
}

// within lets reads and writes fail after d, or at the request's deadline if that is
// earlier.
func (c *conn) within(ctx context.Context, d time.Duration) {
	at := time.Now().Add(d)
	if !c.deadline.IsZero() && c.deadline.Before(at) {
		at = c.deadline
	}
	c.net.SetDeadline(at)
	if ctx.Err() != nil {
		c.interrupt() // it could have come just before
	}
}

// quiet reports whether an idle connection is open and nothing has come on it.
func (c *conn) quiet() bool {
	at := past
	if c.socket == nil {
		at = time.Now().Add(time.Millisecond)
	} else if !c.socket.quiet() {
		return false
	} else if !c.secure {
		return true
	}
	// TLS may have read more than it was asked for.
	c.net.SetReadDeadline(at)
	n, err := c.net.Read(c.one[:])
	return n == 0 && errors.Is(err, os.ErrDeadlineExceeded)
}

// close closes an idle connection.
func (c *conn) close() {
	if under, ok := c.raw.(*underTLS); ok {
		under.closing = true
	}
	c.net.Close()
	c.release()
}

// abort closes a connection in whatever state it is, at once.
func (c *conn) abort() {
	c.raw.Close()
	c.release()
}

func (c *conn) release() {
	c.r.Reset(nil)
	readers.Put(c.r)
	c.r = nil
}

// underTLS is the connection below TLS. To send its last alert, crypto/tls would wait
// for 5 seconds for a receiver that does not read.
type underTLS struct {
	net.Conn
	closing bool
}

const alertTime = 10 * time.Millisecond

func (u *underTLS) SetWriteDeadline(at time.Time) error {
	if u.closing {
		at = time.Now().Add(alertTime)
	}
	return u.Conn.SetWriteDeadline(at)
}
