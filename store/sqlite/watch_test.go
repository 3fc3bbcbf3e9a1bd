package sqlite_test

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ringback-dev/ringback/store/sqlite"
	"github.com/ringback-dev/ringback/webhook"
)

// watch runs Watch until the test ends. It returns what counts the wakes, and what waits
// for one after which something holds.
func watch(t *testing.T, store *sqlite.Store) (wakes func() int64, until func(what string, holds func() bool)) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var n atomic.Int64
	woken := make(chan struct{}, 1)
	ended := make(chan error)
	go func() {
		ended <- store.Watch(ctx, func() {
			n.Add(1)
			select {
			case woken <- struct{}{}:
			default:
			}
		})
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	until = func(what string, holds func() bool) {
		t.Helper()
		patience := time.After(10 * time.Second)
		for !holds() {
			select {
			case <-woken:
			case <-patience:
				t.Fatalf("not woken by %s", what)
			}
		}
	}
	until("its beginning", func() bool { return n.Load() > 0 })
	return n.Load, until
}

// TestWatchOwn lets the store commit what leaves nothing to do for anybody who watches: it
// wakes nobody.
func TestWatchOwn(t *testing.T) {
	store := open(t, filepath.Join(t.TempDir(), "store.db"))
	c := create(t, store)
	w := join(t, store)
	wakes, until := watch(t, store)
	before := wakes()
	for i := range 100 {
		claimed := appendAndClaim(t, store, w, 1, expanded(t, events(fmt.Sprint("e", i, "-"), 3), "", c))
		if len(claimed) != 3 {
			t.Fatalf("claimed %+v", claimed)
		}
		if _, err := store.Settle(t.Context(), w, outcomes(claimed, "ok")); err != nil {
			t.Fatal(err)
		}
		if err := store.Beat(t.Context(), w); err != nil {
			t.Fatal(err)
		}
	}
	if err := store.Dispatch(t.Context(), events("last-", 1)...); err != nil {
		t.Fatal(err)
	}
	until("the last commit, which leaves an event", func() bool { return wakes() > before })
	if got := wakes() - before; got != 1 {
		t.Errorf("woken %d times, by all but one of them for nothing", got)
	}
}

// TestWatchLeft lets the store commit what leaves something ready.
func TestWatchLeft(t *testing.T) {
	store := open(t, filepath.Join(t.TempDir(), "store.db"))
	c := create(t, store)
	w := join(t, store)
	wakes, until := watch(t, store)
	wakesAt := func(what string, commit func()) {
		t.Helper()
		before := wakes()
		commit()
		until(what, func() bool { return wakes() > before })
	}
	var claimed []webhook.Claimed
	wakesAt("an append of which not all was claimed", func() {
		var err error
		claimed, _, err = store.AppendAndClaim(t.Context(), expanded(t, events("e", 2), "", c), 1,
			webhook.ClaimRequest{Worker: w, Now: time.Now(), Limit: 1, LimitBytes: 1 << 20})
		if err != nil || len(claimed) != 1 {
			t.Fatalf("claimed %+v, %v", claimed, err)
		}
	})
	wakesAt("a fan-out of which not all was claimed", func() {
		if err := store.Dispatch(t.Context(), event("f")); err != nil {
			t.Fatal(err)
		}
		p, err := store.Pending(t.Context(), webhook.PendingRequest{Limit: 1, LimitBytes: 1})
		if err != nil {
			t.Fatal(err)
		}
		_, err = store.FanOutAndClaim(t.Context(), expansions(p.Events, []byte("m"), c), webhook.ClaimRequest{Worker: w})
		if err != nil {
			t.Fatal(err)
		}
	})
	wakesAt("what is due later", func() {
		list := outcomes(claimed, "")
		list[0].State, list[0].Due = webhook.DeliveryReady, time.Now().Add(time.Hour)
		if _, err := store.Settle(t.Context(), w, list); err != nil {
			t.Fatal(err)
		}
	})
	wakesAt("a callback's change", func() {
		if _, err := store.UpdateCallback(t.Context(), c); err != nil {
			t.Fatal(err)
		}
	})
}

// TestWatchOthers has another process append: at rest, and while the store writes itself.
func TestWatchOthers(t *testing.T) {
	file := filepath.Join(t.TempDir(), "store.db")
	store, other := open(t, file), open(t, file)
	w := join(t, store)
	_, until := watch(t, store)
	for i := range 30 {
		e := event(fmt.Sprint("e", i))
		for range i % 4 {
			if err := store.Beat(t.Context(), w); err != nil {
				t.Fatal(err)
			}
		}
		if err := other.Dispatch(t.Context(), e); err != nil {
			t.Fatal(err)
		}
		until("the append of "+e.ID, func() bool { return strings.HasSuffix(pending(t, store), e.ID) })
		if i%5 == 0 {
			<-time.After(60 * time.Millisecond) // it comes to rest
		}
	}
}
