package dispatch_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ringback-dev/ringback/dispatch"
	"github.com/ringback-dev/ringback/store/memory"
	"github.com/ringback-dev/ringback/webhook"
)

// Whatever comes between what, nothing that may be sent waits until the store is asked for it
// unasked: each burst has arrived long before.
func TestPromptWhateverHappens(t *testing.T) {
	for range 6 {
		seed := rand.Uint64()
		t.Run(strconv.FormatUint(seed, 10), func(t *testing.T) { testPrompt(t, seed) })
	}
}

func testPrompt(t *testing.T, seed uint64) {
	random := rand.New(rand.NewPCG(seed, 0))
	o := &dispatch.Options{
		Concurrency: 1 + random.IntN(12), PerCallback: 1 + random.IntN(2), Probation: 2 + random.IntN(4),
		Timeout: time.Second,
		Retry:   dispatch.Retry{Pauses: slices.Repeat([]time.Duration{20 * time.Millisecond}, 3), Jitter: -1},
	}
	inBubble(t, o, func(b *bench) {
		store := &leisurely{Store: b.Store, random: rand.New(rand.NewPCG(seed, 1))}
		b.Engine = b.engineOn(store, o)
		if random.IntN(4) == 0 {
			b.Engine = b.engineOn(struct{ webhook.Store }{store}, o) // it can do no more than it must
		}
		if random.IntN(3) == 0 {
			other := *b
			other.Engine = b.engineOn(store, o)
			other.Start()
			defer other.Stop()
		}
		var mu sync.Mutex
		dice := rand.New(rand.NewPCG(seed, 2))
		b.Network.Answer = func(r *http.Request, _ int) (*http.Response, error) {
			if r.URL.String() == hookURL("hangs") {
				<-r.Context().Done()
				return nil, r.Context().Err()
			}
			mu.Lock()
			took, fails := time.Duration(dice.IntN(4))*time.Millisecond, dice.IntN(12) == 0
			mu.Unlock()
			advance(took)
			if fails {
				return answer(500, ""), nil
			}
			return answer(200, ""), nil
		}
		var callbacks []webhook.Callback
		for i := range 4 {
			callbacks = append(callbacks, b.Callback(strconv.Itoa(i), webhook.Callback{Expression: "age % 4 == " + strconv.Itoa(i)}))
		}
		if random.IntN(2) == 0 {
			b.Callback("hangs", webhook.Callback{})
		}
		b.Start()
		b.Warm()
		age := 0
		for range 40 {
			var hosts sync.WaitGroup
			for range 1 + random.IntN(8) {
				age++
				e, pause := update(strconv.Itoa(random.IntN(6)), age), time.Duration(random.IntN(8))*time.Millisecond
				engine := random.IntN(4) > 0
				hosts.Go(func() {
					advance(pause)
					var err error
					if engine {
						err = b.Engine.Dispatch(b.Context(), e)
					} else {
						err = b.Store.Dispatch(b.Context(), e)
					}
					if err != nil {
						t.Error(err)
					}
				})
			}
			hosts.Wait()
			advance(350 * time.Millisecond)
			for _, c := range callbacks {
				for _, state := range []webhook.DeliveryState{webhook.DeliveryReady, webhook.DeliveryWaiting, webhook.DeliveryClaimed} {
					for _, d := range b.Holding(c, state) {
						t.Fatalf("after 350 ms, of record %s: %s", d.Record, d.State)
					}
				}
			}
			if b.Pending() > 0 {
				t.Fatal("events are pending")
			}
			advance(time.Duration(random.IntN(300)) * time.Millisecond)
		}
	})
}

// leisurely takes up to two milliseconds before and after what it does.
type leisurely struct {
	*memory.Store
	mu     sync.Mutex
	random *rand.Rand
}

func (s *leisurely) wait() {
	s.mu.Lock()
	pause := time.Duration(s.random.IntN(3)) * time.Millisecond
	s.mu.Unlock()
	advance(pause)
}

func (s *leisurely) Pending(ctx context.Context, r webhook.PendingRequest) (webhook.PendingEvents, error) {
	s.wait()
	defer s.wait()
	return s.Store.Pending(ctx, r)
}

func (s *leisurely) Claim(ctx context.Context, r webhook.ClaimRequest) ([]webhook.Claimed, error) {
	s.wait()
	defer s.wait()
	return s.Store.Claim(ctx, r)
}

func (s *leisurely) FanOutAndClaim(
	ctx context.Context, expansions []webhook.Expansion, r webhook.ClaimRequest,
) ([]webhook.Claimed, error) {
	s.wait()
	defer s.wait()
	return s.Store.FanOutAndClaim(ctx, expansions, r)
}

func (s *leisurely) AppendAndClaim(
	ctx context.Context, events []webhook.ExpandedEvent, revision int64, r webhook.ClaimRequest,
) ([]webhook.Claimed, bool, error) {
	s.wait()
	defer s.wait()
	return s.Store.AppendAndClaim(ctx, events, revision, r)
}

func (s *leisurely) Settle(
	ctx context.Context, w webhook.Worker, outcomes []webhook.Outcome,
) ([]webhook.Callback, error) {
	s.wait()
	defer s.wait()
	return s.Store.Settle(ctx, w, outcomes)
}

// A retry that comes due while its room is reserved for an append, which fails then, does not
// wait for long.
func TestPromptAfterFailedAppend(t *testing.T) {
	o := &dispatch.Options{
		PerCallback: 1, Probation: 1,
		Retry: dispatch.Retry{Pauses: []time.Duration{50 * time.Millisecond}, Jitter: -1},
	}
	inBubble(t, o, func(b *bench) {
		store := &reserving{appendStore: appendStore{Store: b.Store}}
		b.Engine = b.engineOn(store, o)
		b.Network.Answer = func(_ *http.Request, n int) (*http.Response, error) {
			if n == 2 {
				return nil, errors.New("connection lost")
			}
			return answer(200, ""), nil
		}
		c := b.Callback("hook", webhook.Callback{})
		b.Start()
		b.Warm()
		b.Dispatch("1", 1) // fails
		advance(40 * time.Millisecond)
		store.callback.Store(&c)
		if err := b.Engine.Dispatch(b.Context(), update("2", 2)); !errors.Is(err, webhook.ErrBacklogFull) {
			t.Fatal(err)
		}
		advance(50 * time.Millisecond)
		if got := ages(b.Network.Posts(), "1"); got != "1 1" {
			t.Errorf("soon after the retry was due arrived %q, want it to be repeated", got)
		}
	})
}

// reserving fails to append for a callback, having asked how much room there is.
type reserving struct {
	appendStore
	callback atomic.Pointer[webhook.Callback]
}

func (s *reserving) AppendAndClaim(
	ctx context.Context, events []webhook.ExpandedEvent, revision int64, r webhook.ClaimRequest,
) ([]webhook.Claimed, bool, error) {
	c := s.callback.Load()
	if c == nil {
		return s.appendStore.AppendAndClaim(ctx, events, revision, r)
	}
	r.Room(c.ID, c.Health)
	advance(30 * time.Millisecond)
	return nil, false, webhook.ErrBacklogFull
}

// What waits for the first request to a callback to come to its end is sent when it does, be
// it that its outcome had to wait for the store.
func TestPromptAfterProbation(t *testing.T) {
	o := &dispatch.Options{Concurrency: 1, PerCallback: 1, Probation: 4096}
	inBubble(t, o, func(b *bench) {
		store := &heldSettle{Store: b.Store, hold: make(chan struct{})}
		b.Engine = b.engineOn(store, o)
		release := sync.OnceFunc(func() { close(store.hold) })
		defer release()
		const others = 2200
		for i := range others { // their outcomes are more than wait for the settler
			b.Callback(strconv.Itoa(i), webhook.Callback{Expression: "age == 1"})
		}
		b.Callback("new", webhook.Callback{Expression: "age > 1"})
		b.Start()
		for i, age := range []int{1, 2, 3} {
			if err := b.Store.Dispatch(b.Context(), update(strconv.Itoa(i), age)); err != nil {
				t.Fatal(err)
			}
			advance(10 * time.Millisecond)
		}
		if got := ages(b.Network.Posts(), "1"); got != "2" || len(b.Network.Posts()) != others+1 {
			t.Fatalf("%d posts, about the second record %q; want %d and 2", len(b.Network.Posts()), got, others+1)
		}
		release()
		advance(50 * time.Millisecond)
		if got := ages(b.Network.Posts(), "2"); got != "3" {
			t.Errorf("soon after the store is back arrived %q, want 3", got)
		}
	})
}

// heldSettle settles nothing until hold is closed.
type heldSettle struct {
	*memory.Store
	hold chan struct{}
}

func (s *heldSettle) Settle(
	ctx context.Context, w webhook.Worker, outcomes []webhook.Outcome,
) ([]webhook.Callback, error) {
	<-s.hold
	return s.Store.Settle(ctx, w, outcomes)
}

// Where a receiver gets one request at a time, each follows upon the one before.
func TestPromptOneByOne(t *testing.T) {
	for name, took := range map[string]time.Duration{
		"answering": 300 * time.Millisecond, "on probation": 1300 * time.Millisecond,
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, &dispatch.Options{Concurrency: 8, PerCallback: 1}, func(b *bench) {
				b.Network.Answer = func(*http.Request, int) (*http.Response, error) {
					advance(took)
					return answer(200, ""), nil
				}
				b.Callback("hook", webhook.Callback{})
				b.Start()
				b.Warm()
				b.Append(0, 10)
				advance(15 * time.Second)
				posts := b.Network.Posts()[1:]
				if len(posts) != 10 {
					t.Fatalf("%d posts, want 10", len(posts))
				}
				for i := range posts[1:] {
					if gap := posts[i+1].Time.Sub(posts[i].Time); gap < took || gap > took+10*time.Millisecond {
						t.Errorf("request %d came %v after the one before, want %v", i+1, gap, took)
					}
				}
			})
		})
	}
}

// What is appended while something is pending is written as soon as that is fanned out.
func TestPromptAfterPending(t *testing.T) {
	inBubble(t, nil, func(b *bench) {
		b.Callback("hook", webhook.Callback{})
		b.Start()
		b.Dispatch("1", 1)
		advance(time.Second)
		if err := b.Store.Dispatch(b.Context(), update("2", 1)); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		b.Dispatch("2", 2) // and finds it pending
		b.Dispatch("2", 3)
		if took := time.Since(began); took > time.Millisecond {
			t.Errorf("two appends took %v", took)
		}
	})
}

// pendingAmidAppends runs the engine on a store that takes its time, with an event pending.
func (b *bench) pendingAmidAppends() *appendStore {
	b.Helper()
	store := b.appends(nil)
	store.fanOut = 3 * time.Millisecond
	store.before = func() error { advance(time.Millisecond); return nil }
	b.Callback("hook", webhook.Callback{})
	b.Start()
	b.Warm()
	store.Reset()
	if err := b.Store.Dispatch(b.Context(), update("host", 1)); err != nil {
		b.Fatal(err)
	}
	return store
}

// However many append all the time, that one event was pending is soon over.
func TestPromptAfterPendingAmidAppends(t *testing.T) {
	inBubble(t, nil, func(b *bench) {
		store := b.pendingAmidAppends()
		var hosts sync.WaitGroup
		for i := range 4 {
			hosts.Go(func() {
				advance(time.Duration(i) * 300 * time.Microsecond)
				for age := range 500 {
					if age == 100 && i == 0 {
						store.Reset()
					}
					b.Dispatch(strconv.Itoa(i), age)
				}
			})
		}
		hosts.Wait()
		if n, direct := store.pending.Load(), store.directly.Load(); n > 0 {
			t.Errorf("%d events were pending, %d were not, long after that one was", n, direct)
		}
	})
}

// What is appended behind one that had to be pending waits until that is fanned out, also
// where the outbox was empty before.
func TestPromptBehindPending(t *testing.T) {
	inBubble(t, nil, func(b *bench) {
		store := b.pendingAmidAppends()
		var hosts sync.WaitGroup
		for i := range 2 {
			hosts.Go(func() {
				advance(time.Duration(i) * 500 * time.Microsecond)
				b.Dispatch("2", i)
			})
		}
		hosts.Wait()
		if n, direct := store.pending.Load(), store.directly.Load(); n != 1 || direct != 1 {
			t.Errorf("%d events were pending and %d were not, want 1 and 1", n, direct)
		}
	})
}

// What finds no room in either pool is claimed as soon as there is some.
func TestPromptAfterFullPools(t *testing.T) {
	o := &dispatch.Options{Concurrency: 1, PerCallback: 1, Probation: 1}
	inBubble(t, o, func(b *bench) {
		store := &gatedSettle{Store: b.Store}
		b.Engine = b.engineOn(store, o)
		const known = 80 // more than may be in hand
		for i := range known {
			b.Callback(strconv.Itoa(i), webhook.Callback{Expression: "age == 1"})
		}
		b.Callback("new", webhook.Callback{Expression: "age == 2"})
		b.Start()
		append := func(record string, age int) {
			if err := b.Store.Dispatch(b.Context(), update(record, age)); err != nil {
				t.Fatal(err)
			}
			advance(10 * time.Millisecond)
		}
		append("warm", 1)
		advance(10 * time.Second)
		store.gate.Lock()
		append("1", 1)
		append("2", 2)
		append("3", 1) // finds no room
		sent := len(b.Network.Posts())
		store.gate.Unlock()
		if sent == 3*known+1 {
			t.Fatal("nothing has to wait, the test wants some")
		}
		advance(50 * time.Millisecond)
		if n := len(b.Network.Posts()); n != 3*known+1 {
			t.Errorf("%d posts soon after there was room, want %d", n, 3*known+1)
		}
	})
}

// gatedSettle settles while its gate is not locked.
type gatedSettle struct {
	webhook.Store
	gate sync.Mutex
}

func (s *gatedSettle) Settle(ctx context.Context, w webhook.Worker, outcomes []webhook.Outcome) ([]webhook.Callback, error) {
	for !s.gate.TryLock() {
		advance(time.Millisecond)
	}
	defer s.gate.Unlock()
	return s.Store.Settle(ctx, w, outcomes)
}
