package dispatch_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
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
	"github.com/ringback-dev/ringback/store/memory"
	"github.com/ringback-dev/ringback/webhook"
)

// Holding returns the deliveries to a callback that are in a state.
func (b *bench) Holding(c webhook.Callback, state webhook.DeliveryState) []webhook.Delivery {
	b.Helper()
	page, err := b.Store.Deliveries(b.Context(), webhook.DeliveryQuery{Callback: c.ID, State: state, Limit: 100_000})
	if err != nil {
		b.Fatal(err)
	}
	return page.Deliveries
}

// WarmUp lets the engine meet its callbacks, ten times.
func (b *bench) WarmUp() {
	b.Helper()
	for i := range 10 {
		b.Dispatch("warm", i)
		advance(10 * time.Millisecond)
	}
}

// InHand returns how many deliveries to a callback are claimed.
func (b *bench) InHand(c webhook.Callback) int {
	b.Helper()
	return len(b.Holding(c, webhook.DeliveryClaimed))
}

// hookURL is where a callback of the bench is called.
func hookURL(name string) string { return "https://example.com/" + name }

// Append appends updates of so many records, beginning with the given one, while nothing
// of it is delivered yet: in one call.
func (b *bench) Append(first, records int) {
	b.Helper()
	events := make([]webhook.Event, records)
	for i := range events {
		events[i] = update(strconv.Itoa(first+i), 1)
	}
	if err := b.Store.Dispatch(b.Context(), events...); err != nil {
		b.Fatal(err)
	}
}

// Succeeded counts the requests that were answered with success, by delivery.
type succeeded struct {
	mu sync.Mutex
	of map[string]int
}

func (s *succeeded) note(r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.of == nil {
		s.of = make(map[string]int)
	}
	s.of[r.Header.Get("webhook-id")]++
}

// Once checks that so many deliveries have succeeded, each once.
func (s *succeeded) Once(t *testing.T, deliveries int) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.of) != deliveries {
		t.Errorf("%d deliveries have succeeded, want %d", len(s.of), deliveries)
	}
	for id, n := range s.of {
		if n != 1 {
			t.Errorf("delivery %s has succeeded %d times", id, n)
		}
	}
}

// However much is in hand, no more requests are in flight than may be: all together, to one
// callback, and to those that have more than others.
func TestAheadKeepsLimits(t *testing.T) {
	const concurrency, perCallback = 16, 4
	o := &dispatch.Options{Concurrency: concurrency, PerCallback: perCallback, Retry: exact}
	inBubble(t, o, func(b *bench) {
		var inFlight, most, mostBusy atomic.Int32
		var inFlightTo sync.Map
		atMost := func(most *atomic.Int32, n int32) {
			for old := most.Load(); n > old && !most.CompareAndSwap(old, n); old = most.Load() {
			}
		}
		b.Network.Answer = func(r *http.Request, n int) (*http.Response, error) {
			value, _ := inFlightTo.LoadOrStore(r.URL.String(), new(atomic.Int32))
			to := value.(*atomic.Int32)
			atMost(&most, inFlight.Add(1))
			if now := to.Add(1); now > perCallback {
				atMost(&mostBusy, now)
			}
			advance(20 * time.Millisecond)
			to.Add(-1)
			inFlight.Add(-1)
			return answer(200, ""), nil
		}
		busy := b.Callback("busy", webhook.Callback{})
		b.Start()
		b.Warm()
		b.Append(0, 1000)
		advance(500 * time.Millisecond)
		if n := b.InHand(busy); n < 2*concurrency {
			t.Errorf("%d deliveries in hand, the test wants many", n)
		}
		if n := mostBusy.Load(); n != concurrency-concurrency/8 {
			t.Errorf("up to %d requests in flight to one callback, want all but an eighth", n)
		}
		for i := range 3 {
			b.Callback(fmt.Sprint("too", i), webhook.Callback{})
		}
		b.Dispatch("known", 1) // each of them answers it on probation
		advance(time.Second)
		most.Store(0)
		b.Append(2000, 500)
		advance(3 * time.Second)
		if n := most.Load(); n > concurrency {
			t.Errorf("up to %d requests in flight, want at most %d", n, concurrency)
		}
		if n := mostBusy.Load(); n > concurrency-concurrency/8 {
			t.Errorf("up to %d requests in flight to one callback", n)
		}
		advance(time.Minute)
		if n := len(b.Network.Posts()); n != 1+1000+4*501 {
			t.Errorf("%d posts, want %d", n, 1+1000+4*501)
		}
	})
}

// To begin with, a callback has as many requests in flight as it may have to begin with,
// whatever is in hand.
func TestAheadBeginsModestly(t *testing.T) {
	o := &dispatch.Options{Concurrency: 64, PerCallback: 4, Retry: exact}
	inBubble(t, o, func(b *bench) {
		var slow atomic.Bool
		g := b.Watch(func(*http.Request, int) (*http.Response, error) {
			if slow.Load() {
				advance(100 * time.Millisecond)
			}
			return answer(200, ""), nil
		})
		c := b.Callback("hook", webhook.Callback{})
		b.Start()
		b.Warm()
		advance(2 * time.Minute) // it is a stranger again
		g.Most(hookURL("hook"))
		slow.Store(true)
		b.Append(0, 500)
		synctest.Wait()
		if most, inHand := g.Most(hookURL("hook")), b.InHand(c); most != 4 || inHand <= 4 {
			t.Errorf("%d requests in flight, %d deliveries in hand; want 4 and more", most, inHand)
		}
	})
}

// How much is in hand depends on how soon the receiver answers it.
func TestAheadDependsOnReceiver(t *testing.T) {
	for _, test := range []struct {
		name     string
		took     time.Duration
		min, max int // in hand, for 8 requests in flight
	}{
		{"slow", 240 * time.Millisecond, 8, 32},
		{"slower", 600 * time.Millisecond, 8, 16},
		{"on probation", 2 * time.Second, 1, 1},
		{"fast", 5 * time.Millisecond, 64, 512},
	} {
		t.Run(test.name, func(t *testing.T) {
			// With as many requests to all as to one, the limit stays where it is.
			o := &dispatch.Options{Concurrency: 8, PerCallback: 8, Retry: exact}
			inBubble(t, o, func(b *bench) {
				b.Network.Answer = func(*http.Request, int) (*http.Response, error) {
					advance(test.took)
					return answer(200, ""), nil
				}
				c := b.Callback("hook", webhook.Callback{})
				b.Start()
				for i := range 10 {
					b.Dispatch("warm", i)
					advance(3 * time.Second)
				}
				b.Append(0, 3000)
				most := 0
				for range 100 {
					advance(7 * time.Millisecond)
					most = max(most, b.InHand(c))
				}
				if most < test.min || most > test.max {
					t.Errorf("up to %d deliveries in hand, want %d to %d", most, test.min, test.max)
				}
			})
		})
	}
}

// When a receiver fails, hangs, or asks for a pause, what waits for it in hand is given back
// to the store as it was, none of it is sent meanwhile, and when the receiver is well again
// all arrives, in order and once.
func TestAheadIsGivenBack(t *testing.T) {
	const ill, well = 0, 1
	for _, test := range []struct {
		name   string
		answer func(r *http.Request) (*http.Response, error) // while it is ill
		after  time.Duration                                 // the first such answer came, all is given back
		quiet  time.Duration                                 // then so little is sent
		most   int
	}{
		{"hangs", func(r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			return nil, r.Context().Err()
		}, 2*time.Second + 10*time.Millisecond, 1900 * time.Millisecond, 1}, // on probation it gets one
		{"fails", func(*http.Request) (*http.Response, error) {
			return answer(500, ""), nil
		}, 100 * time.Millisecond, 800 * time.Millisecond, 0},
		{"pauses", func(*http.Request) (*http.Response, error) {
			a := answer(429, "")
			a.Header.Set("Retry-After", "30")
			return a, nil
		}, 10 * time.Millisecond, 29 * time.Second, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			o := &dispatch.Options{
				Concurrency: 8, PerCallback: 8, Timeout: 2 * time.Second,
				Retry: dispatch.Retry{Pauses: slices.Repeat([]time.Duration{time.Second}, 100), Jitter: -1},
			}
			inBubble(t, o, func(b *bench) {
				var state atomic.Int32
				state.Store(well)
				var done succeeded
				b.Network.Answer = func(r *http.Request, _ int) (*http.Response, error) {
					if state.Load() == ill {
						return test.answer(r)
					}
					advance(5 * time.Millisecond)
					done.note(r)
					return answer(200, ""), nil
				}
				c := b.Callback("hook", webhook.Callback{})
				b.Start()
				b.WarmUp()
				const records, changes = 200, 3
				for age := range changes {
					for record := range records {
						if err := b.Store.Dispatch(b.Context(), update(strconv.Itoa(record), age)); err != nil {
							t.Fatal(err)
						}
					}
				}
				advance(31 * time.Millisecond)
				if n := b.InHand(c); n < 50 {
					t.Fatalf("%d deliveries in hand, the test wants many", n)
				}
				state.Store(ill)
				advance(5 * time.Millisecond)
				advance(test.after)
				synctest.Wait()
				if n := b.InHand(c); n > test.most {
					t.Errorf("%d deliveries are claimed, want at most %d", n, test.most)
				}
				untried := 0
				for _, d := range b.Holding(c, webhook.DeliveryReady) {
					attempts, err := b.Store.Attempts(b.Context(), d.ID)
					if err != nil || len(attempts) != d.Attempts || d.Attempts > 2 {
						t.Fatalf("%+v has %d attempts, %v", d, len(attempts), err)
					}
					if d.Attempts == 0 && d.Due.IsZero() {
						untried++
					}
				}
				if untried < 50 {
					t.Errorf("%d deliveries are ready as they were, want most", untried)
				}
				before := len(b.Network.Posts())
				advance(test.quiet)
				if n := len(b.Network.Posts()) - before; n > test.most {
					t.Errorf("%d posts in %v, want at most %d", n, test.quiet, test.most)
				}
				state.Store(well)
				advance(10 * time.Minute)
				for record := range records {
					var arrived []string // one change after the other, each once or again when it failed
					for _, text := range strings.Fields(ages(b.Network.Posts(), strconv.Itoa(record))) {
						if len(arrived) == 0 || arrived[len(arrived)-1] != text {
							arrived = append(arrived, text)
						}
					}
					if got := strings.Join(arrived, " "); got != "0 1 2" {
						t.Errorf("about record %d arrived %q", record, got)
					}
				}
				done.Once(t, records*changes+10)
			})
		})
	}
}

// A moment in which a fast receiver is slow has nothing given back: to claim it again would
// take more time. When it stays slow, what it does not answer soon is.
func TestAheadOutlastsMoments(t *testing.T) {
	o := &dispatch.Options{Concurrency: 64, PerCallback: 8, Retry: exact}
	inBubble(t, o, func(b *bench) {
		store := &countedGiveBacks{Store: b.Store}
		b.Engine = b.engineOn(store, o)
		var takes atomic.Int64
		takes.Store(int64(time.Millisecond))
		b.Network.Answer = func(*http.Request, int) (*http.Response, error) {
			advance(time.Duration(takes.Load()))
			return answer(200, ""), nil
		}
		c := b.Callback("hook", webhook.Callback{})
		b.Start()
		b.WarmUp()
		b.Append(0, 20_000)
		advance(time.Second)
		b.Append(20_000, 3000)
		advance(5 * time.Millisecond)
		before := b.InHand(c)
		takes.Store(int64(40 * time.Millisecond))
		advance(45 * time.Millisecond)
		takes.Store(int64(time.Millisecond))
		advance(10 * time.Millisecond)
		if n := b.InHand(c); before < 1000 || n < 1000 {
			t.Errorf("%d deliveries were in hand, and are %d; the test wants many", before, n)
		}
		if n := store.given.Load(); n > 0 {
			t.Errorf("%d deliveries were given back after 45 ms", n)
		}
		takes.Store(int64(200 * time.Millisecond))
		advance(time.Second)
		if n := b.InHand(c); n > 300 {
			t.Errorf("%d deliveries are in hand after a second with slow answers", n)
		}
	})
}

// How fast a receiver was is forgotten with its limit: otherwise much more would be in hand
// than is sent to it, and given back at its first answer.
func TestAheadAfterRest(t *testing.T) {
	o := &dispatch.Options{Concurrency: 64, PerCallback: 1, Retry: exact}
	inBubble(t, o, func(b *bench) {
		store := &countedGiveBacks{Store: b.Store}
		b.Engine = b.engineOn(store, o)
		b.Network.Answer = func(*http.Request, int) (*http.Response, error) {
			advance(5 * time.Millisecond)
			return answer(200, ""), nil
		}
		c := b.Callback("hook", webhook.Callback{})
		b.Start()
		b.WarmUp()
		b.Append(0, 10_000)
		advance(2 * time.Second)
		if n := len(b.Network.Posts()); n != 10_010 {
			t.Errorf("%d posts in two seconds; the test wants the receiver to be fast, and all of 10010", n)
		}
		advance(2 * time.Minute)
		before := store.given.Load()
		b.Append(10_000, 3000)
		advance(4 * time.Millisecond)
		if n := b.InHand(c); n > 200 {
			t.Errorf("%d deliveries are in hand of a receiver that gets one at a time", n)
		}
		advance(10 * time.Second)
		if n := store.given.Load() - before; n > 0 {
			t.Errorf("%d deliveries were given back", n)
		}
		if n := len(b.Network.Posts()); n != 13_010 {
			t.Errorf("%d posts, want 13010", n)
		}
	})
}

// countedGiveBacks counts the deliveries that are just given back.
type countedGiveBacks struct {
	*memory.Store
	given atomic.Int64
}

func (s *countedGiveBacks) Settle(
	ctx context.Context, w webhook.Worker, outcomes []webhook.Outcome,
) ([]webhook.Callback, error) {
	for _, o := range outcomes {
		if o.Attempt == nil {
			s.given.Add(1)
		}
	}
	return s.Store.Settle(ctx, w, outcomes)
}

// What is given back, another engine may take.
func TestAheadIsTakenByOthers(t *testing.T) {
	o := &dispatch.Options{Concurrency: 8, PerCallback: 8, Timeout: 10 * time.Second, Retry: exact}
	inBubble(t, o, func(b *bench) {
		var hangs atomic.Bool
		var done succeeded
		b.Network.Answer = func(r *http.Request, _ int) (*http.Response, error) {
			if hangs.Load() {
				<-r.Context().Done()
				return nil, r.Context().Err()
			}
			advance(5 * time.Millisecond)
			done.note(r)
			return answer(200, ""), nil
		}
		c := b.Callback("hook", webhook.Callback{})
		b.Start()
		b.WarmUp()
		b.Append(0, 400)
		advance(21 * time.Millisecond)
		hangs.Store(true)
		advance(6 * time.Millisecond)
		inHand := b.InHand(c)
		if inHand < 50 {
			t.Fatalf("%d deliveries in hand, the test wants many", inHand)
		}
		b.stop() // and it drains for ten seconds
		advance(5 * time.Millisecond)
		if n := b.InHand(c); n != 8 {
			t.Errorf("while draining, %d deliveries are claimed; want those in flight, 8", n)
		}
		hangs.Store(false)
		other := *b
		other.Engine = b.newEngine(o)
		other.Start()
		advance(5 * time.Second)
		if n := len(b.Holding(c, webhook.DeliveryDelivered)); n != 410-8 {
			t.Errorf("with what the other engine has delivered, %d are; want %d", n, 410-8)
		}
		b.Stop()
		advance(time.Minute)
		other.Stop()
		done.Once(t, 410)
	})
}

// When an engine is to stop, what waits in hand is handed back at once, untouched, and it
// stops as soon as the last request has come to its end.
func TestAheadOnStop(t *testing.T) {
	o := &dispatch.Options{Concurrency: 4, PerCallback: 4, Timeout: 15 * time.Second, Retry: exact}
	inBubble(t, o, func(b *bench) {
		var slow atomic.Bool
		b.Network.Answer = func(*http.Request, int) (*http.Response, error) {
			if slow.Load() {
				advance(12 * time.Second)
			} else {
				advance(time.Millisecond)
			}
			return answer(200, ""), nil
		}
		hook, other := b.Callback("hook", webhook.Callback{}), b.Callback("other", webhook.Callback{})
		b.Start()
		b.WarmUp()
		slow.Store(true)
		b.Append(0, 300)
		advance(time.Second)
		if n := b.InHand(hook) + b.InHand(other); n < 40 {
			t.Fatalf("%d deliveries in hand, the test wants many", n)
		}
		posts := len(b.Network.Posts())
		b.stop()
		began := time.Now()
		advance(5 * time.Millisecond)
		for _, c := range []webhook.Callback{hook, other} {
			for _, d := range b.Holding(c, webhook.DeliveryReady) {
				if d.Attempts != 0 || !d.Due.IsZero() {
					t.Fatalf("handed back: %+v", d)
				}
			}
		}
		if n := b.InHand(hook) + b.InHand(other); n != 4 {
			t.Errorf("while draining, %d deliveries are claimed; want those in flight, 4", n)
		}
		b.Stop()
		if drained := time.Since(began); drained != 11*time.Second {
			t.Errorf("Run returned after %v, want when the last request has come to its end", drained)
		}
		if n := len(b.Network.Posts()); n != posts {
			t.Errorf("%d posts after the engine was to stop", n-posts)
		}
		if workers, err := b.Store.Workers(b.Context()); err != nil || len(workers) != 0 {
			t.Errorf("workers: %v, %v", workers, err)
		}
		slow.Store(false)
		b.Start()
		advance(10 * time.Second)
		if n := len(b.Network.Posts()); n != 2*310 {
			t.Errorf("%d posts in the end, want %d", n, 2*310)
		}
	})
}

// What waited in hand for long is not sent: its worker may have been declared dead, and
// then others deliver it.
func TestAheadOfDeadWorker(t *testing.T) {
	o := &dispatch.Options{Concurrency: 4, PerCallback: 4, Timeout: 10 * time.Second, Retry: exact}
	inBubble(t, o, func(b *bench) {
		release := make(chan struct{})
		var blocked atomic.Bool
		var done succeeded
		b.Network.Answer = func(r *http.Request, _ int) (*http.Response, error) {
			if blocked.Load() {
				<-release
			}
			done.note(r)
			return answer(200, ""), nil
		}
		// This engine can't find out: it can write nothing, nor claim.
		store := &mute{Store: b.Store}
		b.Engine = b.engineOn(store, o)
		c := b.Callback("hook", webhook.Callback{})
		b.Start()
		b.WarmUp()
		blocked.Store(true)
		b.Append(0, 100)
		synctest.Wait()
		if n := b.InHand(c); n < 30 {
			t.Fatalf("%d deliveries in hand, the test wants many", n)
		}
		store.away.Store(true)
		b.retireOnly()
		if n := b.InHand(c); n != 0 {
			t.Fatalf("%d deliveries are claimed by nobody", n)
		}
		advance(4*time.Second + time.Millisecond)
		posts := len(b.Network.Posts())
		blocked.Store(false)
		close(release)
		advance(time.Second)
		if n := len(b.Network.Posts()); n != posts {
			t.Errorf("%d posts in the name of a dead worker", n-posts)
		}
		store.away.Store(false)
		advance(time.Minute)
		synctest.Wait()
		for i := range 100 {
			if d := b.Delivery(strconv.Itoa(i), 1, c); d.State != webhook.DeliveryDelivered {
				t.Fatalf("delivery %d is %s", i, d.State)
			}
		}
		// Those in flight as the worker was declared dead were not recorded.
		if n := len(b.Network.Posts()); n != 10+4+100 {
			t.Errorf("%d posts, want %d", n, 10+4+100)
		}
	})
}

// A mute store takes no writes of a queue's while it is away, and gives nothing.
type mute struct {
	*memory.Store
	away atomic.Bool
}

var errMute = errors.New("the store is away")

func (s *mute) Beat(ctx context.Context, w webhook.Worker) error {
	if s.away.Load() {
		return errMute
	}
	return s.Store.Beat(ctx, w)
}

func (s *mute) Join(ctx context.Context) (webhook.Worker, error) {
	if s.away.Load() {
		return 0, errMute
	}
	return s.Store.Join(ctx)
}

func (s *mute) Claim(ctx context.Context, r webhook.ClaimRequest) ([]webhook.Claimed, error) {
	if s.away.Load() {
		return nil, errMute
	}
	return s.Store.Claim(ctx, r)
}

func (s *mute) Settle(ctx context.Context, w webhook.Worker, outcomes []webhook.Outcome) ([]webhook.Callback, error) {
	if s.away.Load() {
		return nil, errMute
	}
	return s.Store.Settle(ctx, w, outcomes)
}

// Callbacks that have much in hand take turns, and one that has little is served at once.
func TestAheadTakesTurns(t *testing.T) {
	const busy, took = 20, 40 * time.Millisecond
	o := &dispatch.Options{Concurrency: 32, PerCallback: 4, Retry: exact}
	inBubble(t, o, func(b *bench) {
		b.Network.Answer = func(*http.Request, int) (*http.Response, error) {
			advance(took)
			return answer(200, ""), nil
		}
		var callbacks []webhook.Callback
		for i := range busy {
			callbacks = append(callbacks, b.Callback(strconv.Itoa(i), webhook.Callback{Expression: "age == 1"}))
		}
		b.Callback("quiet", webhook.Callback{Expression: "age == 2"})
		b.Start()
		b.Dispatch("warm", 1)
		b.Dispatch("warm", 2)
		advance(time.Second)
		b.Append(0, 1000)
		most := 0
		for range 100 {
			advance(10 * time.Millisecond)
			inHand := 0
			for _, c := range callbacks {
				inHand += b.InHand(c)
			}
			most = max(most, inHand)
		}
		if most < 400 {
			t.Errorf("up to %d deliveries in hand, the test wants many", most)
		}
		for i := range 20 {
			record := "quiet" + strconv.Itoa(i)
			committed := time.Now()
			b.Dispatch(record, 2)
			advance(3 * took)
			at := slices.IndexFunc(b.Network.Posts(), func(p post) bool { return p.Record == record })
			if at < 0 {
				t.Fatalf("event %d of the quiet callback has not arrived after %v", i, time.Since(committed))
			}
			if waited := b.Network.Posts()[at].Time.Sub(committed); waited > 2*took {
				t.Errorf("event %d of the quiet callback was posted after %v", i, waited)
			}
		}
		advance(5 * time.Second)
		posts := make(map[string]int)
		total := 0
		for _, p := range b.Network.Posts() {
			if !strings.HasSuffix(p.URL, "/quiet") {
				posts[p.URL]++
				total++
			}
		}
		if total > busy*900 {
			t.Fatalf("%d posts, the test wants work to be left", total)
		}
		for url, n := range posts {
			if fair := total / busy; n < fair*2/3 || n > fair*3/2 {
				t.Errorf("%s got %d posts, a fair share is %d", url, n, fair)
			}
		}
	})
}

// A callback that was alone, and had many requests in flight, has its turns when others
// come.
func TestAheadTakesTurnsWithOthers(t *testing.T) {
	const others, took = 20, 40 * time.Millisecond
	o := &dispatch.Options{Concurrency: 32, PerCallback: 4, Retry: exact}
	inBubble(t, o, func(b *bench) {
		b.Network.Answer = func(*http.Request, int) (*http.Response, error) {
			advance(took)
			return answer(200, ""), nil
		}
		b.Callback("alone", webhook.Callback{Expression: "age == 2"})
		for i := range others {
			b.Callback(strconv.Itoa(i), webhook.Callback{Expression: "age == 1"})
		}
		b.Start()
		b.Dispatch("warm", 1)
		b.Dispatch("warm", 2)
		advance(time.Second)
		for i := range 1000 {
			if err := b.Store.Dispatch(b.Context(), update("alone"+strconv.Itoa(i), 2)); err != nil {
				t.Fatal(err)
			}
		}
		advance(500 * time.Millisecond)
		b.Append(0, 1000)
		advance(10 * took)
		before := len(b.Network.Posts())
		advance(3 * time.Second)
		posts := b.Network.Posts()[before:]
		alone := 0
		for _, p := range posts {
			if p.URL == hookURL("alone") {
				alone++
			}
		}
		if fair := len(posts) / (others + 1); alone < fair*2/3 || alone > fair*3/2 {
			t.Errorf("it got %d of %d posts, a fair share is %d", alone, len(posts), fair)
		}
	})
}

// What is in hand is bounded by the size of its messages too.
func TestAheadBoundsMemory(t *testing.T) {
	const size = 900 << 10
	o := &dispatch.Options{Concurrency: 16, PerCallback: 16, Retry: exact}
	inBubble(t, o, func(b *bench) {
		var slow atomic.Bool
		b.Network.Answer = func(*http.Request, int) (*http.Response, error) {
			if slow.Load() {
				advance(100 * time.Millisecond)
			}
			return answer(200, ""), nil
		}
		var callbacks []webhook.Callback
		for i := range 4 {
			callbacks = append(callbacks, b.Callback(strconv.Itoa(i), webhook.Callback{}))
		}
		b.Start()
		b.Warm()
		slow.Store(true)
		text := strings.Repeat("x", size)
		const events = 12
		for i := range events {
			e := update(strconv.Itoa(i), 1)
			e.Action = webhook.ActionDelete // a message without parameters, which would be the text again
			e.Profile.Fields["text"] = text
			if err := b.Store.Dispatch(b.Context(), e); err != nil {
				t.Fatal(err)
			}
		}
		most := 0
		for range 20 {
			advance(20 * time.Millisecond)
			inHand := 0
			for _, c := range callbacks {
				inHand += b.InHand(c)
			}
			most = max(most, inHand)
		}
		if most < 20 || most*size > 32<<20+size {
			t.Errorf("up to %d messages of %d bytes in hand", most, size)
		}
		advance(30 * time.Second)
		if n := len(b.Network.Posts()); n != 4*(1+events) {
			t.Errorf("%d posts, want %d", n, 4*(1+events))
		}
	})
}

// The changes of one record go out one after the other, each as soon as the one before has
// arrived, beside whatever else is in hand.
func TestAheadKeepsOrder(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	o := &dispatch.Options{
		Concurrency: 16, PerCallback: 8,
		Retry: dispatch.Retry{Pauses: slices.Repeat([]time.Duration{20 * time.Millisecond}, 50), Jitter: -1},
	}
	inBubble(t, o, func(b *bench) {
		const records, changes = 40, 25
		var mu sync.Mutex
		random := rand.New(rand.NewPCG(seed, 0))
		under := make(map[string]bool) // records that a request is in flight about, by URL
		var done succeeded
		b.Network.Answer = func(r *http.Request, _ int) (*http.Response, error) {
			id := r.Header.Get("webhook-id")
			key := r.URL.String() + " " + id[:strings.IndexByte(id, '-')]
			mu.Lock()
			if under[key] {
				t.Errorf("two requests at the same time about %s", key)
			}
			under[key] = true
			took, fails := time.Duration(random.IntN(15))*time.Millisecond, random.IntN(40) == 0
			mu.Unlock()
			advance(took)
			mu.Lock()
			under[key] = false
			mu.Unlock()
			if fails {
				return answer(500, ""), nil
			}
			done.note(r)
			return answer(200, ""), nil
		}
		for i := range 3 {
			b.Callback(strconv.Itoa(i), webhook.Callback{})
		}
		b.Start()
		for age := range changes {
			for record := range records {
				b.Dispatch(strconv.Itoa(record), age)
			}
			if age%5 == 0 {
				advance(50 * time.Millisecond)
			}
		}
		advance(10 * time.Minute)
		done.Once(t, 3*records*changes)
		for i := range 3 {
			var posts []post
			for _, p := range b.Network.Posts() {
				if p.URL == hookURL(strconv.Itoa(i)) {
					posts = append(posts, p)
				}
			}
			for record := range records {
				last := -1
				for _, text := range strings.Fields(ages(posts, strconv.Itoa(record))) {
					age, err := strconv.Atoi(text)
					if err != nil || age != last && age != last+1 {
						t.Fatalf("about record %d arrived %s", record, ages(posts, strconv.Itoa(record)))
					}
					last = age
				}
			}
		}
	})
}

// What comes with word of damage is delivered all the same, however much of it there is.
func TestAheadDamagedClaims(t *testing.T) {
	inBubble(t, nil, func(b *bench) {
		store := &damagedClaims{Store: b.Store}
		b.Engine = b.engineOn(store, nil)
		b.Network.Answer = func(*http.Request, int) (*http.Response, error) {
			advance(5 * time.Millisecond)
			return answer(200, ""), nil
		}
		c := b.Callback("hook", webhook.Callback{})
		b.Start()
		b.Append(0, 2000)
		advance(time.Minute)
		if n := len(b.Holding(c, webhook.DeliveryDelivered)); n != 2000 || len(b.Network.Posts()) != 2000 {
			t.Errorf("%d deliveries delivered by %d posts, want 2000", n, len(b.Network.Posts()))
		}
		if joins := store.joins.Load(); joins != 1 {
			t.Errorf("%d workers joined, want 1", joins)
		}
	})
}

// What was given back although the answer to that was lost is not given back once more when
// it is in hand again: it would go out twice.
func TestAheadGivenBackOnce(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	o := &dispatch.Options{
		Concurrency: 32, PerCallback: 8,
		Retry: dispatch.Retry{Pauses: slices.Repeat([]time.Duration{20 * time.Millisecond}, 50), Jitter: -1},
	}
	inBubble(t, o, func(b *bench) {
		store := &lostGiveBacks{Store: b.Store}
		b.Engine = b.engineOn(store, o)
		var mu sync.Mutex
		random := rand.New(rand.NewPCG(seed, 0))
		var done succeeded
		b.Network.Answer = func(r *http.Request, _ int) (*http.Response, error) {
			mu.Lock()
			fails := random.IntN(100) == 0
			mu.Unlock()
			advance(3 * time.Millisecond)
			if fails {
				return answer(500, ""), nil
			}
			done.note(r)
			return answer(200, ""), nil
		}
		b.Callback("hook", webhook.Callback{})
		b.Start()
		b.Append(0, 5000)
		advance(time.Minute)
		if n := store.lost.Load(); n < 5 {
			t.Errorf("%d answers were lost, the test wants more", n)
		}
		done.Once(t, 5000)
	})
}

// lostGiveBacks loses the answer of every second settlement with deliveries that are just
// given back.
type lostGiveBacks struct {
	*memory.Store
	calls, lost atomic.Int32
}

func (s *lostGiveBacks) Settle(
	ctx context.Context, w webhook.Worker, outcomes []webhook.Outcome,
) ([]webhook.Callback, error) {
	disabled, err := s.Store.Settle(ctx, w, outcomes)
	given := slices.ContainsFunc(outcomes, func(o webhook.Outcome) bool { return o.Attempt == nil })
	if err == nil && given && s.calls.Add(1)%2 == 1 {
		s.lost.Add(1)
		advance(20 * time.Millisecond)
		return nil, errors.New("connection lost after the commit")
	}
	return disabled, err
}

// A store that takes its time for every claim delays deliveries, and keeps none back.
func TestAheadSlowClaims(t *testing.T) {
	inBubble(t, nil, func(b *bench) {
		store := &slowClaims{Store: b.Store}
		b.Engine = b.engineOn(store, nil)
		b.Callback("hook", webhook.Callback{})
		b.Start()
		b.Append(0, 20)
		advance(time.Minute)
		b.Append(20, 20)
		advance(5 * time.Minute)
		if n := len(b.Network.Posts()); n != 40 {
			t.Errorf("%d posts, want 40", n)
		}
	})
}

// slowClaims answers claims after five seconds.
type slowClaims struct{ *memory.Store }

func (s *slowClaims) Claim(ctx context.Context, r webhook.ClaimRequest) ([]webhook.Claimed, error) {
	claimed, err := s.Store.Claim(ctx, r)
	if len(claimed) > 0 {
		advance(5 * time.Second)
	}
	return claimed, err
}

func (s *slowClaims) FanOutAndClaim(
	ctx context.Context, expansions []webhook.Expansion, r webhook.ClaimRequest,
) ([]webhook.Claimed, error) {
	claimed, err := s.Store.FanOutAndClaim(ctx, expansions, r)
	if len(claimed) > 0 {
		advance(5 * time.Second)
	}
	return claimed, err
}
