package dispatch_test

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ringback-dev/ringback/dispatch"
	"github.com/ringback-dev/ringback/webhook"
)

// A settlement that took place although its answer was lost is repeated without harm:
// the attempt counts once, and the delivery is not taken from its next attempt.
func TestLostSettleAnswer(t *testing.T) {
	o := &dispatch.Options{Retry: dispatch.Retry{Pauses: []time.Duration{0, time.Minute, time.Minute}, Jitter: -1}}
	inBubble(t, o, func(b *bench) {
		var inFlight, most atomic.Int32
		b.Network.Answer = func(_ *http.Request, n int) (*http.Response, error) {
			most.Store(max(most.Load(), inFlight.Add(1)))
			defer inFlight.Add(-1)
			if n == 1 {
				return answer(500, ""), nil
			}
			advance(10 * time.Second)
			return answer(200, ""), nil
		}
		store := &lostSettlement{Store: b.Store}
		b.Engine = b.engineOn(store, o)
		c := b.Callback("hook", webhook.Callback{})
		b.Start()
		b.Dispatch("1", 1)
		advance(5 * time.Minute)
		synctest.Wait()
		d := b.Delivery("1", 1, c)
		if n := len(b.Network.Posts()); n != 2 || most.Load() != 1 || d.Attempts != 2 || store.calls.Load() < 4 {
			t.Errorf("%d posts, %d at a time, %d attempts recorded in %d settlements; want 2, 1, 2, at least 4",
				n, most.Load(), d.Attempts, store.calls.Load())
		}
	})
}

// lostSettlement settles at its first call and says that it did not; the second fails.
type lostSettlement struct {
	webhook.Store
	calls atomic.Int32
}

func (s *lostSettlement) Settle(ctx context.Context, w webhook.Worker, outcomes []webhook.Outcome) ([]webhook.Callback, error) {
	call := s.calls.Add(1)
	if call == 2 {
		return nil, errors.New("still no connection")
	}
	disabled, err := s.Store.Settle(ctx, w, outcomes)
	if err == nil && call == 1 {
		return nil, errors.New("connection lost after the commit")
	}
	return disabled, err
}

// An outcome that the store refuses, while it takes others, does not hold those up, nor
// keeps its slot; when the store takes it without its texts, it is recorded like that.
func TestRefusedOutcome(t *testing.T) {
	for name, plain := range map[string]bool{"its texts": true, "as a whole": false} {
		t.Run(name, func(t *testing.T) {
			o := new(dispatch.Options)
			if plain {
				o = &dispatch.Options{Concurrency: 1, Probation: 1} // it holds all there are
			}
			inBubble(t, o, func(b *bench) {
				b.Network.Answer = func(*http.Request, int) (*http.Response, error) { return answer(200, "text"), nil }
				store := &refusingSettle{Store: b.Store, plain: plain, until: time.Now().Add(10 * time.Minute)}
				b.Engine = b.engineOn(store, o)
				c := b.Callback("hook", webhook.Callback{})
				other := b.Callback("other", webhook.Callback{Expression: "age > 1"})
				b.Start()
				b.Dispatch("poison", 1)
				synctest.Wait()
				for i := range 120 {
					b.Dispatch("1", i+2)
					advance(time.Second)
				}
				synctest.Wait()
				if d := b.Delivery("1", 121, other); d.State != webhook.DeliveryDelivered {
					t.Errorf("the other callback's last delivery is %s", d.State)
				}
				if workers, err := b.Store.Workers(t.Context()); err != nil || len(workers) > 2 {
					t.Errorf("workers: %v, %v", workers, err)
				}
				if d := b.Delivery("poison", 1, c); plain != (d.State == webhook.DeliveryDelivered) {
					t.Errorf("while it is refused the delivery is %s", d.State)
				}
				advance(20 * time.Minute)
				b.Dispatch("last", 2)
				advance(time.Minute)
				synctest.Wait()
				if d := b.Delivery("poison", 1, c); d.State != webhook.DeliveryDelivered {
					t.Errorf("at the end the delivery is %s", d.State)
				}
			})
		})
	}
}

// refusingSettle refuses, for a while, what is said of the first event, in whole or only
// the answer's text; and with it all that comes in its transaction.
type refusingSettle struct {
	webhook.Store
	plain bool
	until time.Time
}

func (s *refusingSettle) Settle(
	ctx context.Context, w webhook.Worker, outcomes []webhook.Outcome,
) ([]webhook.Callback, error) {
	for _, o := range outcomes {
		if o.Sequence == 1 && time.Now().Before(s.until) && (!s.plain || o.Attempt.Answer != "") {
			return nil, errors.New("constraint failed")
		}
	}
	return s.Store.Settle(ctx, w, outcomes)
}

// An outcome that came together with many that the store refuses for good is recorded in
// full, soon: it does not wait behind them.
func TestOutcomeBehindRefused(t *testing.T) {
	inBubble(t, nil, func(b *bench) {
		const poisoned = 20
		b.Network.Answer = func(r *http.Request, _ int) (*http.Response, error) {
			if r.URL.Path == "/good" {
				advance(100 * time.Millisecond) // it comes last
			} else {
				advance(50 * time.Millisecond)
			}
			return answer(200, "text"), nil
		}
		store := &slowPoisonedSettle{Store: b.Store, poisoned: make(map[string]bool)}
		b.Engine = b.engineOn(store, nil)
		for i := range poisoned {
			store.poisoned[b.Callback(strconv.Itoa(i), webhook.Callback{}).ID] = true
		}
		first := b.Callback("first", webhook.Callback{Expression: "age == 0"})
		good := b.Callback("good", webhook.Callback{})
		b.Dispatch("0", 0)
		b.Start()
		advance(20 * time.Second)
		synctest.Wait()
		for _, c := range []webhook.Callback{first, good} {
			d := b.Delivery("0", 0, c)
			attempts, err := b.Store.Attempts(t.Context(), d.ID)
			if err != nil || len(attempts) != 1 || attempts[0].Answer != "text" || d.State != webhook.DeliveryDelivered {
				t.Errorf("the delivery is %s, with the attempts %+v, %v", d.State, attempts, err)
			}
		}
	})
}

// slowPoisonedSettle refuses what is said of some callbacks, in any form. Its first answer
// is slow: what comes meanwhile is settled together.
type slowPoisonedSettle struct {
	webhook.Store
	poisoned map[string]bool
	slow     bool
}

func (s *slowPoisonedSettle) Settle(
	ctx context.Context, w webhook.Worker, outcomes []webhook.Outcome,
) ([]webhook.Callback, error) {
	if !s.slow {
		s.slow = true
		advance(time.Second)
	}
	for _, o := range outcomes {
		if s.poisoned[o.Callback] {
			return nil, errors.New("constraint failed")
		}
	}
	return s.Store.Settle(ctx, w, outcomes)
}

// A store that settles nothing for an hour gets its outcomes afterwards: nothing is
// posted twice.
func TestSettleOutlastsOutage(t *testing.T) {
	inBubble(t, nil, func(b *bench) {
		store := &noSettle{Store: b.Store, until: time.Now().Add(time.Hour)}
		b.Engine = b.engineOn(store, nil)
		for i := range 30 {
			b.Callback(strconv.Itoa(i), webhook.Callback{})
		}
		b.Start()
		b.Dispatch("1", 1)
		advance(time.Hour - time.Millisecond)
		if n := store.calls.Load(); n < 100 || n > 20_000 {
			t.Errorf("%d settlements tried in an hour", n)
		}
		advance(10 * time.Second)
		synctest.Wait()
		if n := len(b.Network.Posts()); n != 30 {
			t.Errorf("%d posts, want 30", n)
		}
		if open, err := b.Store.Deliveries(t.Context(), webhook.DeliveryQuery{State: webhook.DeliveryDelivered, Limit: 100}); err != nil ||
			len(open.Deliveries) != 30 {
			t.Errorf("%d delivered, %v", len(open.Deliveries), err)
		}
	})
}

// noSettle settles nothing for a while.
type noSettle struct {
	webhook.Store
	until time.Time
	calls atomic.Int32
}

func (s *noSettle) Settle(ctx context.Context, w webhook.Worker, outcomes []webhook.Outcome) ([]webhook.Callback, error) {
	s.calls.Add(1)
	if time.Now().Before(s.until) {
		return nil, errors.New("disk full")
	}
	return s.Store.Settle(ctx, w, outcomes)
}

// When an attempt disables its callback, a walk that ends its other deliveries begins at
// once.
func TestDisablingIsPruned(t *testing.T) {
	inBubble(t, nil, func(b *bench) {
		b.Network.Answer = func(*http.Request, int) (*http.Response, error) { return answer(410, ""), nil }
		store := &pruneMeter{Store: b.Store}
		b.Engine = b.engineOn(store, nil)
		b.Callback("hook", webhook.Callback{})
		b.Start()
		advance(70 * time.Second)
		before := store.calls.Load()
		b.Dispatch("1", 1)
		advance(time.Second)
		synctest.Wait()
		if n := store.calls.Load() - before; n != 1 {
			t.Errorf("%d walks after the callback was disabled, want 1", n)
		}
	})
}

type pruneMeter struct {
	webhook.Store
	calls atomic.Int32
	last  atomic.Pointer[webhook.PruneRequest]
}

func (s *pruneMeter) Prune(ctx context.Context, r webhook.PruneRequest) (webhook.PruneResult, error) {
	s.calls.Add(1)
	s.last.Store(&r)
	return s.Store.Prune(ctx, r)
}
