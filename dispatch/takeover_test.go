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

// While the store is away no worker can show that it lives, so nobody is taken for
// dead because of it, whether the store fails or hangs meanwhile.
func TestOutageIsNoDeath(t *testing.T) {
	for _, name := range []string{"fails", "hangs", "takes no writes"} {
		t.Run(name, func(t *testing.T) {
			o := &dispatch.Options{Timeout: time.Minute}
			inBubble(t, o, func(b *bench) {
				b.Network.Answer = func(*http.Request, int) (*http.Response, error) {
					advance(40 * time.Second)
					return answer(200, ""), nil
				}
				store := &outage{
					Store: b.Store, hangs: name == "hangs", readable: name == "takes no writes",
					from: time.Now().Add(5 * time.Second), to: time.Now().Add(16 * time.Second),
				}
				b.Engine = b.engineOn(store, o)
				b.Callback("hook", webhook.Callback{})
				b.Start()
				b.Dispatch("1", 30)
				advance(time.Second)
				other := *b
				other.Engine = b.engineOn(store, o)
				other.Start()
				advance(2 * time.Minute)
				synctest.Wait()
				other.Stop()
				if n := len(b.Network.Posts()); n != 1 {
					t.Errorf("%d posts, want 1: nobody was dead", n)
				}
			})
		})
	}
}

// An outage is a store that is away for a while.
type outage struct {
	webhook.Store
	from, to time.Time
	hangs    bool
	readable bool // as with a full disk
}

// away returns an error while the store is away, or waits until that is over and a
// little longer.
func (s *outage) away(longer time.Duration) error {
	if now := time.Now(); now.Before(s.from) || !now.Before(s.to) {
		return nil
	}
	if !s.hangs {
		return errors.New("the store is away")
	}
	advance(time.Until(s.to) + longer)
	return nil
}

func (s *outage) Beat(ctx context.Context, w webhook.Worker) error {
	if err := s.away(time.Second); err != nil {
		return err
	}
	return s.Store.Beat(ctx, w)
}

func (s *outage) Workers(ctx context.Context) ([]webhook.WorkerBeat, error) {
	if s.readable {
		return s.Store.Workers(ctx)
	}
	if err := s.away(0); err != nil {
		return nil, err
	}
	return s.Store.Workers(ctx)
}

func (s *outage) Retire(ctx context.Context, w webhook.WorkerBeat) (bool, error) {
	if err := s.away(0); err != nil {
		return false, err
	}
	return s.Store.Retire(ctx, w)
}

// Engines with nothing to do leave each other alone.
func TestIdleEngines(t *testing.T) {
	var log logbook
	o := &dispatch.Options{Logger: log.Logger()}
	inBubble(t, o, func(b *bench) {
		other := *b
		other.Engine = b.newEngine(o)
		b.Start()
		other.Start()
		advance(70 * time.Minute)
		synctest.Wait()
		workers, err := b.Store.Workers(t.Context())
		if err != nil || len(workers) != 2 {
			t.Errorf("workers: %v, %v; want two", workers, err)
		}
		for _, w := range workers {
			if w.Worker > 2 {
				t.Errorf("worker %d has joined", w.Worker)
			}
		}
		other.Stop()
		b.Stop()
		if dead, over := log.Count("declared dead"), log.Count("took over"); dead+over > 0 {
			t.Errorf("%d declared dead, %d taken over from", dead, over)
		}
	})
}
