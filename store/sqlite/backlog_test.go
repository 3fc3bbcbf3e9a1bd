package sqlite_test

import (
	"errors"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ringback-dev/ringback/store/sqlite"
	"github.com/ringback-dev/ringback/webhook"
)

// TestBacklog bounds what waits.
func TestBacklog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "store.db")
		store, err := sqlite.Open(t.Context(), file, &sqlite.Options{MaxBacklog: 10})
		if err != nil {
			t.Fatal(err)
		}
		defer store.Close()
		db := openHost(t, file, hostSettings)
		if err := store.Dispatch(t.Context(), event("known")); err != nil {
			t.Fatal(err)
		}
		if err := fanOut(t, store, nil); err != nil {
			t.Fatal(err)
		}
		first, second := create(t, store), create(t, store)
		check := func(what string, full bool) {
			t.Helper()
			<-time.After(time.Second) // it is looked at once a second only
			if err := store.Dispatch(t.Context(), event("known")); err != nil && !errors.Is(err, webhook.ErrBacklogFull) {
				t.Fatal(err) // it only makes the store look
			}
			synctest.Wait()
			tx := begin(t, db)
			defer tx.Rollback()
			errInTx := store.InTx(tx).Dispatch(t.Context(), event("host"))
			if full != errors.Is(errInTx, webhook.ErrBacklogFull) || !full && errInTx != nil {
				t.Errorf("%s: InTx: got %v, full is to be %t", what, errInTx, full)
			}
			var rows int
			err := tx.QueryRow("SELECT count(*) FROM ringback_pending WHERE id = 'host'").Scan(&rows)
			if err != nil || rows > 0 == full {
				t.Errorf("%s: %d rows, %v", what, rows, err)
			}
		}
		w := join(t, store)
		if err := store.Dispatch(t.Context(), events("e", 9)...); err != nil {
			t.Fatal(err)
		}
		check("9 pending", false)
		if err := store.Dispatch(t.Context(), event("last")); err != nil {
			t.Fatal(err)
		}
		check("10 pending", true)
		if err := store.Dispatch(t.Context(), event("more")); !errors.Is(err, webhook.ErrBacklogFull) {
			t.Errorf("Dispatch: got %v", err)
		}
		if err := store.Dispatch(t.Context(), event("not valid")); !errors.Is(err, webhook.ErrInvalid) {
			t.Errorf("Dispatch of what is not valid: got %v", err)
		}
		if err := store.Dispatch(t.Context()); err != nil {
			t.Errorf("Dispatch of nothing: got %v", err)
		}
		if err := fanOut(t, store, nil, first, second); err != nil {
			t.Fatal(err)
		}
		check("20 open", true)
		claimed := claim(t, store, w, 100)
		check("20 claimed", true)
		list := outcomes(claimed, "")
		for i := range list[11:] {
			list[11+i].State, list[11+i].Due, list[11+i].Pass = webhook.DeliveryReady, time.Now().Add(time.Hour), true
		}
		if _, err := store.Settle(t.Context(), w, list[:10]); err != nil {
			t.Fatal(err)
		}
		check("10 claimed", true)
		if _, err := store.Settle(t.Context(), w, list[10:]); err != nil {
			t.Fatal(err)
		}
		check("9 to be tried again", false)
		if err := store.Dispatch(t.Context(), event("one")); err != nil {
			t.Fatal(err)
		}
		check("9 to be tried again, 1 pending", true)
		if err := store.DeleteCallback(t.Context(), second.ID); err != nil {
			t.Fatal(err)
		}
		check("what belonged to a callback that is gone", false)
	})
}

// TestBacklogGap counts what is pending where most of what came between is fanned out.
func TestBacklogGap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "store.db"), &sqlite.Options{MaxBacklog: 10})
		if err != nil {
			t.Fatal(err)
		}
		defer store.Close()
		if err := store.Dispatch(t.Context(), events("e", 30)...); err != nil {
			t.Fatal(err)
		}
		p, err := store.Pending(t.Context(), webhook.PendingRequest{Limit: 100, LimitBytes: 1 << 20})
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct {
			taken []webhook.Event
			full  bool
		}{{p.Events[5:20], true}, {p.Events[24:], false}} {
			if err := store.FanOut(t.Context(), expansions(c.taken, nil)); err != nil {
				t.Fatal(err)
			}
			<-time.After(time.Second) // it is looked at once a second only
			// The event is known: it only makes the store look.
			if err := store.Dispatch(t.Context(), p.Events[5]); err != nil && !errors.Is(err, webhook.ErrBacklogFull) {
				t.Fatal(err)
			}
			synctest.Wait()
			if err := store.Dispatch(t.Context(), p.Events[5]); c.full != errors.Is(err, webhook.ErrBacklogFull) || !c.full && err != nil {
				t.Errorf("got %v, full is to be %t", err, c.full)
			}
		}
	})
}

// TestNoBacklog has no bound.
func TestNoBacklog(t *testing.T) {
	store := open(t, filepath.Join(t.TempDir(), "store.db"))
	for _, prefix := range []string{"a", "b"} {
		if err := store.Dispatch(t.Context(), events(prefix, 5000)...); err != nil {
			t.Fatal(err)
		}
	}
}
