package dispatch_test

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ringback-dev/ringback/dispatch"
	"github.com/ringback-dev/ringback/webhook"
)

// A gauge counts the requests that are in flight to each URL.
type gauge struct {
	mu       sync.Mutex
	inFlight map[string]int
	most     map[string]int
}

// Watch makes a gauge of the bench's network, in front of what answers.
func (b *bench) Watch(answers func(r *http.Request, n int) (*http.Response, error)) *gauge {
	g := &gauge{inFlight: make(map[string]int), most: make(map[string]int)}
	b.Network.Answer = func(r *http.Request, n int) (*http.Response, error) {
		g.add(r.URL.String(), 1)
		defer g.add(r.URL.String(), -1)
		return answers(r, n)
	}
	return g
}

func (g *gauge) add(url string, n int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.inFlight[url] += n
	g.most[url] = max(g.most[url], g.inFlight[url])
}

// Most returns the most requests that were in flight to a URL since the last call.
func (g *gauge) Most(url string) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	most := g.most[url]
	g.most[url] = g.inFlight[url]
	return most
}

// How many requests may be in flight to a callback depends on how it answers.
func TestLimitPerCallback(t *testing.T) {
	const url = "https://example.com/hook"
	for _, test := range []struct {
		name     string
		took     time.Duration // by an answer
		status   int
		min, max int // in flight at most, after some time
	}{
		{"fast", 50 * time.Millisecond, 200, 100, 112}, // an eighth of 128 is left to others
		{"slower", 400 * time.Millisecond, 200, 8, 8},
		{"fast failures", 50 * time.Millisecond, 404, 0, 1}, // probed now and then
		{"slow", 2 * time.Second, 200, 1, 1},                // on probation
	} {
		t.Run(test.name, func(t *testing.T) {
			inBubble(t, &dispatch.Options{Retry: exact}, func(b *bench) {
				g := b.Watch(func(*http.Request, int) (*http.Response, error) {
					advance(test.took)
					return answer(test.status, ""), nil
				})
				b.Callback("hook", webhook.Callback{})
				b.records(1, 2500)
				b.Start()
				advance(500 * time.Millisecond)
				g.Most(url)
				advance(500 * time.Millisecond)
				if most := g.Most(url); most < test.min || most > test.max {
					t.Errorf("%d requests in flight, want %d to %d", most, test.min, test.max)
				}
			})
		})
	}
}

// The number goes up and down as the receiver's answers do, and does not outlive a rest.
func TestLimitFollowsReceiver(t *testing.T) {
	const url = "https://example.com/hook"
	inBubble(t, &dispatch.Options{Retry: exact}, func(b *bench) {
		var took atomic.Int64
		fast, slow := int64(20*time.Millisecond), int64(500*time.Millisecond)
		took.Store(fast)
		g := b.Watch(func(*http.Request, int) (*http.Response, error) {
			advance(time.Duration(took.Load()))
			return answer(200, ""), nil
		})
		b.Callback("hook", webhook.Callback{})
		b.Start()
		next := 1
		step := func(records int, d time.Duration) int {
			b.records(next, records)
			next += records
			advance(d)
			g.Most(url)
			advance(d)
			return g.Most(url)
		}
		if most := step(2500, 200*time.Millisecond); most < 100 {
			t.Errorf("while answers are fast, %d in flight", most)
		}
		took.Store(slow)
		if most := step(1500, 3*time.Second); most != 8 {
			t.Errorf("while answers are slower, %d in flight, want 8", most)
		}
		took.Store(fast)
		advance(time.Duration(slow)) // the last of the slow ones have answered
		if most := step(2000, 150*time.Millisecond); most < 100 {
			t.Errorf("when answers are fast again, %d in flight", most)
		}
		advance(2 * time.Minute) // all is delivered
		synctest.Wait()
		g.Most(url)
		b.records(next, 500)
		synctest.Wait()
		if most := g.Most(url); most != 8 {
			t.Errorf("after a rest, %d in flight at once, want 8", most)
		}
	})
}

// A callback that has much to hear, and hears it fast, does not starve another one that
// has something to hear now and then.
func TestBacklogDoesNotStarveOthers(t *testing.T) {
	inBubble(t, nil, func(b *bench) {
		const took = 50 * time.Millisecond
		b.Network.Answer = func(*http.Request, int) (*http.Response, error) {
			advance(took)
			return answer(200, ""), nil
		}
		b.Callback("busy", webhook.Callback{})
		b.Callback("quiet", webhook.Callback{Expression: "age == 2"})
		b.Start()
		b.records(1, 10_000)
		var waits []time.Duration
		for i := range 20 {
			committed := time.Now()
			b.Dispatch("quiet"+strconv.Itoa(i), 2)
			advance(137 * time.Millisecond)
			at := slices.IndexFunc(b.Network.Posts(), func(p post) bool {
				return strings.HasSuffix(p.URL, "/quiet") && p.Record == "quiet"+strconv.Itoa(i)
			})
			if at < 0 {
				t.Fatalf("event %d has not arrived after 137ms", i)
			}
			waits = append(waits, b.Network.Posts()[at].Time.Sub(committed))
		}
		if n := len(b.Network.Posts()); n > 9_000 {
			t.Fatalf("%d posts: the backlog did not last", n)
		}
		if worst := slices.Max(waits); worst > took {
			t.Errorf("the worst wait is %v, of %v", worst, waits)
		}
	})
}

// Many callbacks with much to hear share what there is.
func TestBusyCallbacksShare(t *testing.T) {
	inBubble(t, &dispatch.Options{Concurrency: 16, PerCallback: 4}, func(b *bench) {
		b.Network.Answer = func(*http.Request, int) (*http.Response, error) {
			advance(50 * time.Millisecond)
			return answer(200, ""), nil
		}
		const callbacks = 10
		for i := range callbacks {
			b.Callback(strconv.Itoa(i), webhook.Callback{})
		}
		b.records(1, 1000)
		b.Start()
		advance(10 * time.Second)
		posts := make(map[string]int)
		for _, p := range b.Network.Posts() {
			posts[p.URL]++
		}
		for url, n := range posts {
			if fair := len(b.Network.Posts()) / callbacks; n < fair/2 || n > fair*2 {
				t.Errorf("%s got %d posts, a fair share is %d", url, n, fair)
			}
		}
	})
}
