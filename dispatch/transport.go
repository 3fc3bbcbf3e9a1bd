package dispatch

import (
	"context"
	"net/url"
	"sync"
	"time"

	"github.com/ringback-dev/ringback/internal/http1"
	"github.com/ringback-dev/ringback/webhook"
	"github.com/ringback-dev/ringback/webhook/message"
	"github.com/ringback-dev/ringback/webhook/signature"
)

// A poster makes requests.
type poster interface {
	// prepare returns what the requests of a delivery's callback have in common.
	prepare(c *webhook.Claimed, at time.Time) (*prepared, error)
	// Post makes a request within Options.Timeout; see [http1.Client.Post].
	Post(ctx context.Context, to *http1.Target, fields []http1.Field, body []byte) (http1.Answer, error)
}

// maxSnippet is how much of an answer's body is kept with the attempt.
const maxSnippet = 1 << 10

// A client makes the attempts.
type client struct {
	*http1.Client
	targets *Targets
	cache   cache
}

func newClient(o *Options) *client {
	return &client{
		Client: http1.New(http1.Options{
			Dial:    o.Targets.dial,
			Timeout: o.Timeout,
			// One callback may have all the requests that answer soon.
			MaxIdle:        max(256, o.Concurrency),
			MaxIdlePerHost: o.Concurrency,
			Snippet:        maxSnippet,
		}),
		targets: &o.Targets,
	}
}

// prepared is what requests have in common.
type prepared struct {
	target *http1.Target
	signer *signature.Signer
}

// A basis is all that is prepared from. What was prepared is found by it, so that a
// callback that has changed, or one of whose secrets has run out, is another one.
type basis struct {
	callback         string
	url              string
	method           webhook.Method
	encoding         webhook.Encoding
	secret, previous signature.Secret
	expired          bool // previous has
}

func (cl *client) prepare(c *webhook.Claimed, at time.Time) (*prepared, error) {
	b := basis{
		c.Callback, c.To.URL, c.Method, c.Encoding, c.To.Secret, c.To.PreviousSecret, !at.Before(c.To.PreviousUntil),
	}
	if p := cl.cache.get(&b); p != nil {
		return p, nil
	}
	u, err := url.Parse(c.To.URL)
	if err != nil {
		return nil, refuse("the URL cannot be parsed")
	}
	if err := cl.targets.checkScheme(u); err != nil {
		return nil, err
	}
	contentType, _ := message.Request(c.Method, c.Encoding, nil)
	target, err := http1.NewTarget(u,
		http1.Field{Name: "Content-Type", Value: contentType},
		http1.Field{Name: "User-Agent", Value: userAgent},
		http1.Field{Name: "Ringback-Callback", Value: c.Callback},
	)
	if err != nil {
		return nil, err
	}
	p := &prepared{target, signature.NewSigner(c.To.Secrets(at)...)}
	cl.cache.put(&b, p)
	return p, nil
}

// maxPrepared is how much prepared for a request the engine keeps, at most twice: some
// kilobytes each.
const maxPrepared = 2048

// A cache keeps what was used lately. What is in old goes when young is full, unless it
// has been asked for since.
type cache struct {
	mu         sync.RWMutex
	young, old map[basis]*prepared
}

// get returns nil for what there is not.
func (c *cache) get(b *basis) *prepared {
	c.mu.RLock()
	p, young := c.young[*b]
	if !young {
		p = c.old[*b]
	}
	c.mu.RUnlock()
	if p != nil && !young {
		c.put(b, p)
	}
	return p
}

func (c *cache) put(b *basis, p *prepared) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.young == nil || len(c.young) >= maxPrepared {
		c.young, c.old = make(map[basis]*prepared), c.young
	}
	c.young[*b] = p
}
