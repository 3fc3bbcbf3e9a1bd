package dispatch_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ringback-dev/ringback/dispatch"
	"github.com/ringback-dev/ringback/webhook"
)

// Draining lets the request in flight end and records it; what is not in flight is
// handed back at once.
func TestDrain(t *testing.T) {
	inBubble(t, &dispatch.Options{PerCallback: 1}, func(b *bench) {
		b.Network.Answer = func(r *http.Request, _ int) (*http.Response, error) {
			advance(3 * time.Second) // the bubble's clock
			return answer(200, ""), r.Context().Err()
		}
		c := b.Callback("hook", webhook.Callback{})
		b.Start()
		b.Dispatch("1", 30)
		b.Dispatch("2", 31)
		synctest.Wait()
		started := time.Now()
		b.Stop()
		if took := time.Since(started); took != 3*time.Second {
			t.Errorf("draining took %v, want the 3s of the request", took)
		}
		states := map[webhook.DeliveryState]int{}
		states[b.Delivery("1", 30, c).State]++
		states[b.Delivery("2", 31, c).State]++
		if states[webhook.DeliveryDelivered] != 1 || states[webhook.DeliveryReady] != 1 {
			t.Errorf("after draining: %v", states)
		}
		if workers, err := b.Store.Workers(t.Context()); err != nil || len(workers) != 0 {
			t.Errorf("workers left: %v, %v", workers, err)
		}

		b.Start() // an engine may run again
		advance(5 * time.Second)
		synctest.Wait()
		if n := len(b.Network.Posts()); n != 2 {
			t.Errorf("%d posts, want 2", n)
		}
	})
}

// Draining takes no longer than the time-out of a request.
func TestDrainSilentReceiver(t *testing.T) {
	inBubble(t, nil, func(b *bench) {
		b.Network.Answer = func(r *http.Request, _ int) (*http.Response, error) {
			<-r.Context().Done()
			return nil, r.Context().Err()
		}
		c := b.Callback("hook", webhook.Callback{})
		b.Start()
		b.Dispatch("1", 30)
		synctest.Wait()
		started := time.Now()
		b.Stop()
		if took := time.Since(started); took > 16*time.Second {
			t.Errorf("draining took %v", took)
		}
		if d := b.Delivery("1", 30, c); d.State != webhook.DeliveryReady || d.Attempts != 1 {
			t.Errorf("after draining: %+v", d)
		}
	})
}

// A store that fails for good does not keep Run from returning.
func TestDrainBrokenStore(t *testing.T) {
	inBubble(t, nil, func(b *bench) {
		b.Engine = b.engineOn(&brokenStore{Store: b.Store}, nil)
		b.Callback("hook", webhook.Callback{})
		b.Start()
		b.Dispatch("1", 30)
		synctest.Wait()
		started := time.Now()
		b.Stop()
		if took := time.Since(started); took > 17*time.Second {
			t.Errorf("Run took %v to return", took)
		}
	})
}

// brokenStore loses the ability to settle.
type brokenStore struct{ webhook.Store }

func (*brokenStore) Settle(context.Context, webhook.Worker, []webhook.Outcome) ([]webhook.Callback, error) {
	return nil, errors.New("disk full")
}

// A store that fails for a while only delays.
func TestFailingStore(t *testing.T) {
	inBubble(t, nil, func(b *bench) {
		flaky := &flakyStore{Store: b.Store, until: time.Now().Add(20 * time.Second)}
		c := b.Callback("hook", webhook.Callback{})
		b.Dispatch("1", 30)
		b.Engine = b.engineOn(flaky, nil)
		b.Start()
		advance(30 * time.Second) // within 10 s of the store's return
		synctest.Wait()
		if d := b.Delivery("1", 30, c); d.State != webhook.DeliveryDelivered {
			t.Errorf("the delivery is %s", d.State)
		}
	})
}

type flakyStore struct {
	webhook.Store
	until time.Time
}

func (s *flakyStore) fail() error {
	if time.Now().Before(s.until) {
		return errors.New("disk full")
	}
	return nil
}

func (s *flakyStore) Join(ctx context.Context) (webhook.Worker, error) {
	if err := s.fail(); err != nil {
		return 0, err
	}
	return s.Store.Join(ctx)
}

func (s *flakyStore) Pending(ctx context.Context, r webhook.PendingRequest) (webhook.PendingEvents, error) {
	if err := s.fail(); err != nil {
		return webhook.PendingEvents{}, err
	}
	return s.Store.Pending(ctx, r)
}

func TestRunTwice(t *testing.T) {
	inBubble(t, nil, func(b *bench) {
		b.Start()
		synctest.Wait()
		if err := b.Engine.Run(t.Context()); err == nil {
			t.Error("a second Run at the same time is accepted")
		}
	})
}

// What a dead worker had claimed is delivered by another within 10 s.
func TestTakeOver(t *testing.T) {
	inBubble(t, nil, func(b *bench) {
		c := b.Callback("hook", webhook.Callback{})
		b.Dispatch("1", 30)
		b.Start()
		synctest.Wait()
		b.Stop() // the event is fanned out and delivered
		b.Dispatch("1", 31)

		// A worker that claims and is never heard of again.
		dead, err := b.Store.Join(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if err := b.Store.FanOut(t.Context(), []webhook.Expansion{{
			Sequence: 2,
			Messages: webhook.Messages{JSON: []byte(`{"profile":{"ID":"1"}}`)},
			Targets:  []webhook.Target{{Callback: c.ID, Method: webhook.MethodJSON, Encoding: webhook.EncodingBody}},
		}}); err != nil {
			t.Fatal(err)
		}
		claimed, err := b.Store.Claim(t.Context(), webhook.ClaimRequest{
			Worker: dead, Now: time.Now(), Limit: 1, LimitBytes: 1 << 20, Room: func(string, webhook.Health) int { return 1 },
		})
		if err != nil || len(claimed) != 1 {
			t.Fatalf("claimed %v, %v", claimed, err)
		}

		b.Start()
		advance(7 * time.Second)
		if n := len(b.Network.Posts()); n != 1 {
			t.Errorf("taken over too soon: %d posts", n)
		}
		advance(3 * time.Second)
		synctest.Wait()
		if n := len(b.Network.Posts()); n != 2 {
			t.Errorf("%d posts after 10 s, want 2", n)
		}
		_, err = b.Store.Settle(t.Context(), dead, []webhook.Outcome{{Sequence: 2, Callback: c.ID, State: webhook.DeliveryDead}})
		if !errors.Is(err, webhook.ErrFenced) {
			t.Errorf("the dead worker's settlement: %v, want ErrFenced", err)
		}
	})
}

// An engine that was declared dead, though it lives, goes on as a new worker, and
// what it had in flight is delivered again.
func TestFenced(t *testing.T) {
	inBubble(t, nil, func(b *bench) {
		b.Network.Answer = func(_ *http.Request, n int) (*http.Response, error) {
			if n == 1 {
				advance(10 * time.Second)
			}
			return answer(200, ""), nil
		}
		c := b.Callback("hook", webhook.Callback{})
		b.Start()
		b.Dispatch("1", 30)
		synctest.Wait()
		workers, err := b.Store.Workers(t.Context())
		if err != nil || len(workers) != 1 {
			t.Fatalf("workers: %v, %v", workers, err)
		}
		if retired, err := b.Store.Retire(t.Context(), workers[0]); err != nil || !retired {
			t.Fatalf("Retire: %v, %v", retired, err)
		}
		b.Dispatch("2", 31)
		advance(20 * time.Second)
		synctest.Wait()
		for _, d := range []webhook.Delivery{b.Delivery("1", 30, c), b.Delivery("2", 31, c)} {
			if d.State != webhook.DeliveryDelivered || d.Attempts != 1 {
				t.Errorf("%s is %s after %d recorded attempts, want delivered after 1", d.ID, d.State, d.Attempts)
			}
		}
	})
}

// A worker that holds a claim for long shows that it lives: nobody takes over.
func TestBeat(t *testing.T) {
	inBubble(t, &dispatch.Options{Timeout: time.Minute}, func(b *bench) {
		b.Network.Answer = func(*http.Request, int) (*http.Response, error) {
			advance(50 * time.Second)
			return answer(200, ""), nil
		}
		b.Callback("hook", webhook.Callback{})
		other := *b
		other.Engine = b.newEngine(nil)
		b.Start()
		other.Start()
		b.Dispatch("1", 30)
		advance(2 * time.Minute)
		synctest.Wait()
		other.Stop()
		if n := len(b.Network.Posts()); n != 1 {
			t.Errorf("%d posts, want 1", n)
		}
	})
}

// What has been kept long enough goes, and its event's ID may be used again.
func TestRetention(t *testing.T) {
	inBubble(t, &dispatch.Options{KeepDelivered: time.Hour}, func(b *bench) {
		c := b.Callback("hook", webhook.Callback{})
		b.Start()
		b.Dispatch("1", 30, 30)
		synctest.Wait()
		advance(30 * time.Minute)
		b.Delivery("1", 30, c)
		advance(40 * time.Minute)
		synctest.Wait()
		_, err := b.Store.Delivery(t.Context(), webhook.DeliveryID("1-30", c.ID))
		if !errors.Is(err, webhook.ErrNotFound) {
			t.Errorf("after its time the delivery is still kept: %v", err)
		}
		b.Dispatch("1", 30)
		synctest.Wait()
		if n := len(b.Network.Posts()); n != 2 {
			t.Errorf("%d posts, want 2", n)
		}
	})
}

// What was delivered and what is dead are each kept for as long as their option says.
func TestRetentionByState(t *testing.T) {
	for _, o := range []*dispatch.Options{
		{KeepDelivered: 10 * time.Minute, KeepDead: 30 * time.Minute},
		{KeepDelivered: 30 * time.Minute, KeepDead: 10 * time.Minute},
	} {
		o.Retry.Pauses = []time.Duration{}
		inBubble(t, o, func(b *bench) {
			b.Network.Answer = func(r *http.Request, _ int) (*http.Response, error) {
				if r.URL.Path == "/broken" {
					return answer(500, ""), nil
				}
				return answer(200, ""), nil
			}
			ends := map[string]time.Duration{
				webhook.DeliveryID("1-30", b.Callback("works", webhook.Callback{}).ID):  o.KeepDelivered,
				webhook.DeliveryID("1-30", b.Callback("broken", webhook.Callback{}).ID): o.KeepDead,
			}
			b.Start()
			b.Dispatch("1", 30)
			started := time.Now()
			for _, age := range []time.Duration{5 * time.Minute, 20 * time.Minute, 40 * time.Minute} {
				advance(age - time.Since(started))
				for id, end := range ends {
					_, err := b.Store.Delivery(t.Context(), id)
					if kept := err == nil; kept != (age < end) {
						t.Errorf("after %v, %s, to be kept for %v: %v", age, id, end, err)
					}
				}
			}
		})
	}
}
