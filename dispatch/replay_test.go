package dispatch_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ringback-dev/ringback/webhook"
)

// A replay is done soon after it is asked for, in the order of the events and in short
// steps, also when the engine is stopped amid it.
func TestReplay(t *testing.T) {
	inBubble(t, nil, func(b *bench) {
		store := &replayStore{Store: b.Store}
		b.Engine = b.engineOn(store, nil)
		const events = 350
		c := b.Callback("hook", webhook.Callback{})
		for age := range events {
			b.Dispatch("1", age)
		}
		b.Start()
		for len(b.Network.Posts()) < events {
			advance(time.Second)
		}
		synctest.Wait()
		store.fails.Store(3)
		if n, err := b.Store.StartReplay(t.Context(), webhook.ReplayRequest{Callback: c.ID}); err != nil || n != events {
			t.Fatalf("StartReplay: %d, %v", n, err)
		}
		b.Stop()
		b.Start()
		advance(time.Minute)
		synctest.Wait()
		if n := len(b.Network.Posts()); n != 2*events {
			t.Fatalf("%d posts, want %d", n, 2*events)
		}
		want := ""
		for age := range events {
			want += fmt.Sprint(age, " ")
		}
		if got := ages(b.Network.Posts()[len(b.Network.Posts())-events:], "1") + " "; got != want {
			t.Errorf("the replay arrived as %s", got)
		}
		if store.most.Load() > 100 {
			t.Errorf("steps of up to %d", store.most.Load())
		}
	})
}

// A single replay that is asked for while the engine idles begins within a second.
func TestReplayBeginsSoon(t *testing.T) {
	inBubble(t, nil, func(b *bench) {
		c := b.Callback("hook", webhook.Callback{})
		b.Start()
		b.Dispatch("1", 1)
		advance(10 * time.Minute)
		if _, err := b.Store.StartReplay(t.Context(), webhook.ReplayRequest{Callback: c.ID}); err != nil {
			t.Fatal(err)
		}
		advance(time.Second)
		synctest.Wait()
		if n := len(b.Network.Posts()); n != 2 {
			t.Errorf("%d posts, want 2", n)
		}
	})
}

// replayStore fails the next few times, and notes how large the steps are.
type replayStore struct {
	webhook.Store
	fails, most atomic.Int32
}

func (s *replayStore) ContinueReplays(ctx context.Context, limit int) (bool, error) {
	if s.fails.Load() > 0 {
		s.fails.Add(-1)
		return false, errors.New("disk full")
	}
	s.most.Store(max(s.most.Load(), int32(limit)))
	return s.Store.ContinueReplays(ctx, limit)
}
