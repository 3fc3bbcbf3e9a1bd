package sqlite_test

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ringback-dev/ringback/store/sqlite"
	"github.com/ringback-dev/ringback/webhook"
)

// TestDamaged shows that an event that cannot be read is told of and can be taken off,
// and holds nothing up.
func TestDamaged(t *testing.T) {
	db, store := newHost(t)
	if err := store.Dispatch(t.Context(), events("e", 4)...); err != nil {
		t.Fatal(err)
	}
	for id, data := range map[string]string{"e1": "x'00ff'", "e2": "x''"} {
		if _, err := db.Exec("UPDATE ringback_pending SET data = "+data+" WHERE id = ?", id); err != nil {
			t.Fatal(err)
		}
	}
	store, err := sqlite.New(t.Context(), db, nil) // as after a restart
	if err != nil {
		t.Fatal(err)
	}
	closeLater(t, store)
	p, err := store.Pending(t.Context(), webhook.PendingRequest{Limit: 3, LimitBytes: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	damaged := []webhook.DamagedEvent{
		{Sequence: 2, ID: "e1", Scope: webhook.Scope{Database: "d"}, Action: webhook.ActionUpdate},
		{Sequence: 3, ID: "e2", Scope: webhook.Scope{Database: "d"}, Action: webhook.ActionUpdate},
	}
	if len(p.Events) != 1 || p.Events[0].ID != "e0" || !slices.Equal(p.Damaged, damaged) || !p.More {
		t.Fatalf("got %+v", p)
	}
	if err := store.FanOut(t.Context(), []webhook.Expansion{{Sequence: 2}, {Sequence: 3}}); err != nil {
		t.Fatal(err)
	}
	if got := pending(t, store); got != "e0 e3" {
		t.Errorf("pending: %s", got)
	}
}

// TestDamagedID shows that an event which is another one than its row says is damaged: given
// the event, FanOut would not find it, and it would stay for ever.
func TestDamagedID(t *testing.T) {
	db, store := newHost(t)
	if err := store.Dispatch(t.Context(), events("e", 2)...); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec("UPDATE ringback_pending SET id = 'another' WHERE id = 'e0'"); err != nil {
		t.Fatal(err)
	}
	p, err := store.Pending(t.Context(), webhook.PendingRequest{Limit: 3, LimitBytes: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	damaged := []webhook.DamagedEvent{
		{Sequence: 1, ID: "another", Scope: webhook.Scope{Database: "d"}, Action: webhook.ActionUpdate},
	}
	if len(p.Events) != 1 || p.Events[0].ID != "e1" || !slices.Equal(p.Damaged, damaged) {
		t.Fatalf("got %+v", p)
	}
}

// TestPendingMixed reads, in pages of any size, events that the store keeps in memory with
// others, of hosts, in between.
func TestPendingMixed(t *testing.T) {
	all := events("e", 6)
	for limit := 1; limit <= 7; limit++ {
		db, store := newHost(t)
		for i, e := range all {
			if i%3 != 1 {
				if err := store.Dispatch(t.Context(), e); err != nil {
					t.Fatal(err)
				}
				continue
			}
			tx := begin(t, db)
			if err := store.InTx(tx).Dispatch(t.Context(), e); err != nil {
				t.Fatal(err)
			}
			if err := tx.Commit(); err != nil {
				t.Fatal(err)
			}
		}
		var ids []string
		r := webhook.PendingRequest{Limit: limit, LimitBytes: 1 << 20}
		for more := true; more; {
			p, err := store.Pending(t.Context(), r)
			if err != nil {
				t.Fatal(err)
			}
			if len(p.Events) == 0 || len(p.Events) > limit {
				t.Fatalf("a page of %d events, at most %d are wanted", len(p.Events), limit)
			}
			for _, e := range p.Events {
				ids = append(ids, e.ID)
				r.After = e.Sequence
			}
			more = p.More
		}
		if got, want := strings.Join(ids, " "), "e0 e1 e2 e3 e4 e5"; got != want {
			t.Errorf("in pages of %d: %s, want %s", limit, got, want)
		}
	}
}

// TestPendingKept shows that the store needs not read what it has appended itself, nor after
// there was no room for it in a page.
func TestPendingKept(t *testing.T) {
	db, store := newHost(t)
	if err := store.Dispatch(t.Context(), events("e", 4)...); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec("UPDATE ringback_pending SET data = x'00' WHERE id <> ''"); err != nil {
		t.Fatal(err)
	}
	r := webhook.PendingRequest{Limit: 10, LimitBytes: 1}
	for _, want := range []string{"e0", "e1", "e2", "e3"} {
		p, err := store.Pending(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		if len(p.Events) != 1 || p.Events[0].ID != want || len(p.Damaged) != 0 || p.More != (want != "e3") {
			t.Fatalf("got %+v, want %s", p, want)
		}
		r.After = p.Events[0].Sequence
	}
	// What was taken is read again.
	p, err := store.Pending(t.Context(), webhook.PendingRequest{Limit: 10, LimitBytes: 1 << 20})
	if err != nil || len(p.Events) != 0 || len(p.Damaged) != 4 {
		t.Errorf("got %+v, %v", p, err)
	}
}

// TestLanes fixes how records are told apart in the order: a later version that did it
// otherwise would put what is under way out of order.
func TestLanes(t *testing.T) {
	db, store := newHost(t)
	sub := event("s")
	sub.Collection, sub.Subprofile = "c", &webhook.Record{ID: "r☎"}
	if err := store.Dispatch(t.Context(), event("p"), sub); err != nil {
		t.Fatal(err)
	}
	if err := fanOut(t, store, nil, create(t, store)); err != nil {
		t.Fatal(err)
	}
	for id, want := range map[string]int{"p": laneOfP, "s": laneOfS} {
		if got := count(t, db, "SELECT d.lane FROM ringback_deliveries d JOIN ringback_events ON sequence = event_sequence WHERE id = '"+id+"'"); got != want {
			t.Errorf("lane of %s is %d, want %d", id, got, want)
		}
	}
}

// The lanes of the records in TestLanes: the first eight bytes, big endian, of the
// SHA-256 of database, collection and record, each behind its length in four bytes.
const (
	laneOfP = 5374169525261001409
	laneOfS = 5633154245193177118
)

// TestWatchHost waits for a transaction of the host's, of which the store sees no
// commit.
func TestWatchHost(t *testing.T) {
	db, store := newHost(t)
	ctx, cancel := context.WithCancel(t.Context())
	woken := make(chan struct{}, 1)
	ended := make(chan error)
	go func() {
		ended <- store.Watch(ctx, func() {
			select {
			case woken <- struct{}{}:
			default:
			}
		})
	}()
	<-woken
	for i, e := range events("e", 20) {
		tx := begin(t, db)
		if err := store.InTx(tx).Dispatch(t.Context(), e); err != nil {
			t.Fatal(err)
		}
		if i%4 == 0 { // the hint came to nothing
			if err := tx.Rollback(); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if err := tx.Commit(); err != nil {
			t.Fatal(err)
		}
		patience := time.After(10 * time.Second)
		for !strings.HasSuffix(pending(t, store), e.ID) {
			select {
			case <-woken:
			case <-patience:
				t.Fatalf("not woken by the commit of %s", e.ID)
			}
		}
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// TestBusy waits for a writer that takes long, as long as the caller likes.
func TestBusy(t *testing.T) {
	db, store := newHost(t)
	tx := begin(t, db)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if err := store.Dispatch(ctx, event("e1")); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	written := make(chan error)
	for range 3 { // they queue up behind each other
		go func() { written <- store.Dispatch(t.Context(), event("e2")) }()
	}
	if err := store.InTx(tx).Dispatch(t.Context(), event("e3")); err != nil {
		t.Fatal(err)
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if err := <-written; err != nil {
			t.Error(err)
		}
	}
	if got := pending(t, store); got != "e3 e2 e2 e2" {
		t.Errorf("pending: %s", got)
	}
}

// TestPruneBacklog removes what belongs to a callback that is gone, in small steps
// however many events a step may look at.
func TestPruneBacklog(t *testing.T) {
	db, store := newHost(t)
	gone, kept := create(t, store), create(t, store)
	if err := store.Dispatch(t.Context(), events("e", 2300)...); err != nil {
		t.Fatal(err)
	}
	if err := fanOut(t, store, []byte("m"), gone, kept); err != nil {
		t.Fatal(err)
	}
	if err := store.DeleteCallback(t.Context(), gone.ID); err != nil {
		t.Fatal(err)
	}
	later := time.Now().Add(time.Hour)
	r := webhook.PruneRequest{Limit: 100_000, Delivered: later, Dead: later}
	left := 2 * 2300
	for steps := 0; ; steps++ {
		result, err := store.Prune(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		if result.Deliveries > 0 || result.Events > 0 {
			t.Errorf("removed %+v of what is kept", result)
		}
		rows := count(t, db, "SELECT count(*) FROM ringback_deliveries")
		if left-rows > 1000 {
			t.Errorf("a step removed %d deliveries", left-rows)
		}
		left = rows
		if r.After = result.Next; r.After == 0 {
			if steps < 4 {
				t.Errorf("the walk had %d steps", steps)
			}
			break
		}
	}
	if left != 2300 {
		t.Errorf("%d deliveries are left, want 2300", left)
	}
}

// TestShared opens a store while another process's connection writes to it.
func TestShared(t *testing.T) {
	file := filepath.Join(t.TempDir(), "store.db")
	store := open(t, file)
	other := open(t, file)
	errs := make(chan error)
	for i, s := range []webhook.Store{store, other} {
		go func() {
			var err error
			for _, e := range events([]string{"a", "b"}[i], 50) {
				err = errors.Join(err, s.Dispatch(t.Context(), e))
			}
			errs <- err
		}()
	}
	for range 2 {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	if got := len(strings.Fields(pending(t, store))); got != 100 {
		t.Errorf("%d are pending, want 100", got)
	}
}

// TestFanOutOfAnother fans an event out whose number another one has by then, because the host
// has emptied the outbox: the other is still pending.
func TestFanOutOfAnother(t *testing.T) {
	db, store := newHost(t)
	c := create(t, store)
	if err := store.Dispatch(t.Context(), event("e1")); err != nil {
		t.Fatal(err)
	}
	p, err := store.Pending(t.Context(), webhook.PendingRequest{Limit: 1, LimitBytes: 1})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec("DELETE FROM ringback_pending"); err != nil {
		t.Fatal(err)
	}
	if err := inHostTx(t, db, store, events("other", 1)); err != nil {
		t.Fatal(err)
	}
	x := expansions(p.Events, nil, c)
	x[0].Event = &p.Events[0]
	if err := store.FanOut(t.Context(), x); err != nil {
		t.Fatal(err)
	}
	if got := pending(t, store); got != "other0" {
		t.Errorf("pending: %q", got)
	}
}

// TestFanOutOfMark fans out what has the number of a row without an event: nothing comes of it,
// and the row stays.
func TestFanOutOfMark(t *testing.T) {
	db, store := newHost(t)
	if err := store.Dispatch(t.Context(), event("e1")); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Purge(t.Context(), webhook.Scope{Database: "d"}, "re1"); err != nil {
		t.Fatal(err)
	}
	for sequence := int64(-2); sequence <= 1; sequence++ {
		for _, given := range []*webhook.Event{nil, {}} {
			if err := store.FanOut(t.Context(), []webhook.Expansion{{Sequence: sequence, Event: given}}); err != nil {
				t.Errorf("%d, given %v: %v", sequence, given, err)
			}
		}
	}
	if n := count(t, db, "SELECT count(*) FROM ringback_events"); n != 0 {
		t.Errorf("%d events are fanned out", n)
	}
	if n := count(t, db, "SELECT count(*) FROM ringback_pending"); n != 4 {
		t.Errorf("%d rows without an event, want 4", n)
	}
}
