package dispatch_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ringback-dev/ringback/dispatch"
	"github.com/ringback-dev/ringback/store/memory"
	"github.com/ringback-dev/ringback/webhook"
)

// claimStore lets a test come between a claim and its answer.
type claimStore struct {
	webhook.Store
	claimed func([]webhook.Claimed) error // called when there are any
}

func (s *claimStore) Claim(ctx context.Context, r webhook.ClaimRequest) ([]webhook.Claimed, error) {
	claimed, err := s.Store.Claim(ctx, r)
	if err == nil && len(claimed) > 0 {
		err = s.claimed(claimed)
	}
	if err != nil {
		return nil, err
	}
	return claimed, nil
}

// What a claim took although its answer was lost is not lost with it.
func TestLostClaimAnswer(t *testing.T) {
	inBubble(t, nil, func(b *bench) {
		lost := 0
		b.Engine = b.engineOn(&claimStore{b.Store, func([]webhook.Claimed) error {
			if lost++; lost == 1 {
				return errors.New("connection lost after the commit")
			}
			return nil
		}}, nil)
		c := b.Callback("hook", webhook.Callback{})
		b.Start()
		b.Dispatch("1", 30)
		advance(2 * time.Second)
		synctest.Wait()
		if d := b.Delivery("1", 30, c); d.State != webhook.DeliveryDelivered || d.Attempts != 1 || lost < 2 {
			t.Errorf("the delivery is %s after %d attempts and %d claims", d.State, d.Attempts, lost)
		}
		if workers, err := b.Store.Workers(t.Context()); err != nil || len(workers) != 1 {
			t.Errorf("workers: %v, %v; want one", workers, err)
		}
	})
}

// What was claimed as ctx ended is handed back at once, not when the requests in flight
// have come to their end.
func TestLateClaimIsHandedBack(t *testing.T) {
	inBubble(t, nil, func(b *bench) {
		b.Network.Answer = func(_ *http.Request, n int) (*http.Response, error) {
			if n > 1 {
				advance(14 * time.Second)
			}
			return answer(200, ""), nil
		}
		late := false
		b.Engine = b.engineOn(&claimStore{b.Store, func(claimed []webhook.Claimed) error {
			if claimed[0].Record == "3" {
				late = true
				b.stop()
			}
			return nil
		}}, nil)
		c := b.Callback("hook", webhook.Callback{})
		b.Start()
		for _, record := range []string{"1", "2", "3"} {
			b.Dispatch(record, 1)
			synctest.Wait()
		}
		if !late || len(b.Network.Posts()) != 2 {
			t.Fatalf("claimed late: %v, %d posts; the test wants one of 3 not posted", late, len(b.Network.Posts()))
		}
		if d := b.Delivery("3", 1, c); d.State != webhook.DeliveryReady || d.Attempts != 0 {
			t.Errorf("while draining, what was claimed late is %s after %d attempts", d.State, d.Attempts)
		}
		if d := b.Delivery("2", 1, c); d.State != webhook.DeliveryClaimed {
			t.Errorf("while draining, what is in flight is %s", d.State)
		}
	})
}

// A store in which claims fail is asked now and then, and served when it is well again.
func TestFailingClaimsDoNotSpin(t *testing.T) {
	inBubble(t, nil, func(b *bench) {
		store := &noClaims{Store: b.Store, until: time.Now().Add(time.Hour)}
		b.Engine = b.engineOn(store, nil)
		c := b.Callback("hook", webhook.Callback{})
		b.Start()
		b.Dispatch("1", 30)
		advance(time.Hour - time.Millisecond)
		if claims, joins := store.claims.Load(), store.joins.Load(); claims < 100 || claims > 1000 || joins > claims+1 {
			t.Errorf("%d claims and %d joins in an hour, want one about every 5 s", claims, joins)
		}
		if workers, err := b.Store.Workers(t.Context()); err != nil || len(workers) != 1 {
			t.Errorf("workers: %v, %v; want one", workers, err)
		}
		advance(10 * time.Second)
		synctest.Wait()
		if d := b.Delivery("1", 30, c); d.State != webhook.DeliveryDelivered {
			t.Errorf("when claims succeed again the delivery is %s", d.State)
		}
	})
}

type noClaims struct {
	webhook.Store
	until         time.Time
	claims, joins atomic.Int32
}

func (s *noClaims) Claim(ctx context.Context, r webhook.ClaimRequest) ([]webhook.Claimed, error) {
	const spinning = 10_000 // in the bubble it would never end
	if time.Now().Before(s.until) && s.claims.Add(1) < spinning {
		return nil, errors.New("disk full")
	}
	return s.Store.Claim(ctx, r)
}

func (s *noClaims) Join(ctx context.Context) (webhook.Worker, error) {
	s.joins.Add(1)
	return s.Store.Join(ctx)
}

// Callbacks that all have work take turns, even if there is one slot for all of them.
func TestCallbacksTakeTurns(t *testing.T) {
	inBubble(t, &dispatch.Options{Concurrency: 1, Probation: 1}, func(b *bench) {
		b.Network.Answer = func(*http.Request, int) (*http.Response, error) {
			advance(time.Millisecond)
			return answer(200, ""), nil
		}
		const callbacks, records = 3, 20
		for i := range callbacks {
			b.Callback(strconv.Itoa(i), webhook.Callback{})
		}
		b.Start()
		b.Dispatch("first", 1)
		advance(time.Second) // all have answered
		for i := range records {
			b.Dispatch(strconv.Itoa(i+1), 1)
		}
		advance(time.Second)
		posts := b.Network.Posts()
		if len(posts) != callbacks*(records+1) {
			t.Fatalf("%d posts, want %d", len(posts), callbacks*(records+1))
		}
		half := make(map[string]int)
		for _, p := range posts[callbacks:][:callbacks*records/2] {
			half[p.URL]++
		}
		for url, n := range half {
			if n < records/2-1 || n > records/2+1 {
				t.Errorf("%d of the first %d posts go to %s", n, callbacks*records/2, url)
			}
		}
	})
}

// What can be claimed beside what is damaged is delivered, by the same worker, and the
// damage is logged now and then.
func TestDamagedClaims(t *testing.T) {
	var log logbook
	o := &dispatch.Options{Logger: log.Logger()}
	inBubble(t, o, func(b *bench) {
		store := &damagedClaims{Store: b.Store}
		b.Engine = b.engineOn(store, o)
		c := b.Callback("hook", webhook.Callback{})
		b.Start()
		b.records(1, 20)
		advance(time.Hour)
		for i := range 20 {
			if d := b.Delivery(strconv.Itoa(i+1), 1, c); d.State != webhook.DeliveryDelivered || d.Attempts != 1 {
				t.Fatalf("delivery %d is %s after %d attempts", i+1, d.State, d.Attempts)
			}
		}
		if joins := store.joins.Load(); joins != 1 {
			t.Errorf("%d workers joined, want 1", joins)
		}
		if claims := store.claims.Load(); claims > 5*3600 {
			t.Errorf("%d claims in an hour", claims)
		}
		if n := log.Count("reading what is stored failed"); n < 1 || n > 20 {
			t.Errorf("the damage is logged %d times in an hour", n)
		}
		if n := log.Count("claiming failed"); n != 0 {
			t.Errorf("that claiming failed is logged %d times", n)
		}
	})
}

// damagedClaims says at each claim that something is damaged.
type damagedClaims struct {
	webhook.Store
	claims, joins atomic.Int32
}

func (s *damagedClaims) Claim(ctx context.Context, r webhook.ClaimRequest) ([]webhook.Claimed, error) {
	const spinning = 100_000 // in the bubble it would never end
	claimed, err := s.Store.Claim(ctx, r)
	if err == nil && s.claims.Add(1) < spinning {
		err = fmt.Errorf("a message is gone: %w", webhook.ErrDamaged)
	}
	return claimed, err
}

func (s *damagedClaims) Join(ctx context.Context) (webhook.Worker, error) {
	s.joins.Add(1)
	return s.Store.Join(ctx)
}

// A store that fences every worker is asked now and then.
func TestAlwaysFencedDoesNotSpin(t *testing.T) {
	inBubble(t, nil, func(b *bench) {
		store := &fencedClaims{Store: b.Store, until: time.Now().Add(time.Hour)}
		b.Engine = b.engineOn(store, nil)
		c := b.Callback("hook", webhook.Callback{})
		b.Start()
		b.Dispatch("1", 30)
		advance(time.Hour - time.Millisecond)
		if claims := store.claims.Load(); claims < 100 || claims > 3000 {
			t.Errorf("%d claims in an hour", claims)
		}
		if workers, err := b.Store.Workers(t.Context()); err != nil || len(workers) != 1 {
			t.Errorf("workers: %v, %v; want one", workers, err)
		}
		advance(10 * time.Second)
		if d := b.Delivery("1", 30, c); d.State != webhook.DeliveryDelivered {
			t.Errorf("when workers are let in again the delivery is %s", d.State)
		}
	})
}

type fencedClaims struct {
	webhook.Store
	until  time.Time
	claims atomic.Int32
}

func (s *fencedClaims) Claim(ctx context.Context, r webhook.ClaimRequest) ([]webhook.Claimed, error) {
	const spinning = 100_000 // in the bubble it would never end
	if time.Now().Before(s.until) && s.claims.Add(1) < spinning {
		return nil, webhook.ErrFenced
	}
	return s.Store.Claim(ctx, r)
}

// countingStore counts claims.
type countingStore struct {
	*memory.Store
	claims atomic.Int64
}

func (s *countingStore) Claim(ctx context.Context, r webhook.ClaimRequest) ([]webhook.Claimed, error) {
	s.claims.Add(1)
	return s.Store.Claim(ctx, r)
}

// Where a host appends all the time, which leaves nothing to claim, the engine does not look
// each time; what becomes ready meanwhile is sent soon all the same.
func TestFewLooksInVain(t *testing.T) {
	inBubble(t, nil, func(b *bench) {
		c := b.Callback("hook", webhook.Callback{})
		store := &countingStore{Store: b.Store}
		b.Engine = b.engineOn(store, &dispatch.Options{Retry: exact})
		b.Start()
		b.Dispatch("1", 1)
		advance(time.Second)
		before := store.claims.Load()
		const appends = 2000
		for i := range appends {
			if i == appends/2 {
				if _, err := b.Store.Replay(b.Context(), b.Delivery("1", 1, c).ID); err != nil {
					t.Fatal(err)
				}
			}
			e := update("2", i)
			e.Database = "another"
			if err := b.Store.Dispatch(b.Context(), e); err != nil {
				t.Fatal(err)
			}
			advance(time.Millisecond)
			if i == appends/2+50 && len(b.Network.Posts()) != 2 {
				t.Errorf("%d posts 50 ms after the replay, want 2", len(b.Network.Posts()))
			}
		}
		if n := store.claims.Load() - before; n > appends/5 {
			t.Errorf("%d claims amid %d appends", n, appends)
		}
	})
}
