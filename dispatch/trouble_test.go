package dispatch_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ringback-dev/ringback/dispatch"
	"github.com/ringback-dev/ringback/webhook"
)

// A store that is away for an hour is worth some lines in the log, not thousands; that
// it is back is worth one per loop.
func TestOutageLogsLittle(t *testing.T) {
	var log logbook
	o := &dispatch.Options{Logger: log.Logger()}
	inBubble(t, o, func(b *bench) {
		b.Engine = b.engineOn(&awayStore{b.Store, time.Now().Add(time.Hour)}, o)
		b.Start()
		advance(time.Hour - time.Millisecond)
		for _, doing := range []string{"claiming", "fanning out", "looking after the other workers"} {
			if n := log.Count(doing + " failed"); n < 1 || n > 20 {
				t.Errorf("that %s failed is logged %d times in an hour", doing, n)
			}
		}
		if n := log.Count("\n"); n > 50 {
			t.Errorf("%d lines in an hour", n)
		}
		advance(time.Minute)
		synctest.Wait()
		for _, doing := range []string{"claiming", "fanning out", "looking after the other workers"} {
			if n := log.Count(doing + " works again"); n != 1 {
				t.Errorf("that %s works again is logged %d times", doing, n)
			}
		}
	})
}

// awayStore fails at what the loops ask of it.
type awayStore struct {
	webhook.Store
	until time.Time
}

func (s *awayStore) away() error {
	if time.Now().Before(s.until) {
		return errors.New("the store is away")
	}
	return nil
}

func (s *awayStore) Pending(ctx context.Context, r webhook.PendingRequest) (webhook.PendingEvents, error) {
	if err := s.away(); err != nil {
		return webhook.PendingEvents{}, err
	}
	return s.Store.Pending(ctx, r)
}

func (s *awayStore) Claim(ctx context.Context, r webhook.ClaimRequest) ([]webhook.Claimed, error) {
	if err := s.away(); err != nil {
		return nil, err
	}
	return s.Store.Claim(ctx, r)
}

func (s *awayStore) Workers(ctx context.Context) ([]webhook.WorkerBeat, error) {
	if err := s.away(); err != nil {
		return nil, err
	}
	return s.Store.Workers(ctx)
}
