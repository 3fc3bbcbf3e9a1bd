package dispatch_test

import (
	"context"
	"errors"
	"net/http"
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

func (s *lostSettlement) Settle(ctx context.Context, w webhook.Worker, outcomes []webhook.Outcome) error {
	call := s.calls.Add(1)
	if call == 2 {
		return errors.New("still no connection")
	}
	err := s.Store.Settle(ctx, w, outcomes)
	if err == nil && call == 1 {
		return errors.New("connection lost after the commit")
	}
	return err
}
