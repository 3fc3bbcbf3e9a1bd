package load_test

import (
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ringback-dev/ringback/store/sqlite"
	"github.com/ringback-dev/ringback/webhook"
)

// backlogCallbacks is how many callbacks there are: each has a delivery of each event.
const backlogCallbacks = 100

// TestBacklog has very many deliveries wait, for a receiver that takes its time. A
// claim takes hardly longer than among a thousand; an engine begins at once, and holds
// no more of them in memory than it sends.
func TestBacklog(t *testing.T) {
	events := sized(200, 10_000)
	began := time.Now()
	r := newReceiver(t)
	first, release := make(chan time.Time, 1), make(chan struct{})
	var held atomic.Int32
	r.before = func(request *http.Request, _ string) {
		if held.Add(1) == 1 {
			first <- time.Now()
		}
		select {
		case <-release:
		case <-request.Context().Done():
		}
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "large.db")
	large := newBacklog(t, file, r.URL, events)
	small := newBacklog(t, filepath.Join(dir, "small.db"), r.URL, 1000/backlogCallbacks)
	t.Logf("%d deliveries written in %v", events*backlogCallbacks, time.Since(began))
	compareClaims(t, small, large)
	if err := large.Close(); err != nil {
		t.Fatal(err)
	}

	p := start(t, config{File: file, Timeout: 10 * time.Minute})
	opening := time.Unix(0, parse(t, p.await("opening", 1)[0]))
	waitFor(t, "the first request", func() bool { return held.Load() > 0 })
	took := (<-first).Sub(opening)
	t.Logf("the first request came %v after the file was opened", took)
	if limit := sized(time.Minute, 2*time.Second); took > limit {
		t.Errorf("the first request came %v after the file was opened, want %v at most", took, limit)
	}
	waitFor(t, "each callback to be on probation", func() bool { return held.Load() == backlogCallbacks })
	<-time.After(sized(100*time.Millisecond, 10*time.Second)) // what it does beside sending, it does
	close(release)
	before := r.events()
	waitFor(t, "deliveries", func() bool { return r.events() >= before+sized(500, 20_000)/backlogCallbacks })
	peak := p.stop()
	t.Logf("the engine's process had %d MB at most", peak>>20)
	if limit := sized(int64(1000), 150) << 20; peak > limit {
		t.Errorf("the engine's process had %d MB, want %d at most", peak>>20, limit>>20)
	}
}

// newBacklog returns a store in which every event has a delivery to every callback. The
// first event of each of a thousand records is ready, the others wait.
func newBacklog(t *testing.T, file, url string, events int) *sqlite.Store {
	t.Helper()
	store, err := sqlite.Open(t.Context(), file, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	var targets []webhook.Target
	for i := range backlogCallbacks {
		c := subscribe(t, store, "d", fmt.Sprintf("%s/%d", url, i))
		targets = append(targets, webhook.Target{Callback: c.ID, Method: c.Method, Encoding: c.Encoding})
	}
	const page = 100
	list := make([]webhook.Event, page)
	expansions := make([]webhook.Expansion, page)
	for from := 0; from < events; from += page {
		n := min(page, events-from)
		for i := range n {
			record, change := (from+i)%1000, (from+i)/1000+1
			list[i] = update(fmt.Sprint("e", from+i), "d", fmt.Sprint("r", record), change)
			message := fmt.Sprintf(`{"profile":{"ID":"r%d","fields":{"n":%d,"text":"%s"}}}`,
				record, change, strings.Repeat("x", 1000))
			expansions[i] = webhook.Expansion{
				Sequence: int64(from + i + 1), Targets: targets,
				Messages: webhook.Messages{JSON: []byte(message)},
			}
		}
		if err := store.Dispatch(t.Context(), list[:n]...); err != nil {
			t.Fatal(err)
		}
		if err := store.FanOut(t.Context(), expansions[:n]); err != nil {
			t.Fatal(err)
		}
	}
	return store
}

// compareClaims claims from both stores in turn, as an engine does.
func compareClaims(t *testing.T, small, large *sqlite.Store) {
	t.Helper()
	claimers := []*claimer{newClaimer(t, small), newClaimer(t, large)}
	for range sized(50, 1000) {
		for _, c := range claimers {
			c.claim()
		}
	}
	for _, c := range claimers {
		if err := c.store.Leave(t.Context(), c.worker); err != nil {
			t.Fatal(err)
		}
	}
	few, many := claimers[0].took, claimers[1].took
	for _, share := range []float64{0.5, 0.99} {
		t.Logf("quantile %v of a claim: %v among 1,000 deliveries, %v among many",
			share, quantile(few, share), quantile(many, share))
	}
	share := sized(0.5, 0.99) // of few claims the slowest says little
	ratio := float64(quantile(many, share)) / float64(quantile(few, share))
	if limit := sized(6.0, 2); ratio > limit {
		t.Errorf("among many deliveries the quantile %v of a claim is %.2f times that among 1,000, want %v at most",
			share, ratio, limit)
	}
}

// A claimer is a worker that claims a hundred deliveries at a time.
type claimer struct {
	t      *testing.T
	store  *sqlite.Store
	worker webhook.Worker
	after  string
	took   []time.Duration
}

func newClaimer(t *testing.T, store *sqlite.Store) *claimer {
	t.Helper()
	w, err := store.Join(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return &claimer{t: t, store: store, worker: w}
}

// claim claims, notes how long that took, and gives back what it has claimed.
func (c *claimer) claim() {
	c.t.Helper()
	began := time.Now()
	claimed, err := c.store.Claim(c.t.Context(), webhook.ClaimRequest{
		Worker: c.worker, Now: began, Limit: 100, LimitBytes: 32 << 20, After: c.after,
		Room: func(string, webhook.Health) int { return 8 },
	})
	c.took = append(c.took, time.Since(began))
	if err != nil || len(claimed) != 100 {
		c.t.Fatalf("claimed %d, %v", len(claimed), err)
	}
	c.after = claimed[len(claimed)-1].Callback
	outcomes := make([]webhook.Outcome, len(claimed))
	for i, d := range claimed {
		outcomes[i] = webhook.Outcome{Sequence: d.Sequence, Callback: d.Callback, State: webhook.DeliveryReady}
	}
	if _, err := c.store.Settle(c.t.Context(), c.worker, outcomes); err != nil {
		c.t.Fatal(err)
	}
}
