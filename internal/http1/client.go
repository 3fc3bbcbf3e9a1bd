// Package http1 makes POST requests over HTTP/1.1 (RFC 9112), one at a time on a
// connection, for receivers that are not trusted. It follows no redirects, unpacks
// nothing, knows no proxies and no cookies, never logs, and never sends a request twice.
package http1

import (
	"context"
	"crypto/tls"
	"net"
	"sync"
	"time"
)

// Options tune a client. Nil and zero values mean the defaults.
type Options struct {
	// Dial connects, with network "tcp" and a host and port. What it returns as
	// an error, Post returns as it is. Default: a net.Dialer's DialContext.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)

	// TLS is copied and used for https. The protocol is always http/1.1, the name
	// to verify always the URL's host. Without a session cache it gets one of its own.
	TLS *tls.Config

	// Timeout bounds a whole request, beside the context. Default: none.
	Timeout time.Duration

	// MaxIdle and MaxIdlePerHost bound the connections that are kept for the next
	// request; of too many, those unused for longest are closed. Defaults: 256 and 8.
	MaxIdle        int
	MaxIdlePerHost int

	// IdleTimeout is how long a connection is kept unused. Default 4 seconds: common
	// servers close theirs after 5, so that a request seldom meets one being closed.
	IdleTimeout time.Duration

	// MaxHeader bounds the bytes of an answer that come before its body, interim
	// answers included, and again those of a chunked body that are not its data.
	// Default 64 KiB.
	MaxHeader int

	// MaxBody is how much of a body is read so that its connection can be used again.
	// The connection of a longer one is closed. Default 64 KiB.
	MaxBody int

	// Snippet is how much of a body an Answer holds, at most MaxBody. Default 1 KiB.
	Snippet int

	// BodyTime bounds the reading of a body, within the deadline of the request.
	// Default 1 second.
	BodyTime time.Duration
}

// An Answer is what a receiver answered.
type Answer struct {
	// Status is the status code as it came, from 0 to 999.
	Status int

	// RetryAfter is the value of the first Retry-After field that has one.
	RetryAfter string

	// Body is the beginning of the body, as far as it could be read: at most
	// Options.Snippet bytes.
	Body string
}

// A Client makes POST requests, on connections that it keeps for the next request to
// the same host. It may be used by many goroutines at the same time.
type Client struct {
	options Options
	pool    pool
}

// New returns a client. Its connections end with CloseIdle, or IdleTimeout after their
// last request.
func New(o Options) *Client {
	if o.Dial == nil {
		o.Dial = new(net.Dialer).DialContext
	}
	setDefault(&o.MaxIdle, 256)
	setDefault(&o.MaxIdlePerHost, 8)
	setDefault(&o.IdleTimeout, 4*time.Second)
	setDefault(&o.MaxHeader, 64<<10)
	setDefault(&o.MaxBody, 64<<10)
	setDefault(&o.Snippet, 1<<10)
	setDefault(&o.BodyTime, time.Second)
	o.Snippet = min(o.Snippet, o.MaxBody)
	o.TLS = o.TLS.Clone()
	if o.TLS == nil {
		o.TLS = new(tls.Config)
	}
	o.TLS.NextProtos = []string{"http/1.1"}
	if o.TLS.ClientSessionCache == nil {
		o.TLS.ClientSessionCache = tls.NewLRUClientSessionCache(o.MaxIdle)
	}
	c := &Client{options: o}
	c.pool.init(o.MaxIdle, o.MaxIdlePerHost, o.IdleTimeout)
	return c
}

func setDefault[T int | time.Duration](value *T, def T) {
	if *value == 0 {
		*value = def
	}
}

// maxWrite is the largest part of a request that is copied, to be sent with one write.
const maxWrite = 64 << 10

var buffers = sync.Pool{New: func() any {
	b := make([]byte, 0, 4<<10)
	return &b
}}

// Post makes one request, with these fields beside those of its target, and returns the
// final answer to it. Once an answer's header has come whole, it is a success, whatever
// becomes of the body. The context and Options.Timeout bound all of it: resolving,
// connecting, sending and reading.
//
// Errors are the context's, which are those of the timeout, too; those of Dial and of
// crypto/tls as they are; ErrRequest, ErrMalformed and ErrHeaderTooLarge;
// io.ErrUnexpectedEOF when the connection was closed before the answer had come, and the
// system's when it broke. Except for those of crypto/tls, which may name what is in a
// certificate, their texts hold nothing that the receiver has sent.
func (c *Client) Post(ctx context.Context, to *Target, fields []Field, body []byte) (Answer, error) {
	if err := ctx.Err(); err != nil {
		return Answer{}, err
	}
	now := time.Now()
	deadline, bounded := ctx.Deadline()
	if t := c.options.Timeout; t > 0 && (!bounded || now.Add(t).Before(deadline)) {
		deadline = now.Add(t)
	}
	buffer := buffers.Get().(*[]byte)
	defer buffers.Put(buffer)
	request, err := to.appendHead((*buffer)[:0], fields, len(body))
	if err != nil {
		return Answer{}, err
	}
	copied := min(len(body), max(maxWrite-len(request), 0))
	request = append(request, body[:copied]...)
	*buffer = request
	rest := body[copied:]
	for {
		conn := c.pool.take(to.origin)
		kept := conn != nil
		if !kept {
			if conn, err = c.connect(ctx, deadline, to.origin); err != nil {
				return Answer{}, err
			}
		} else if now.Sub(conn.since) >= c.options.IdleTimeout {
			c.pool.drop(conn)
			conn.close()
			continue
		}
		answer, reusable, err := conn.post(ctx, deadline, kept, request, rest, &c.options)
		if reusable {
			c.pool.put(conn)
			return answer, err
		}
		c.pool.drop(conn)
		if kept && err == errStale {
			conn.close()
			continue
		}
		conn.abort()
		return answer, err
	}
}

// connect returns a new connection.
func (c *Client) connect(ctx context.Context, deadline time.Time, to origin) (*conn, error) {
	if !deadline.IsZero() {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, deadline)
		defer cancel()
	}
	conn, err := dial(ctx, to, &c.options)
	if err != nil {
		return nil, err
	}
	c.pool.add(conn, to)
	return conn, nil
}

// CloseIdle closes the connections that are not in use.
func (c *Client) CloseIdle() { c.pool.closeAll() }
