package dispatch_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ringback-dev/ringback/dispatch"
	"github.com/ringback-dev/ringback/webhook"
)

// Callbacks that can't be read hold up no others. They are looked for again, now and
// then, and the host hears of it, now and then.
func TestDamagedCallbacks(t *testing.T) {
	var log logbook
	o := &dispatch.Options{Logger: log.Logger()}
	inBubble(t, o, func(b *bench) {
		store := &damagedListeners{Store: b.Store, until: time.Now().Add(time.Hour)}
		b.Engine = b.engineOn(store, o)
		b.Callback("hook", webhook.Callback{})
		b.Start()
		for age := range 360 {
			b.Dispatch("1", age)
			advance(10 * time.Second)
		}
		synctest.Wait()
		if n := len(b.Network.Posts()); n != 360 {
			t.Errorf("%d posts, want 360", n)
		}
		if n := store.reads.Load(); n < 50 || n > 70 {
			t.Errorf("%d readings of the listeners in an hour, want one a minute", n)
		}
		if n := log.Count("reading callbacks failed"); n < 1 || n > 10 {
			t.Errorf("logged %d times", n)
		}
		before := store.reads.Load()
		for age := range 30 {
			b.Dispatch("2", age)
			advance(10 * time.Second)
		}
		if n := store.reads.Load() - before; n > 2 {
			t.Errorf("%d readings when nothing is damaged any more", n)
		}
	})
}

// damagedListeners says for a while that some can't be read.
type damagedListeners struct {
	webhook.Store
	until time.Time
	reads atomic.Int32
}

func (s *damagedListeners) Listeners(ctx context.Context, scope webhook.Scope) (webhook.Listeners, error) {
	s.reads.Add(1)
	listeners, err := s.Store.Listeners(ctx, scope)
	if err == nil && time.Now().Before(s.until) {
		err = fmt.Errorf("callback 17: %w", webhook.ErrDamaged)
	}
	return listeners, err
}
