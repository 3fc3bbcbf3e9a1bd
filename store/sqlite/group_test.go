package sqlite_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mattn/go-sqlite3"

	"github.com/ringback-dev/ringback/store/sqlite"
	"github.com/ringback-dev/ringback/webhook"
)

// TestGroupCommit appends from many goroutines at once: the transactions are far fewer
// than the appends, and each goroutine's events keep their order.
func TestGroupCommit(t *testing.T) {
	const goroutines, each = 64, 20
	_, store := newHost(t)
	commits := store.CountCommits()
	var group sync.WaitGroup
	for g := range goroutines {
		group.Go(func() {
			for i := range each {
				if err := store.Dispatch(t.Context(), event(fmt.Sprintf("g%d-%02d", g, i))); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	if n := commits(); n > goroutines*each/2 {
		t.Errorf("%d commits for %d appends", n, goroutines*each)
	}
	byGoroutine := make(map[string][]string)
	all := strings.Fields(pending(t, store))
	for _, id := range all {
		g, _, _ := strings.Cut(id, "-")
		byGoroutine[g] = append(byGoroutine[g], id)
	}
	if len(all) != goroutines*each {
		t.Errorf("%d events are pending, want %d", len(all), goroutines*each)
	}
	for g, ids := range byGoroutine {
		if !slices.IsSorted(ids) {
			t.Errorf("%s: appended as %v", g, ids)
		}
	}
}

// together runs works at once that have to wait for a transaction of the host's first, so
// that they may come into one transaction.
func together(t *testing.T, db *sql.DB, works ...func()) {
	t.Helper()
	tx := begin(t, db)
	var started, ended sync.WaitGroup
	for _, work := range works {
		started.Add(1)
		ended.Go(func() {
			started.Done()
			work()
		})
	}
	started.Wait()
	if err := tx.Commit(); err != nil {
		t.Error(err)
	}
	ended.Wait()
}

// TestGroupFailure lets works fail among others: each hurts itself only.
func TestGroupFailure(t *testing.T) {
	db, store := newHost(t)
	c := create(t, store)
	w := join(t, store)
	for round := range 20 {
		fail := func() {
			if err := store.Beat(t.Context(), 99); !errors.Is(err, webhook.ErrFenced) {
				t.Errorf("beat of a stranger: %v", err)
			}
		}
		update := func() { // runs again after it has been rolled back
			current, err := store.Callback(t.Context(), c.ID)
			if err == nil {
				current.URL = fmt.Sprint("https://example.com/", round)
				_, err = store.UpdateCallback(t.Context(), current)
			}
			if err != nil {
				t.Error(err)
			}
		}
		fired := func() {
			defer func() {
				if p := recover(); p != "no room" {
					t.Errorf("recovered %v", p)
				}
			}()
			e := event(fmt.Sprint("room", round))
			if err := store.Dispatch(t.Context(), e); err != nil {
				t.Error(err)
			}
			p, err := store.Pending(t.Context(), webhook.PendingRequest{Limit: 1000, LimitBytes: 1 << 30})
			if err != nil {
				t.Error(err)
			}
			_, err = store.FanOutAndClaim(t.Context(), expansions(p.Events, []byte("{}"), c), webhook.ClaimRequest{
				Worker: w, Now: time.Now(), Limit: 10, LimitBytes: 1 << 20,
				Room: func(string, webhook.Health) int { panic("no room") },
			})
			t.Errorf("claimed without room: %v", err)
		}
		works := []func(){fail, update, fired}
		for i := range 10 {
			works = append(works, func() {
				if err := store.Dispatch(t.Context(), event(fmt.Sprint("e", round, "-", i))); err != nil {
					t.Error(err)
				}
			})
		}
		together(t, db, works...)
		if got := len(strings.Fields(pending(t, store))); got != 11*(round+1) {
			t.Fatalf("%d events are pending, want %d", got, 11*(round+1))
		}
	}
}

// TestGroupFailuresShare appends from many goroutines at once, with works among them that
// fail: the appends share their transactions all the same.
func TestGroupFailuresShare(t *testing.T) {
	const goroutines, each = 64, 20
	_, store := newHost(t)
	commits := store.CountCommits()
	var appending, failing sync.WaitGroup
	ended := make(chan struct{})
	for range 4 {
		failing.Go(func() {
			for {
				select {
				case <-ended:
					return
				default:
				}
				if err := store.Beat(t.Context(), 99); !errors.Is(err, webhook.ErrFenced) {
					t.Errorf("beat of a stranger: %v", err)
				}
			}
		})
	}
	for g := range goroutines {
		appending.Go(func() {
			for i := range each {
				if err := store.Dispatch(t.Context(), event(fmt.Sprint("g", g, "-", i))); err != nil {
					t.Error(err)
				}
			}
		})
	}
	appending.Wait()
	close(ended)
	failing.Wait()
	if n := commits(); n > goroutines*each/2 {
		t.Errorf("%d commits for %d appends", n, goroutines*each)
	}
	if got := len(strings.Fields(pending(t, store))); got != goroutines*each {
		t.Errorf("%d events are pending, want %d", got, goroutines*each)
	}
}

// TestGroupCommitRefused lets the commit of a group fail, and those of works by themselves:
// what is reported is what is stored.
func TestGroupCommitRefused(t *testing.T) {
	for _, refused := range []int{1, 2, 5, 1000} {
		db, store := newHost(t)
		if err := store.RefuseCommits(refused); err != nil {
			t.Fatal(err)
		}
		var mu sync.Mutex
		var want []string
		var works []func()
		for i := range 8 {
			works = append(works, func() {
				e := event(fmt.Sprint("e", i))
				err := store.Dispatch(t.Context(), e)
				var failure sqlite3.Error
				switch {
				case err == nil:
					mu.Lock()
					defer mu.Unlock()
					want = append(want, e.ID)
				case !errors.As(err, &failure) || failure.Code != sqlite3.ErrConstraint:
					t.Errorf("%s: %v", e.ID, err)
				}
			})
		}
		together(t, db, works...)
		switch {
		case refused == 1 && len(want) < len(works):
			t.Errorf("one commit was refused, only %v are stored", want)
		case refused == 1000 && len(want) > 0:
			t.Errorf("without a commit %v are reported as stored", want)
		}
		if err := store.RefuseCommits(0); err != nil {
			t.Fatal(err)
		}
		got := strings.Fields(pending(t, store))
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("%d refused: pending are %v, reported %v", refused, got, want)
		}
	}
}

// TestGroupCancelled gives up while another connection holds the lock.
func TestGroupCancelled(t *testing.T) {
	db, store := newHost(t)
	tx := begin(t, db)
	ctx, cancel := context.WithCancel(t.Context())
	var waiting sync.WaitGroup
	for i := range 10 {
		waiting.Go(func() {
			if err := store.Dispatch(ctx, event(fmt.Sprint("e", i))); !errors.Is(err, context.Canceled) {
				t.Errorf("got %v", err)
			}
		})
	}
	cancel()
	waiting.Wait() // the host still holds the lock
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	if err := store.Dispatch(t.Context(), event("last")); err != nil {
		t.Fatal(err)
	}
	if got := pending(t, store); got != "last" {
		t.Errorf("pending: %s", got)
	}
}

// TestGroupBusy shows that works wait for another connection side by side, not one after
// the other.
func TestGroupBusy(t *testing.T) {
	t.Parallel()
	db, store := newHost(t)
	tx := begin(t, db)
	defer tx.Rollback()
	ctx, cancel := context.WithTimeout(t.Context(), 10*sqlite.BusyTimeout)
	defer cancel()
	var waiting sync.WaitGroup
	for i := range 100 {
		waiting.Go(func() {
			err := store.Dispatch(ctx, event(fmt.Sprint("e", i)))
			if err == nil || errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("got %v", err)
			}
		})
	}
	waiting.Wait()
}

// A countedContext counts who asks for its end, as those do who are about to wait.
type countedContext struct {
	context.Context
	asked chan struct{}
}

func (c countedContext) Done() <-chan struct{} {
	select {
	case c.asked <- struct{}{}:
	default:
	}
	return c.Context.Done()
}

// TestGroupClosedBusy closes a store while a write waits for the host: it gives up.
func TestGroupClosedBusy(t *testing.T) {
	db, store := newHost(t)
	tx := begin(t, db)
	defer tx.Rollback()
	ctx := countedContext{t.Context(), make(chan struct{})}
	ended := make(chan error)
	go func() { ended <- store.Dispatch(ctx, event("e")) }()
	for range 5 { // once for its turn, then for the host
		<-ctx.asked
	}
	if err := store.Close(); err != nil {
		t.Error(err)
	}
	if err := <-ended; err == nil || !strings.Contains(err.Error(), "the store is closed") {
		t.Errorf("got %v", err)
	}
}

// TestGroupClosed closes a store while many write: each is done, or is told so.
func TestGroupClosed(t *testing.T) {
	db, store := newHost(t)
	var mu sync.Mutex
	var done []string
	var group sync.WaitGroup
	for g := range 8 {
		group.Go(func() {
			for i := 0; ; i++ {
				e := event(fmt.Sprint("g", g, "-", i))
				if err := store.Dispatch(t.Context(), e); err != nil {
					return
				}
				mu.Lock()
				done = append(done, e.ID)
				mu.Unlock()
			}
		})
	}
	for enough := false; !enough; {
		if err := store.Dispatch(t.Context(), event("")); err != nil {
			t.Fatal(err)
		}
		mu.Lock()
		enough = len(done) > 100
		mu.Unlock()
	}
	if err := store.Close(); err != nil {
		t.Error(err)
	}
	group.Wait()
	for _, id := range done {
		if count(t, db, "SELECT count(*) FROM ringback_pending WHERE id = '"+id+"'") != 1 {
			t.Fatalf("%s is gone", id)
		}
	}
}
