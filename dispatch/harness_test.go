package dispatch_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ringback-dev/ringback/dispatch"
	"github.com/ringback-dev/ringback/store/memory"
	"github.com/ringback-dev/ringback/webhook"
)

// A post is one request as the receivers saw it.
type post struct {
	Time     time.Time
	URL      string
	Header   http.Header
	Body     string
	Record   string
	Sequence int64
	Age      json.Number // profile.fields.age
}

// A network takes the place of real receivers inside a synctest bubble: it keeps
// every request and answers as told.
type network struct {
	// Answer decides about the nth request to a URL, from 1. Nil answers 200.
	Answer func(r *http.Request, n int) (*http.Response, error)

	mu    sync.Mutex
	posts []post
	count map[string]int
}

func (n *network) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	r.Body.Close()
	var message struct {
		Sequence int64 `json:"sequence"`
		Profile  struct {
			ID     string `json:"ID"`
			Fields struct {
				Age json.Number `json:"age"`
			} `json:"fields"`
		} `json:"profile"`
	}
	json.Unmarshal(body, &message) // an XML message leaves it empty
	n.mu.Lock()
	if n.count == nil {
		n.count = make(map[string]int)
	}
	url := r.URL.String()
	n.count[url]++
	count := n.count[url]
	n.posts = append(n.posts, post{
		Time: time.Now(), URL: url, Header: r.Header.Clone(), Body: string(body),
		Record: message.Profile.ID, Sequence: message.Sequence, Age: message.Profile.Fields.Age,
	})
	n.mu.Unlock()
	if n.Answer == nil {
		return answer(200, ""), nil
	}
	return n.Answer(r, count)
}

// Posts returns what has arrived so far.
func (n *network) Posts() []post {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Clone(n.posts)
}

func answer(status int, body string) *http.Response {
	return &http.Response{
		StatusCode: status, ProtoMajor: 1, ProtoMinor: 1,
		Header: make(http.Header), Body: io.NopCloser(strings.NewReader(body)),
	}
}

// A bench is an engine on a memory store and a made-up network, in a bubble.
type bench struct {
	*testing.T
	Store   *memory.Store
	Engine  *dispatch.Engine
	Network *network
	stop    context.CancelFunc
	stopped chan error
}

// inBubble runs a test in a synctest bubble, with an engine that is not running yet.
// The bubble does not end before every goroutine of the engine has.
func inBubble(t *testing.T, o *dispatch.Options, f func(b *bench)) {
	t.Helper()
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(procs))
	synctest.Test(t, func(t *testing.T) {
		b := &bench{T: t, Store: memory.New(), Network: &network{}}
		b.Engine = b.newEngine(o)
		defer b.Stop()
		f(b)
	})
}

func (b *bench) newEngine(o *dispatch.Options) *dispatch.Engine {
	b.Helper()
	return b.engineOn(b.Store, o)
}

// engineOn returns an engine on a store that, as a rule, wraps the bench's own.
func (b *bench) engineOn(store webhook.Store, o *dispatch.Options) *dispatch.Engine {
	b.Helper()
	engine, err := dispatch.New(store, o)
	if err != nil {
		b.Fatal(err)
	}
	engine.SetTransport(b.Network)
	return engine
}

// Start runs the engine in the background until Stop.
func (b *bench) Start() {
	ctx, stop := context.WithCancel(b.Context())
	b.stop, b.stopped = stop, make(chan error, 1)
	go func() { b.stopped <- b.Engine.Run(ctx) }()
}

// Stop ends the engine and waits for it; a second call does nothing.
func (b *bench) Stop() {
	b.Helper()
	if b.stop == nil {
		return
	}
	b.stop()
	if err := <-b.stopped; err != nil {
		b.Errorf("Run: %v", err)
	}
	b.stop = nil
}

// Callback registers a callback for database 788; its URL ends in name.
func (b *bench) Callback(name string, c webhook.Callback) webhook.Callback {
	b.Helper()
	if c.Database == "" && c.Collection == "" {
		c.Database = "788"
	}
	c.URL = "https://example.com/" + name
	created, err := b.Store.CreateCallback(b.Context(), c.WithDefaults(), 0)
	if err != nil {
		b.Fatal(err)
	}
	return created
}

// Dispatch appends updates of a record, one for each age.
func (b *bench) Dispatch(record string, ages ...int) {
	b.Helper()
	for _, age := range ages {
		if err := b.Engine.Dispatch(b.Context(), update(record, age)); err != nil {
			b.Fatal(err)
		}
	}
}

func update(record string, age int) webhook.Event {
	return webhook.Event{
		ID:       fmt.Sprintf("%s-%d", record, age),
		Action:   webhook.ActionUpdate,
		Database: "788",
		Profile:  webhook.Record{ID: record, Fields: map[string]any{"age": age}},
	}
}

// Delivery returns the only delivery of an update to a callback.
func (b *bench) Delivery(record string, age int, c webhook.Callback) webhook.Delivery {
	b.Helper()
	d, err := b.Store.Delivery(b.Context(), webhook.DeliveryID(fmt.Sprintf("%s-%d", record, age), c.ID))
	if err != nil {
		b.Fatal(err)
	}
	return d
}

// ages returns the ages that arrived about a record, in order of arrival.
func ages(posts []post, record string) string {
	var text bytes.Buffer
	for _, p := range posts {
		if p.Record == record {
			fmt.Fprintf(&text, "%s ", p.Age)
		}
	}
	return strings.TrimSpace(text.String())
}

// A logbook keeps what an engine logs.
type logbook struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *logbook) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

// Logger returns a logger that writes to the book.
func (l *logbook) Logger() *slog.Logger { return slog.New(slog.NewTextHandler(l, nil)) }

// Count returns how often a text was logged.
func (l *logbook) Count(text string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.text.String(), text)
}

// advance moves the bubble's clock on.
func advance(d time.Duration) { <-time.After(d) }

// Dead returns the deliveries to a callback that are dead, latest event first.
func (b *bench) Dead(c webhook.Callback) []webhook.Delivery {
	b.Helper()
	page, err := b.Store.Deliveries(b.Context(), webhook.DeliveryQuery{
		Callback: c.ID, State: webhook.DeliveryDead, Limit: 1000,
	})
	if err != nil {
		b.Fatal(err)
	}
	return page.Deliveries
}

// Pending returns how many events are on the outbox.
func (b *bench) Pending() int {
	b.Helper()
	pending, err := b.Store.Pending(b.Context(), webhook.PendingRequest{Limit: 1000, LimitBytes: 1 << 30})
	if err != nil {
		b.Fatal(err)
	}
	return len(pending.Events)
}
