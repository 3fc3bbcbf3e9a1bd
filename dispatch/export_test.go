package dispatch

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/ringback-dev/ringback/internal/http1"
	"github.com/ringback-dev/ringback/webhook"
)

// SetTransport puts a transport of the test's own in place of the network, so that
// attempts can be made inside a synctest bubble.
func (e *Engine) SetTransport(t http.RoundTripper) {
	e.client = &roundTripper{poster: e.client, transport: t, timeout: e.options.Timeout}
}

// A roundTripper makes requests by a transport.
type roundTripper struct {
	poster
	transport http.RoundTripper
	timeout   time.Duration
	urls      sync.Map // of targets
}

func (t *roundTripper) prepare(c *webhook.Claimed, at time.Time) (*prepared, error) {
	p, err := t.poster.prepare(c, at)
	if err == nil {
		t.urls.LoadOrStore(p.target, c.To.URL)
	}
	return p, err
}

// Post hands the transport what would have been sent.
func (t *roundTripper) Post(ctx context.Context, to *http1.Target, fields []http1.Field, body []byte) (http1.Answer, error) {
	ctx, cancel := context.WithTimeout(ctx, t.timeout)
	defer cancel()
	raw, err := to.AppendRequest(nil, fields, body)
	if err != nil {
		return http1.Answer{}, err
	}
	sent, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(raw)))
	if err != nil {
		return http1.Answer{}, err
	}
	url, _ := t.urls.Load(to)
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url.(string), sent.Body)
	if err != nil {
		return http1.Answer{}, err
	}
	request.Header = sent.Header
	response, err := t.transport.RoundTrip(request)
	if err != nil {
		return http1.Answer{}, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, maxSnippet))
	return http1.Answer{
		Status: response.StatusCode, RetryAfter: response.Header.Get("Retry-After"), Body: string(text),
	}, err
}

// Attempt makes one attempt.
func (e *Engine) Attempt(ctx context.Context, c *webhook.Claimed) webhook.Attempt {
	return e.attempt(ctx, c).Attempt
}

// CloseIdle closes the connections that are not in use.
func (e *Engine) CloseIdle() { e.closeIdle() }

// Prepared returns how much is kept prepared for requests, and how much may be.
func (e *Engine) Prepared() (kept, limit int) {
	c := &e.client.(*roundTripper).poster.(*client).cache
	c.mu.RLock()
	defer c.mu.RUnlock()
	return len(c.young) + len(c.old), 2 * maxPrepared
}

// Denied is the check of an address against the table of denials.
var Denied = denied

// Options are the engine's options, with their defaults.
func (e *Engine) Options() Options { return e.options }

// SetWall puts a wall clock of the test's own in place of the machine's.
func (e *Engine) SetWall(wall func() time.Time) { e.wall = wall }
