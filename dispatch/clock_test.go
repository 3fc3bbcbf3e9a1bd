package dispatch_test

import (
	"context"
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ringback-dev/ringback/dispatch"
	"github.com/ringback-dev/ringback/webhook"
)

// A shiftedStore is a store as it looks from an engine whose wall clock is wrong: what the
// engine says of the time is off by the shift.
type shiftedStore struct {
	*pruneMeter
	shift       atomic.Int64
	reschedules atomic.Int32
}

func (s *shiftedStore) wall() time.Time { return time.Now().Round(0).Add(s.by()) }

func (s *shiftedStore) by() time.Duration { return time.Duration(s.shift.Load()) }

func (s *shiftedStore) Claim(ctx context.Context, r webhook.ClaimRequest) ([]webhook.Claimed, error) {
	r.Now = r.Now.Add(s.by())
	return s.pruneMeter.Claim(ctx, r)
}

func (s *shiftedStore) Settle(ctx context.Context, w webhook.Worker, outcomes []webhook.Outcome) ([]webhook.Callback, error) {
	for i := range outcomes {
		o := &outcomes[i]
		if o.Attempt != nil {
			a := *o.Attempt
			a.Time = a.Time.Add(s.by())
			o.Attempt = &a
		}
		for _, t := range []*time.Time{&o.Due, &o.Pause} {
			if !t.IsZero() {
				*t = t.Add(s.by())
			}
		}
	}
	return s.pruneMeter.Settle(ctx, w, outcomes)
}

func (s *shiftedStore) Reschedule(ctx context.Context, now time.Time) error {
	s.reschedules.Add(1)
	return s.pruneMeter.Reschedule(ctx, now)
}

// shifted puts the bench's engine on a shifted store.
func (b *bench) shifted(o *dispatch.Options) *shiftedStore {
	b.Helper()
	store := &shiftedStore{pruneMeter: &pruneMeter{Store: b.Store}}
	b.Engine = b.engineOn(store, o)
	b.Engine.SetWall(store.wall)
	return store
}

// However the wall clock is set between two attempts, the second one is made at most one
// pause later; and the clock is heeded once for each time that it is set back.
func TestWallClockIsSet(t *testing.T) {
	for name, shift := range map[string]time.Duration{
		"an hour back": -time.Hour, "a day back": -24 * time.Hour,
		"an hour forth": time.Hour, "a day forth": 24 * time.Hour,
	} {
		t.Run(name, func(t *testing.T) {
			pauses := []time.Duration{10 * time.Minute, 10 * time.Minute}
			o := &dispatch.Options{Retry: dispatch.Retry{Pauses: pauses, Jitter: -1}}
			inBubble(t, o, func(b *bench) {
				b.Network.Answer = func(_ *http.Request, n int) (*http.Response, error) {
					if n < 3 {
						return answer(500, ""), nil
					}
					return answer(200, ""), nil
				}
				store := b.shifted(o)
				c := b.Callback("hook", webhook.Callback{})
				b.Start()
				b.Dispatch("1", 1)
				advance(2 * time.Minute)
				store.shift.Store(int64(shift))
				advance(10*time.Minute + 2*time.Second)
				if n := len(b.Network.Posts()); n < 2 {
					t.Errorf("%d posts, want the second one by now", n)
				}
				store.shift.Store(0)
				advance(10*time.Minute + 2*time.Second)
				synctest.Wait()
				if d := b.Delivery("1", 1, c); d.State != webhook.DeliveryDelivered || d.Attempts != 3 {
					t.Errorf("the delivery is %s after %d attempts", d.State, d.Attempts)
				}
				if n := store.reschedules.Load(); n != 2 {
					t.Errorf("%d times rescheduled, want 2: at the start, and when the clock was set back", n)
				}
			})
		})
	}
}

// What a clock that was a day ahead has left behind is mended when an engine starts.
func TestWallClockWasWrong(t *testing.T) {
	o := &dispatch.Options{Retry: dispatch.Retry{Pauses: []time.Duration{time.Minute}, Jitter: -1}}
	inBubble(t, o, func(b *bench) {
		b.Network.Answer = func(_ *http.Request, n int) (*http.Response, error) {
			if n == 1 {
				return answer(500, ""), nil
			}
			return answer(200, ""), nil
		}
		store := b.shifted(o)
		store.shift.Store(int64(24 * time.Hour))
		b.Callback("hook", webhook.Callback{})
		b.Start()
		b.Dispatch("1", 1)
		synctest.Wait()
		b.Stop()
		store.shift.Store(0)
		b.Start()
		advance(time.Minute + 2*time.Second)
		if n := len(b.Network.Posts()); n != 2 {
			t.Errorf("%d posts, want 2", n)
		}
	})
}

// A wall clock that is set forth for some minutes removes nothing of what is kept; one
// that stays there is believed after an hour.
func TestWallClockDoesNotPrune(t *testing.T) {
	inBubble(t, nil, func(b *bench) {
		store := b.shifted(nil)
		b.Start()
		advance(time.Hour)
		kept := func() time.Duration { return time.Since(store.last.Load().Delivered).Round(time.Hour) }
		for range 2 {
			store.shift.Store(int64(48 * time.Hour))
			advance(30 * time.Minute)
			if kept() != 24*time.Hour {
				t.Errorf("with the clock set forth, what is %v old is removed", kept())
			}
			store.shift.Store(0)
			advance(10 * time.Minute)
			if kept() != 24*time.Hour {
				t.Errorf("with the clock set right, what is %v old is removed", kept())
			}
		}
		store.shift.Store(int64(48 * time.Hour))
		advance(62 * time.Minute)
		if kept() != -24*time.Hour {
			t.Errorf("an hour later, what is %v old is removed", kept())
		}
	})
}
