package dispatch_test

import (
	"context"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ringback-dev/ringback/dispatch"
	"github.com/ringback-dev/ringback/webhook"
)

// Stored returns the callback as it is stored now.
func (b *bench) Stored(c webhook.Callback) webhook.Callback {
	b.Helper()
	stored, err := b.Store.Callback(b.Context(), c.ID)
	if err != nil {
		b.Fatal(err)
	}
	return stored
}

// always answers every request with a status.
func always(status int) func(*http.Request, int) (*http.Response, error) {
	return func(*http.Request, int) (*http.Response, error) { return answer(status, ""), nil }
}

// hang answers no request before its time is over.
func hang(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
}

// A receiver that answers 410 wants no more: its callback is disabled, with a reason, and
// nothing that waits for it is sent.
func TestGoneDisables(t *testing.T) {
	var told []webhook.Callback
	var log logbook
	o := &dispatch.Options{
		OnDisable: func(_ context.Context, c webhook.Callback) { told = append(told, c) },
		Logger:    log.Logger(),
	}
	inBubble(t, o, func(b *bench) {
		b.Network.Answer = func(*http.Request, int) (*http.Response, error) {
			advance(time.Second)
			return answer(410, ""), nil
		}
		c := b.Callback("hook", webhook.Callback{})
		b.Start()
		b.Dispatch("1", 30, 31)
		advance(time.Minute)
		b.Dispatch("2", 32)
		advance(10 * time.Minute)
		if n := len(b.Network.Posts()); n != 1 {
			t.Errorf("%d posts, want 1", n)
		}
		if d := b.Delivery("1", 30, c); d.State != webhook.DeliveryDead || !strings.Contains(d.Reason, "410") {
			t.Errorf("the delivery is %s: %s", d.State, d.Reason)
		}
		stored := b.Stored(c)
		if stored.State != webhook.StateDisabled || !strings.Contains(stored.Reason, "410") {
			t.Errorf("the callback is %s: %s", stored.State, stored.Reason)
		}
		if d := b.Delivery("1", 31, c); d.State != webhook.DeliveryDead || d.Reason != stored.Reason || d.Attempts != 0 {
			t.Errorf("what waited is %s after %d attempts: %s", d.State, d.Attempts, d.Reason)
		}
		b.Stop()
		if len(told) != 1 || told[0].ID != c.ID || told[0].State != webhook.StateDisabled || told[0].Reason != stored.Reason {
			t.Errorf("the host was told of %+v", told)
		}
		if n := log.Count("callback disabled"); n != 1 {
			t.Errorf("it was logged %d times", n)
		}
	})
}

// A callback that was edited while its receiver was saying 410 is another one.
func TestGoneBeforeEdit(t *testing.T) {
	inBubble(t, nil, func(b *bench) {
		b.Network.Answer = func(*http.Request, int) (*http.Response, error) {
			advance(time.Second)
			return answer(410, ""), nil
		}
		c := b.Callback("hook", webhook.Callback{})
		b.Start()
		b.Dispatch("1", 30)
		synctest.Wait()
		c.URL = "https://example.com/new"
		if _, err := b.Store.UpdateCallback(t.Context(), c); err != nil {
			t.Fatal(err)
		}
		advance(time.Minute)
		if stored := b.Stored(c); stored.State != webhook.StateActive {
			t.Errorf("the callback is %s: %s", stored.State, stored.Reason)
		}
	})
}

// A callback that has failed for too long, with no success in between, is disabled by the
// next failure.
func TestFailingForLongDisables(t *testing.T) {
	for _, test := range []struct {
		name    string
		success int // which post succeeds, from 1; 0 none
		posts   int // the last of them disables
	}{
		{"no success", 0, 7},
		{"a success in between", 4, 11},
	} {
		t.Run(test.name, func(t *testing.T) {
			o := &dispatch.Options{DisableAfter: 55 * time.Minute, Retry: dispatch.Retry{Pauses: []time.Duration{}}}
			inBubble(t, o, func(b *bench) {
				b.Network.Answer = func(_ *http.Request, n int) (*http.Response, error) {
					if n == test.success {
						return answer(200, ""), nil
					}
					return answer(500, ""), nil
				}
				c := b.Callback("hook", webhook.Callback{})
				b.Start()
				for age := range test.posts {
					if stored := b.Stored(c); stored.State != webhook.StateActive {
						t.Fatalf("after %d posts the callback is %s: %s", age, stored.State, stored.Reason)
					}
					b.Dispatch("1", age)
					advance(10 * time.Minute)
				}
				stored := b.Stored(c)
				since := stored.Health.FailingSince.UTC().Format(time.RFC3339)
				want := "it has been failing since " + since + ": 7 attempts in a row, the last one: the answer has status 500"
				if stored.State != webhook.StateDisabled || stored.Reason != want {
					t.Errorf("after %d posts the callback is %s: %q, want %q", test.posts, stored.State, stored.Reason, want)
				}
			})
		})
	}
}

// What the option says, five days by default, is compared with how long the callback had
// been failing when it was claimed, by a clock that was not set forth meanwhile.
func TestDisableAfter(t *testing.T) {
	const day = 24 * time.Hour
	for _, test := range []struct {
		option, failing time.Duration
		jump            bool // the clock was set forth by a week just before
		disables        bool
	}{
		{0, 5*day + time.Minute, false, true},
		{0, 5*day - time.Minute, false, false},
		{time.Hour, 61 * time.Minute, false, true},
		{time.Hour, 59 * time.Minute, false, false},
		{-1, 1000 * day, false, false},
		{0, -day, false, false},
		{0, 0, false, false},
		{0, 7*day + time.Minute, true, false},
		{0, 12*day + time.Minute, true, true},
	} {
		o := &dispatch.Options{DisableAfter: test.option}
		inBubble(t, o, func(b *bench) {
			b.Network.Answer = always(500)
			store := &healthStore{Store: b.Store, health: webhook.Health{Failures: 3}, settled: make(chan webhook.Outcome, 1)}
			if test.failing != 0 {
				store.health.FailingSince = time.Now().Add(-test.failing)
			}
			b.Engine = b.engineOn(store, o)
			if test.jump {
				began := time.Now()
				b.Engine.SetWall(func() time.Time {
					if time.Since(began) < time.Second {
						return time.Now().Round(0).Add(-7 * day)
					}
					return time.Now().Round(0)
				})
			}
			b.Callback("hook", webhook.Callback{})
			b.Start()
			advance(3 * time.Second)
			b.Dispatch("1", 30)
			o := <-store.settled
			if got := o.Disable != nil; got != test.disables {
				t.Errorf("option %v, failing for %v, clock set forth %v: disabled %v", test.option, test.failing, test.jump, got)
			}
			if o.Disable != nil && (!o.Disable.FailingSince.Equal(store.health.FailingSince) || o.Disable.Version != 1) {
				t.Errorf("disabled as %+v", o.Disable)
			}
			if o.State != webhook.DeliveryReady {
				t.Errorf("the delivery is %s", o.State)
			}
		})
	}
}

// The host's hook may take its time without holding up deliveries, and may panic; Run
// waits for it, and lets it know when it is to end.
func TestOnDisableIsApart(t *testing.T) {
	var ended atomic.Bool
	o := &dispatch.Options{OnDisable: func(ctx context.Context, c webhook.Callback) {
		if strings.HasSuffix(c.URL, "/panics") {
			panic("the host's")
		}
		<-ctx.Done()
		ended.Store(true)
	}}
	inBubble(t, o, func(b *bench) {
		b.Network.Answer = func(r *http.Request, _ int) (*http.Response, error) {
			if r.URL.Path == "/works" {
				return answer(200, ""), nil
			}
			return answer(410, ""), nil
		}
		b.Callback("panics", webhook.Callback{})
		b.Callback("slow", webhook.Callback{})
		c := b.Callback("works", webhook.Callback{})
		b.Start()
		b.Dispatch("1", 1)
		synctest.Wait()
		b.Dispatch("1", 2)
		synctest.Wait()
		if d := b.Delivery("1", 2, c); d.State != webhook.DeliveryDelivered {
			t.Errorf("while the hook takes its time, a delivery is %s", d.State)
		}
		stopping := time.Now()
		b.Stop()
		if took := time.Since(stopping); !ended.Load() || took > 16*time.Second {
			t.Errorf("Run took %v to end; the hook has ended: %v", took, ended.Load())
		}
		if workers, err := b.Store.Workers(t.Context()); err != nil || len(workers) != 0 {
			t.Errorf("workers: %v, %v; want none, though the hook took all the time there was", workers, err)
		}
	})
}

// healthStore says of every callback that its health is another, and tells the test what
// is settled, where that wants to know.
type healthStore struct {
	webhook.Store
	health  webhook.Health
	settled chan webhook.Outcome
}

func (s *healthStore) Claim(ctx context.Context, r webhook.ClaimRequest) ([]webhook.Claimed, error) {
	room := r.Room
	r.Room = func(callback string, _ webhook.Health) int { return room(callback, s.health) }
	claimed, err := s.Store.Claim(ctx, r)
	for i := range claimed {
		to := *claimed[i].To
		to.Health = s.health
		claimed[i].To = &to
	}
	return claimed, err
}

func (s *healthStore) Settle(ctx context.Context, w webhook.Worker, outcomes []webhook.Outcome) ([]webhook.Callback, error) {
	disabled, err := s.Store.Settle(ctx, w, outcomes)
	for _, o := range outcomes {
		select {
		case s.settled <- o:
		default:
		}
	}
	return disabled, err
}
