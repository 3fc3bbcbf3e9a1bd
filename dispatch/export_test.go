package dispatch

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/ringback-dev/ringback/internal/http1"
)

// SetTransport puts a transport of the test's own in place of the network, so that
// attempts can be made inside a synctest bubble.
func (e *Engine) SetTransport(t http.RoundTripper) { e.client = roundTripper{t} }

// A roundTripper makes requests by a transport.
type roundTripper struct{ http.RoundTripper }

func (t roundTripper) Post(ctx context.Context, u *url.URL, header http.Header, body []byte) (http1.Answer, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, u.String(), bytes.NewReader(body))
	if err != nil {
		return http1.Answer{}, err
	}
	request.Header = header
	response, err := t.RoundTrip(request)
	if err != nil {
		return http1.Answer{}, err
	}
	defer response.Body.Close()
	answer := http1.Answer{Status: response.StatusCode, RetryAfter: response.Header.Get("Retry-After")}
	answer.Body, err = io.ReadAll(io.LimitReader(response.Body, maxSnippet))
	return answer, err
}

// Denied is the check of an address against the table of denials.
var Denied = denied

// Options are the engine's options, with their defaults.
func (e *Engine) Options() Options { return e.options }

// SetWall puts a wall clock of the test's own in place of the machine's.
func (e *Engine) SetWall(wall func() time.Time) { e.wall = wall }
