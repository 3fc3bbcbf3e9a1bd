package sqlite_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/ringback-dev/ringback/webhook"
)

// settleBeside runs a Settle without outcomes, which waits a little for another write, as
// there was one just now.
func settleBeside(t *testing.T, store webhook.Store, w, as webhook.Worker) (settled chan error) {
	t.Helper()
	if err := store.Beat(t.Context(), w); err != nil {
		t.Fatal(err)
	}
	settled = make(chan error, 1)
	go func() {
		_, err := store.Settle(t.Context(), as, nil)
		settled <- err
	}()
	<-time.After(time.Millisecond)
	return settled
}

// TestPatienceFails lets a Settle fail that has waited for another write: that one is done
// all the same.
func TestPatienceFails(t *testing.T) {
	db, store := newHost(t)
	w := join(t, store)
	const n = 30
	for i := range n {
		settled := settleBeside(t, store, w, 99)
		if err := store.Dispatch(t.Context(), event(fmt.Sprint("e", i))); err != nil {
			t.Error(err)
		}
		if err := <-settled; !errors.Is(err, webhook.ErrFenced) {
			t.Errorf("a stranger's settlement: %v", err)
		}
	}
	if got := count(t, db, "SELECT count(*) FROM ringback_pending WHERE id <> ''"); got != n {
		t.Errorf("%d events, want %d", got, n)
	}
}

// TestPatienceGivesUp has a Settle, and what it has waited for, wait for the host: each gives
// up when its own context ends.
func TestPatienceGivesUp(t *testing.T) {
	for _, settlementEnds := range []bool{false, true} {
		db, store := newHost(t)
		w := join(t, store)
		if err := store.Beat(t.Context(), w); err != nil {
			t.Fatal(err)
		}
		tx := begin(t, db)
		short, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		defer cancel()
		settling, dispatching := t.Context(), short
		if settlementEnds {
			settling, dispatching = short, t.Context()
		}
		settled, dispatched := make(chan error, 1), make(chan error, 1)
		go func() {
			_, err := store.Settle(settling, w, nil)
			settled <- err
		}()
		<-time.After(time.Millisecond)
		go func() { dispatched <- store.Dispatch(dispatching, event("e")) }()
		gaveUp, went := dispatched, settled
		if settlementEnds {
			gaveUp, went = settled, dispatched
		}
		if err := <-gaveUp; !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("the settlement ends %t: while the host holds the lock: %v", settlementEnds, err)
		}
		if err := tx.Rollback(); err != nil {
			t.Fatal(err)
		}
		if err := <-went; err != nil {
			t.Errorf("the settlement ends %t: the other write: %v", settlementEnds, err)
		}
	}
}

// TestPatienceInVain has settlements wait one after the other where nothing else comes: three
// do so, the next one does not. A machine that is busy may be too slow to show it at once.
func TestPatienceInVain(t *testing.T) {
	const company = 5 * time.Millisecond
	var tries [][]bool
	for range 20 {
		store := open(t, filepath.Join(t.TempDir(), "store.db"))
		store.ReplaceSync(func(*os.File) error { return nil })
		w := join(t, store)
		var waited []bool
		for range 4 {
			if err := store.Beat(t.Context(), w); err != nil {
				t.Fatal(err)
			}
			began := time.Now()
			if _, err := store.Settle(t.Context(), w, nil); err != nil {
				t.Fatal(err)
			}
			waited = append(waited, time.Since(began) >= company)
		}
		if slices.Equal(waited, []bool{true, true, true, false}) {
			return
		}
		tries = append(tries, waited)
	}
	t.Errorf("settlements have waited for others: %t, want three in a row and then none", tries)
}

// TestPatienceBeside has a Settle go on while the disk is waited for because of another write.
// It is acknowledged when the disk was waited for after it: because of what comes next, or
// soon in any case.
func TestPatienceBeside(t *testing.T) {
	for _, more := range []bool{true, false} {
		store := open(t, filepath.Join(t.TempDir(), "store.db"))
		c := create(t, store)
		w := join(t, store)
		if err := store.Dispatch(t.Context(), event("e1")); err != nil {
			t.Fatal(err)
		}
		if err := fanOut(t, store, []byte("{}"), c); err != nil {
			t.Fatal(err)
		}
		claimed := claim(t, store, w, 1)
		syncing, release := make(chan bool), make(chan bool)
		store.ReplaceSync(func(*os.File) error {
			syncing <- true
			<-release
			return nil
		})
		begin := func(write func() error) <-chan error {
			ended := make(chan error, 1)
			go func() { ended <- write() }()
			return ended
		}
		first := begin(func() error { return store.Dispatch(t.Context(), event("e2")) })
		<-syncing
		settled := begin(func() error {
			_, err := store.Settle(t.Context(), w, outcomes(claimed, "ok"))
			return err
		})
		for delivered := 0; delivered == 0; {
			page, err := store.Deliveries(t.Context(), webhook.DeliveryQuery{
				State: webhook.DeliveryDelivered, Limit: 1, WithTotal: true,
			})
			if err != nil {
				t.Fatal(err)
			}
			delivered = page.Total
		}
		var second <-chan error
		if more {
			second = begin(func() error { return store.Dispatch(t.Context(), event("e3")) })
			for pending(t, store) != "e2 e3" {
				if t.Context().Err() != nil {
					t.Fatal(t.Context().Err())
				}
			}
		}
		release <- true
		if err := <-first; err != nil {
			t.Error(err)
		}
		<-syncing
		select {
		case err := <-settled:
			t.Errorf("a settlement was acknowledged by a wait for the disk that had begun before it: %v", err)
		case err := <-second:
			t.Errorf("a write was acknowledged by a wait for the disk that had begun before it: %v", err)
		default:
		}
		release <- true
		if err := <-settled; err != nil {
			t.Error(err)
		}
		if more {
			if err := <-second; err != nil {
				t.Error(err)
			}
		}
	}
}

// TestPatienceHot delivers many events about one record one after the other, alone and while
// others are appended: no outcome waits for other writes, as the next delivery waits for it.
func TestPatienceHot(t *testing.T) {
	const n = 100
	for _, beside := range []bool{false, true} {
		var claiming, settling time.Duration
		for try := 0; try == 0 || try < 10 && settling > 2*claiming+n*time.Millisecond; try++ {
			claiming, settling = settleHot(t, n, beside)
		}
		if settling > 2*claiming+n*time.Millisecond {
			t.Errorf("beside others %t: %d settlements take %v, as many claims %v", beside, n, settling, claiming)
		}
	}
}

// settleHot returns how long so many deliveries about a record take to be claimed, and to be
// settled.
func settleHot(t *testing.T, n int, beside bool) (claiming, settling time.Duration) {
	t.Helper()
	store := open(t, filepath.Join(t.TempDir(), "store.db"))
	c := create(t, store)
	w := join(t, store)
	list := events("e", n)
	for i := range list {
		list[i].Profile.ID = "hot"
	}
	if err := store.Dispatch(t.Context(), list...); err != nil {
		t.Fatal(err)
	}
	if err := fanOut(t, store, []byte("{}"), c); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var others sync.WaitGroup
	defer others.Wait()
	defer cancel()
	if beside {
		others.Go(func() {
			for i := 0; ctx.Err() == nil; i++ {
				if err := store.Dispatch(t.Context(), event(fmt.Sprint("other", i))); err != nil {
					t.Error(err)
				}
				<-time.After(6 * time.Millisecond)
			}
		})
	}
	for range n {
		began := time.Now()
		claimed := claim(t, store, w, 1)
		if len(claimed) != 1 {
			t.Fatalf("claimed %d", len(claimed))
		}
		claiming += time.Since(began)
		began = time.Now()
		if _, err := store.Settle(t.Context(), w, outcomes(claimed, "")); err != nil {
			t.Fatal(err)
		}
		settling += time.Since(began)
	}
	return claiming, settling
}
