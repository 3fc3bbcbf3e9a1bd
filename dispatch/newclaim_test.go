package dispatch_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ringback-dev/ringback/dispatch"
	"github.com/ringback-dev/ringback/store/memory"
	"github.com/ringback-dev/ringback/webhook"
)

// A newClaimStore is one that claims new deliveries as it writes them. It lets a test come
// between that and the engine.
type newClaimStore struct {
	*memory.Store
	answer func(claimed []webhook.Claimed, err error) ([]webhook.Claimed, error)

	claims func() error // before each claim; may be nil
	leave  func()       // before each leave; may be nil
}

func (s *newClaimStore) FanOutAndClaim(
	ctx context.Context, expansions []webhook.Expansion, r webhook.ClaimRequest,
) ([]webhook.Claimed, error) {
	return s.answer(s.Store.FanOutAndClaim(ctx, expansions, r))
}

func (s *newClaimStore) AppendAndClaim(
	ctx context.Context, events []webhook.ExpandedEvent, revision int64, r webhook.ClaimRequest,
) (claimed []webhook.Claimed, pending bool, err error) {
	claimed, pending, err = s.Store.AppendAndClaim(ctx, events, revision, r)
	claimed, err = s.answer(claimed, err)
	return claimed, pending, err
}

func (s *newClaimStore) Claim(ctx context.Context, r webhook.ClaimRequest) ([]webhook.Claimed, error) {
	if s.claims != nil {
		if err := s.claims(); err != nil {
			return nil, err
		}
	}
	return s.Store.Claim(ctx, r)
}

func (s *newClaimStore) Leave(ctx context.Context, w webhook.Worker) error {
	err := s.Store.Leave(ctx, w)
	if s.leave != nil {
		s.leave()
	}
	return err
}

// A worker that is no longer wanted, since a claim of it has failed, does not leave while
// another claim of it is under way: what that is given would go out twice.
func TestNoLeaveDuringClaim(t *testing.T) {
	inBubble(t, nil, func(b *bench) {
		store := &newClaimStore{Store: b.Store}
		failed := false
		var once sync.Once
		left := make(chan struct{})
		store.claims = func() error {
			if len(b.Network.Posts()) == 0 || failed {
				return nil
			}
			failed = true
			// It is fanned out when this claim has ended.
			if err := b.Store.Dispatch(t.Context(), update("1", 1)); err != nil {
				t.Error(err)
			}
			return errors.New("connection lost")
		}
		store.leave = func() {
			if failed {
				once.Do(func() { close(left) })
			}
		}
		store.answer = func(claimed []webhook.Claimed, err error) ([]webhook.Claimed, error) {
			if failed && len(claimed) > 0 { // the answer is slow
				select {
				case <-left:
				case <-time.After(300 * time.Millisecond):
				}
			}
			return claimed, err
		}
		b.Network.Answer = func(_ *http.Request, n int) (*http.Response, error) {
			if n > 1 {
				advance(5 * time.Second)
			}
			return answer(200, ""), nil
		}
		b.Engine = b.engineOn(store, nil)
		c := b.Callback("hook", webhook.Callback{})
		b.Start()
		b.Dispatch("0", 1)
		advance(20 * time.Second)
		synctest.Wait()
		if d := b.Delivery("1", 1, c); !failed || d.State != webhook.DeliveryDelivered || d.Attempts != 1 {
			t.Errorf("failed: %v; the delivery is %s after %d attempts", failed, d.State, d.Attempts)
		}
		if got := ages(b.Network.Posts(), "1"); got != "1" {
			t.Errorf("posted: %q, want it once", got)
		}
		if workers, err := b.Store.Workers(t.Context()); err != nil || len(workers) != 1 {
			t.Errorf("workers: %v, %v; want one", workers, err)
		}
	})
}

// Whatever comes back with new deliveries that were claimed, they are delivered once, and
// keep no slot.
func TestNewClaimErrors(t *testing.T) {
	for name, test := range map[string]struct {
		answer func(claimed []webhook.Claimed) ([]webhook.Claimed, error)
		joins  int
	}{
		"damaged": {func(claimed []webhook.Claimed) ([]webhook.Claimed, error) {
			return claimed, fmt.Errorf("a message is gone: %w", webhook.ErrDamaged)
		}, 1},
		"lost answer": {func([]webhook.Claimed) ([]webhook.Claimed, error) {
			return nil, errors.New("connection lost after the commit")
		}, 32},
	} {
		t.Run(name, func(t *testing.T) {
			o := &dispatch.Options{Concurrency: 2, Probation: 2}
			inBubble(t, o, func(b *bench) {
				store := &newClaimStore{Store: b.Store}
				answers := 0
				store.answer = func(claimed []webhook.Claimed, err error) ([]webhook.Claimed, error) {
					if err != nil || len(claimed) == 0 {
						return claimed, err
					}
					answers++
					return test.answer(claimed)
				}
				b.Engine = b.engineOn(store, o)
				c := b.Callback("hook", webhook.Callback{})
				b.Start()
				const records = 30
				for i := range records + 1 {
					b.Dispatch(strconv.Itoa(i), 1)
					advance(2 * time.Second)
				}
				synctest.Wait()
				for i := range records + 1 {
					if d := b.Delivery(strconv.Itoa(i), 1, c); d.State != webhook.DeliveryDelivered || d.Attempts != 1 {
						t.Fatalf("delivery %d is %s after %d attempts", i, d.State, d.Attempts)
					}
				}
				if n := len(b.Network.Posts()); n != records+1 || answers != records+1 {
					t.Errorf("%d posts, %d claims of what is new", n, answers)
				}
				workers, err := b.Store.Workers(t.Context())
				if err != nil || len(workers) != 1 || int(workers[0].Worker) != test.joins {
					t.Errorf("workers: %v, %v; want the one that joined as number %d", workers, err, test.joins)
				}
			})
		})
	}
}

// A worker that was declared dead before new deliveries are claimed for it gets none; its
// successor delivers them.
func TestNewClaimFenced(t *testing.T) {
	inBubble(t, nil, func(b *bench) {
		c := b.Callback("hook", webhook.Callback{})
		b.Start()
		b.Dispatch("0", 1)
		synctest.Wait()
		b.retireOnly()
		b.Dispatch("1", 1)
		advance(2 * time.Second)
		synctest.Wait()
		if d := b.Delivery("1", 1, c); d.State != webhook.DeliveryDelivered || d.Attempts != 1 {
			t.Errorf("the delivery is %s after %d attempts", d.State, d.Attempts)
		}
		if workers, err := b.Store.Workers(t.Context()); err != nil || len(workers) != 1 || workers[0].Worker != 2 {
			t.Errorf("workers: %v, %v; want the second one", workers, err)
		}
	})
}
