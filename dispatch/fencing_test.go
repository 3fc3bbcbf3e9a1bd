package dispatch_test

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ringback-dev/ringback/dispatch"
	"github.com/ringback-dev/ringback/webhook"
)

// retireOnly declares the only worker dead, as another engine would.
func (b *bench) retireOnly() {
	b.Helper()
	workers, err := b.Store.Workers(b.Context())
	if err != nil || len(workers) != 1 {
		b.Errorf("workers: %v, %v; want one", workers, err)
		return
	}
	if retired, err := b.Store.Retire(b.Context(), workers[0]); err != nil || !retired {
		b.Errorf("Retire: %v, %v", retired, err)
	}
}

// What a worker claimed just before it was declared dead stays in its name: the
// outcome is not recorded as that of its successor.
func TestFencedClaimKeepsItsName(t *testing.T) {
	o := &dispatch.Options{Timeout: 10 * time.Minute}
	inBubble(t, o, func(b *bench) {
		var fenced atomic.Int32 // posts about record 2
		b.Network.Answer = func(r *http.Request, n int) (*http.Response, error) {
			switch {
			case n == 1:
				return answer(200, ""), nil
			case !strings.HasPrefix(r.Header.Get("webhook-id"), "2-"):
				advance(2 * time.Minute) // so that the worker has something in hand
				return answer(200, ""), nil
			case fenced.Add(1) == 1:
				advance(time.Second)
				return answer(500, ""), nil
			}
			advance(time.Minute)
			return answer(200, ""), nil
		}
		claims := 0
		b.Engine = b.engineOn(&claimStore{b.Store, func(claimed []webhook.Claimed) error {
			if !slices.ContainsFunc(claimed, func(c webhook.Claimed) bool { return c.Record == "2" }) {
				return nil
			}
			if claims++; claims == 1 {
				b.retireOnly()
				advance(3 * time.Second) // the answer is slow; a beat finds out meanwhile
			} else {
				advance(100 * time.Millisecond) // the successor's post comes second
			}
			return nil
		}}, o)
		c := b.Callback("hook", webhook.Callback{})
		b.Start()
		for _, record := range []string{"0", "1", "2"} {
			b.Dispatch(record, 1)
			synctest.Wait()
		}
		advance(10 * time.Minute)
		synctest.Wait()
		d := b.Delivery("2", 1, c)
		attempts, err := b.Store.Attempts(t.Context(), d.ID)
		if err != nil || len(attempts) != 1 || attempts[0].Status != 200 || fenced.Load() != 2 {
			t.Errorf("%d posts; recorded: %+v, %v; want that of the successor alone", fenced.Load(), attempts, err)
		}
	})
}

// However many loops find out that the worker was declared dead, the engine joins
// once.
func TestFencedJoinsOnce(t *testing.T) {
	o := &dispatch.Options{Timeout: time.Minute}
	inBubble(t, o, func(b *bench) {
		b.Network.Answer = func(*http.Request, int) (*http.Response, error) {
			advance(50 * time.Second)
			return answer(200, ""), nil
		}
		store := &slowJoin{Store: b.Store}
		b.Engine = b.engineOn(store, o)
		b.Callback("hook", webhook.Callback{})
		b.Start()
		b.Dispatch("1", 1)
		synctest.Wait()
		b.retireOnly()
		advance(20 * time.Second)
		synctest.Wait()
		workers, err := b.Store.Workers(t.Context())
		if n := store.joins.Load(); n != 2 || err != nil || len(workers) != 1 {
			t.Errorf("%d joins after one fencing, workers now: %v, %v", n-1, workers, err)
		}
	})
}

// slowJoin takes its time to let a worker join again.
type slowJoin struct {
	webhook.Store
	joins atomic.Int32
}

func (s *slowJoin) Join(ctx context.Context) (webhook.Worker, error) {
	w, err := s.Store.Join(ctx)
	if s.joins.Add(1) > 1 {
		advance(3 * time.Second)
	}
	return w, err
}
