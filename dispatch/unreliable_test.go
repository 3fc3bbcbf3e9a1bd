package dispatch_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ringback-dev/ringback/dispatch"
	"github.com/ringback-dev/ringback/store/memory"
	"github.com/ringback-dev/ringback/webhook"
)

// Whatever a store fails to do, or does without saying so: while the process lives, each
// message is posted once, and those about a record in their order.
func TestUnreliableStore(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	o := &dispatch.Options{Concurrency: 16, Probation: 4}
	inBubble(t, o, func(b *bench) {
		const callbacks, records, events = 3, 20, 30
		store := &unreliableStore{Store: b.Store, random: rand.New(rand.NewPCG(seed, 0))}
		b.Engine = b.engineOn(store, o)
		b.Network.Answer = func(_ *http.Request, n int) (*http.Response, error) {
			advance(time.Duration(n%7) * 10 * time.Millisecond)
			return answer(200, ""), nil
		}
		for i := range callbacks {
			b.Callback(strconv.Itoa(i), webhook.Callback{})
		}
		b.Start()
		var want []string
		for age := range events {
			for record := range records {
				b.Dispatch(strconv.Itoa(record), age)
			}
			advance(100 * time.Millisecond)
			want = append(want, strconv.Itoa(age))
		}
		advance(30 * time.Second)
		store.heal()
		advance(70 * time.Minute) // those that joined and left unheard are gone then
		synctest.Wait()
		posts := make(map[string][]post) // by URL
		for _, p := range b.Network.Posts() {
			posts[p.URL] = append(posts[p.URL], p)
		}
		for url, posts := range posts {
			for record := range records {
				if got := ages(posts, strconv.Itoa(record)); got != strings.Join(want, " ") {
					t.Fatalf("%s: about record %d arrived %s", url, record, got)
				}
			}
		}
		if len(posts) != callbacks || b.Pending() != 0 {
			t.Errorf("%d callbacks have heard of something; %d events on the outbox", len(posts), b.Pending())
		}
		if workers, err := b.Store.Workers(t.Context()); err != nil || len(workers) != 1 {
			t.Errorf("workers: %v, %v; want one", workers, err)
		}
	})
}

// unreliableStore takes its time, fails now and then, and now and then says so of what it
// has done.
type unreliableStore struct {
	*memory.Store
	mu     sync.Mutex
	random *rand.Rand
	well   bool
}

func (s *unreliableStore) heal() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.well = true
}

// fails takes its time and says whether a call fails, and whether that is before it has
// done its work.
func (s *unreliableStore) fails() (before, after error) {
	s.mu.Lock()
	fate, wait, well := s.random.IntN(100), s.random.IntN(20), s.well
	s.mu.Unlock()
	advance(time.Duration(wait) * time.Millisecond)
	switch {
	case well:
	case fate < 10:
		return errors.New("not done"), nil
	case fate < 20:
		return nil, errors.New("connection lost")
	}
	return nil, nil
}

// unreliably calls what a store does.
func unreliably[T any](s *unreliableStore, do func() (T, error)) (T, error) {
	var none T
	before, after := s.fails()
	if before != nil {
		return none, before
	}
	done, err := do()
	if err == nil && after != nil {
		return none, fmt.Errorf("after it was done: %w", after)
	}
	s.fails() // the answer takes its time too
	return done, err
}

func (s *unreliableStore) FanOut(ctx context.Context, expansions []webhook.Expansion) error {
	_, err := unreliably(s, func() (struct{}, error) { return struct{}{}, s.Store.FanOut(ctx, expansions) })
	return err
}

func (s *unreliableStore) FanOutAndClaim(
	ctx context.Context, expansions []webhook.Expansion, r webhook.ClaimRequest,
) ([]webhook.Claimed, error) {
	return unreliably(s, func() ([]webhook.Claimed, error) { return s.Store.FanOutAndClaim(ctx, expansions, r) })
}

func (s *unreliableStore) Claim(ctx context.Context, r webhook.ClaimRequest) ([]webhook.Claimed, error) {
	return unreliably(s, func() ([]webhook.Claimed, error) { return s.Store.Claim(ctx, r) })
}

func (s *unreliableStore) Settle(
	ctx context.Context, w webhook.Worker, outcomes []webhook.Outcome,
) ([]webhook.Callback, error) {
	return unreliably(s, func() ([]webhook.Callback, error) { return s.Store.Settle(ctx, w, outcomes) })
}

func (s *unreliableStore) Join(ctx context.Context) (webhook.Worker, error) {
	return unreliably(s, func() (webhook.Worker, error) { return s.Store.Join(ctx) })
}

func (s *unreliableStore) Leave(ctx context.Context, w webhook.Worker) error {
	_, err := unreliably(s, func() (struct{}, error) { return struct{}{}, s.Store.Leave(ctx, w) })
	return err
}

func (s *unreliableStore) Beat(ctx context.Context, w webhook.Worker) error {
	_, err := unreliably(s, func() (struct{}, error) { return struct{}{}, s.Store.Beat(ctx, w) })
	return err
}
