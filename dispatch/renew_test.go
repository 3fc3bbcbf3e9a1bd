package dispatch_test

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ringback-dev/ringback/dispatch"
	"github.com/ringback-dev/ringback/webhook"
)

// eight lets a receiver that takes 5 ms have eight requests in flight and hundreds wait.
var eight = &dispatch.Options{Concurrency: 8, PerCallback: 8, Retry: exact}

// slowly answers each request after 5 ms.
func slowly(*http.Request, int) (*http.Response, error) {
	advance(5 * time.Millisecond)
	return answer(200, ""), nil
}

// Backlog lets many deliveries to a callback wait in hand.
func (b *bench) Backlog(c webhook.Callback) {
	b.Helper()
	b.WarmUp()
	b.Append(0, 400)
	advance(31 * time.Millisecond)
	if n := b.InHand(c); n < 100 {
		b.Fatalf("%d deliveries in hand, the test wants many", n)
	}
}

// What waits in hand follows its callback: to its new URL, or nowhere. Only the requests
// that are in flight at that moment are as they were.
func TestWaitingFollowsCallback(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(b *bench, c webhook.Callback) error
		goes   string // on to there
		state  webhook.DeliveryState
	}{
		{"edited", func(b *bench, c webhook.Callback) error {
			c.URL = hookURL("other")
			_, err := b.Store.UpdateCallback(b.Context(), c)
			return err
		}, "other", webhook.DeliveryDelivered},
		{"disabled", func(b *bench, c webhook.Callback) error {
			c.State, c.Reason = webhook.StateDisabled, "enough"
			_, err := b.Store.UpdateCallback(b.Context(), c)
			return err
		}, "", webhook.DeliveryDead},
		{"deleted", func(b *bench, c webhook.Callback) error {
			return b.Store.DeleteCallback(b.Context(), c.ID)
		}, "", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			inBubble(t, eight, func(b *bench) {
				b.Network.Answer = slowly
				c := b.Callback("hook", webhook.Callback{})
				b.Start()
				b.Backlog(c)
				if err := test.change(b, c); err != nil {
					t.Fatal(err)
				}
				changed := time.Now()
				advance(10 * time.Second)
				late, other := 0, 0
				for _, p := range b.Network.Posts() {
					switch {
					case p.URL == hookURL("other"):
						other++
					case p.Time.After(changed):
						late++
					}
				}
				if late > 0 {
					t.Errorf("%d posts to the old URL after the change", late)
				}
				if (other > 0) != (test.goes == "other") {
					t.Errorf("%d posts to another URL", other)
				}
				page, err := b.Store.Deliveries(b.Context(), webhook.DeliveryQuery{Callback: c.ID, Limit: 1000})
				if err != nil && !errors.Is(err, webhook.ErrNotFound) {
					t.Fatal(err)
				}
				for _, d := range page.Deliveries {
					if d.State != test.state && d.State != webhook.DeliveryDelivered {
						t.Errorf("%s is %s, want %s", d.ID, d.State, test.state)
					}
				}
			})
		})
	}
}

// slowSettleStore takes its time to settle.
type slowSettleStore struct{ webhook.Store }

func (s *slowSettleStore) Settle(ctx context.Context, w webhook.Worker, outcomes []webhook.Outcome) ([]webhook.Callback, error) {
	advance(20 * time.Millisecond)
	return s.Store.Settle(ctx, w, outcomes)
}

// A receiver that answers 410 Gone gets nothing of what waits in hand, also before that is
// settled.
func TestWaitingAfterGone(t *testing.T) {
	inBubble(t, nil, func(b *bench) {
		b.Engine = b.engineOn(&slowSettleStore{b.Store}, &dispatch.Options{Concurrency: 2, PerCallback: 2, Retry: exact})
		var gone atomic.Bool
		b.Network.Answer = func(r *http.Request, n int) (*http.Response, error) {
			if gone.Load() {
				return answer(410, ""), nil
			}
			return slowly(r, n)
		}
		c := b.Callback("hook", webhook.Callback{})
		b.Start()
		b.Backlog(c)
		gone.Store(true)
		before := len(b.Network.Posts())
		advance(10 * time.Second)
		// Each of the two slots may be given away before the first 410 is judged.
		if n := len(b.Network.Posts()) - before; n < 1 || n > 2 {
			t.Errorf("%d posts after the receiver had gone, want at most those in flight", n)
		}
	})
}

// claimingStore calls a function while a claim is on its way back.
type claimingStore struct {
	webhook.Store
	claimed func(n int)
}

func (s *claimingStore) Claim(ctx context.Context, r webhook.ClaimRequest) ([]webhook.Claimed, error) {
	claimed, err := s.Store.Claim(ctx, r)
	s.claimed(len(claimed))
	return claimed, err
}

// A change that comes while deliveries are claimed reaches them too, although the engine has
// seen it before it has them in hand.
func TestChangeAmidClaim(t *testing.T) {
	inBubble(t, nil, func(b *bench) {
		b.Network.Answer = slowly
		c := b.Callback("hook", webhook.Callback{})
		changed := false
		b.Engine = b.engineOn(&claimingStore{b.Store, func(n int) {
			if n < 100 || changed {
				return
			}
			changed = true
			c.URL = hookURL("other")
			if _, err := b.Store.UpdateCallback(b.Context(), c); err != nil {
				t.Error(err)
			}
			advance(100 * time.Millisecond)
		}}, eight)
		b.Start()
		b.Backlog(c)
		if !changed {
			t.Fatal("no large claim, the test wants one")
		}
		advance(10 * time.Second)
		old := 0
		for _, p := range b.Network.Posts() {
			if p.URL == hookURL("hook") && p.Record != "warm" {
				old++
			}
		}
		if old > 24 {
			t.Errorf("%d posts to the old URL, want few", old)
		}
	})
}

// secretiveStore can't say what became of a callback for a while.
type secretiveStore struct {
	webhook.Store
	away atomic.Bool
}

func (s *secretiveStore) Callback(ctx context.Context, id string) (webhook.Callback, error) {
	if s.away.Load() {
		return webhook.Callback{}, errors.New("the store is away")
	}
	return s.Store.Callback(ctx, id)
}

// A store that is away when a callback was changed is asked again.
func TestChangeWhileAway(t *testing.T) {
	inBubble(t, nil, func(b *bench) {
		var log logbook
		b.Network.Answer = func(*http.Request, int) (*http.Response, error) {
			advance(20 * time.Millisecond)
			return answer(200, ""), nil
		}
		c := b.Callback("hook", webhook.Callback{})
		store := &secretiveStore{Store: b.Store}
		o := *eight
		o.Logger = log.Logger()
		b.Engine = b.engineOn(store, &o)
		b.Start()
		b.Backlog(c)
		store.away.Store(true)
		c.URL = hookURL("other")
		if _, err := b.Store.UpdateCallback(b.Context(), c); err != nil {
			t.Fatal(err)
		}
		advance(100 * time.Millisecond)
		store.away.Store(false)
		advance(100 * time.Millisecond)
		back := time.Now()
		advance(10 * time.Second)
		for _, p := range b.Network.Posts() {
			if p.URL == hookURL("hook") && p.Time.After(back) {
				t.Fatalf("a post to the old URL %v after the store was back", p.Time.Sub(back))
			}
		}
		if log.Count("reading a callback") == 0 {
			t.Error("nothing was logged")
		}
	})
}

// Changes are followed soon also after a store was away for long.
func TestChangeAfterAway(t *testing.T) {
	inBubble(t, nil, func(b *bench) {
		b.Network.Answer = slowly
		c := b.Callback("hook", webhook.Callback{})
		store := &secretiveStore{Store: b.Store}
		b.Engine = b.engineOn(store, eight)
		b.Start()
		b.Backlog(c)
		edit := func(name string) {
			c.URL = hookURL(name)
			var err error
			if c, err = b.Store.UpdateCallback(b.Context(), c); err != nil {
				t.Fatal(err)
			}
		}
		store.away.Store(true)
		edit("other")
		advance(10 * time.Second)
		store.away.Store(false)
		advance(10 * time.Second)
		b.Append(400, 400)
		advance(31 * time.Millisecond)
		if n := b.InHand(c); n < 100 {
			t.Fatalf("%d deliveries in hand, the test wants many", n)
		}
		edit("third")
		soon := time.Now().Add(100 * time.Millisecond)
		advance(10 * time.Second)
		late := 0
		for _, p := range b.Network.Posts() {
			if p.URL != hookURL("third") && p.Time.After(soon) {
				late++
			}
		}
		if late > 0 {
			t.Errorf("%d posts to the old URL long after the change", late)
		}
	})
}

// overtakenStore calls a function, once, when it has read a callback that is changed.
type overtakenStore struct {
	webhook.Store
	read func(webhook.Callback)
}

func (s *overtakenStore) Callback(ctx context.Context, id string) (webhook.Callback, error) {
	c, err := s.Store.Callback(ctx, id)
	if read := s.read; err == nil && c.Version > 1 && read != nil {
		s.read = nil
		read(c)
	}
	return c, err
}

// What was claimed after a change does not go back to what the callback was before, because
// that was read earlier and comes later.
func TestChangeOvertaken(t *testing.T) {
	inBubble(t, nil, func(b *bench) {
		b.Network.Answer = slowly
		c := b.Callback("hook", webhook.Callback{})
		b.Engine = b.engineOn(&overtakenStore{b.Store, func(c webhook.Callback) {
			c.URL = hookURL("third")
			if _, err := b.Store.UpdateCallback(b.Context(), c); err != nil {
				t.Error(err)
			}
			b.Append(400, 400)
			advance(300 * time.Millisecond)
		}}, eight)
		b.Start()
		b.Backlog(c)
		c.URL = hookURL("other")
		if _, err := b.Store.UpdateCallback(b.Context(), c); err != nil {
			t.Fatal(err)
		}
		advance(10 * time.Second)
		third, other := 0, 0 // of what was appended after the last change
		for _, p := range b.Network.Posts() {
			switch n, err := strconv.Atoi(p.Record); {
			case err != nil || n < 400:
			case p.URL == hookURL("third"):
				third++
			default:
				other++
			}
		}
		if third == 0 || other > 0 {
			t.Errorf("%d posts to the URL of the last change, %d to others", third, other)
		}
	})
}
