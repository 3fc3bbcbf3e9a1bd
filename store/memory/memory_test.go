package memory_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ringback-dev/ringback/store/memory"
	"github.com/ringback-dev/ringback/store/storetest"
	"github.com/ringback-dev/ringback/webhook"
)

func TestStore(t *testing.T) {
	storetest.Run(t, func(*testing.T) webhook.Store { return memory.New() })
}

// TestBubble shows that a store works under a fake clock: what it does not know of,
// it waits for without keeping time from passing.
func TestBubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		store := memory.New()
		woken := 0
		go func() {
			if err := store.Watch(ctx, func() { woken++ }); err != nil {
				t.Error(err)
			}
		}()
		synctest.Wait()
		if woken != 1 {
			t.Fatalf("woken %d times at first, want once", woken)
		}
		<-time.After(24 * time.Hour)
		if woken != 1 {
			t.Fatalf("woken %d times by nothing", woken-1)
		}

		began := time.Now()
		err := store.Dispatch(ctx, webhook.Event{
			Action: webhook.ActionCreate, Database: "d", Profile: webhook.Record{ID: "r"},
		})
		if err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if woken != 2 {
			t.Fatalf("woken %d times by an append, want once", woken-1)
		}
		pending, err := store.Pending(ctx, webhook.PendingRequest{Limit: 1, LimitBytes: 1})
		if err != nil || len(pending.Events) != 1 || !pending.Events[0].Time.Equal(began) {
			t.Fatalf("pending: %+v, %v; want one event of %v", pending, err, began)
		}
		cancel()
		synctest.Wait()
	})
}
