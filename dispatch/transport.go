package dispatch

import (
	"context"
	"net/http"
	"net/url"

	"github.com/ringback-dev/ringback/internal/http1"
)

// A poster makes requests; see [http1.Client.Post].
type poster interface {
	Post(ctx context.Context, u *url.URL, header http.Header, body []byte) (http1.Answer, error)
}

// maxSnippet is how much of an answer's body is kept with the attempt.
const maxSnippet = 1 << 10

// newClient returns the client that makes the attempts.
func newClient(o *Options) *http1.Client {
	return http1.New(http1.Options{
		Dial: o.Targets.dial,
		// One callback may have all the requests that answer soon.
		MaxIdle:        max(256, o.Concurrency),
		MaxIdlePerHost: o.Concurrency,
		Snippet:        maxSnippet,
	})
}
