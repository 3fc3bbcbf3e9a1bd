package sqlite_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/ringback-dev/ringback/webhook"
)

// TestNumbers appends in every way, and removes what it has appended: numbers only grow.
func TestNumbers(t *testing.T) {
	db, store := newHost(t)
	c := create(t, store)
	w := join(t, store)
	var last int64
	for i := range 4 {
		e := events("e", 16)[4*i : 4*i+4]
		for j, appended := range []func() error{
			func() error { return store.Dispatch(t.Context(), e[0]) },
			func() error {
				p, err := store.Pending(t.Context(), webhook.PendingRequest{Limit: 1, LimitBytes: 1})
				appendAndClaim(t, store, w, p.Revision, expanded(t, e[1:2], "", c))
				return err
			},
			func() error { return inHostTx(t, db, store, e[2:3]) },
			func() error {
				_, _, err := store.AppendAndClaim(t.Context(), expanded(t, e[3:], "", c), 99, webhook.ClaimRequest{Worker: w})
				return err
			},
		} {
			if err := appended(); err != nil {
				t.Fatal(err)
			}
			if i%2 == 1 || j == 0 { // sometimes what is pending is purged
				if err := fanOut(t, store, nil, c); err != nil {
					t.Fatal(err)
				}
			}
			n := int64(count(t, db, `SELECT max((SELECT coalesce(max(sequence), 0) FROM ringback_events),
				(SELECT coalesce(max(sequence), 0) FROM ringback_pending))`))
			if n <= last {
				t.Errorf("event %s has number %d behind %d", e[j].ID, n, last)
			}
			last = n
			if created := create(t, store); created.After != last {
				t.Errorf("a new callback hears of events behind %d, want %d", created.After, last)
			} else if err := store.DeleteCallback(t.Context(), created.ID); err != nil {
				t.Fatal(err)
			}
			if removed, err := store.Purge(t.Context(), webhook.Scope{Database: "d"}, e[j].Profile.ID); err != nil || removed != 1 {
				t.Fatalf("purged %d, %v", removed, err)
			}
		}
	}
}

// TestNumbersForgotten appends, in every way first, where a host has emptied the outbox, which
// has the last number, or the table in which SQLite keeps some, or has set them back.
func TestNumbersForgotten(t *testing.T) {
	for _, kept := range []int{0, 3} {
		for _, forget := range []string{
			"DELETE FROM sqlite_sequence", "UPDATE sqlite_sequence SET seq = 0", "DELETE FROM ringback_pending",
			"DELETE FROM ringback_pending; DELETE FROM sqlite_sequence", "DELETE FROM ringback_pending WHERE sequence > 0",
		} {
			for first := range 3 {
				for _, at := range []string{"each", "last"} {
					name := fmt.Sprint(kept, forget, first, at)
					t.Run(name, func(t *testing.T) { checkForgotten(t, kept, forget, first, at == "each") })
				}
			}
		}
	}
}

// checkForgotten fans out behind each way of appending, or behind the last.
func checkForgotten(t *testing.T, kept int, forget string, first int, each bool) {
	db, store := newHost(t)
	c := create(t, store)
	w := join(t, store)
	fanOutTo(t, store, kept, c)
	if _, err := db.ExecContext(t.Context(), forget); err != nil {
		t.Fatal(err)
	}
	if got := create(t, store).After; got != int64(kept) {
		t.Errorf("a new callback hears of events behind %d, want %d", got, kept)
	}
	appends := []func() error{
		func() error {
			_, _, err := store.AppendAndClaim(t.Context(), expanded(t, events("direct", 2), "", c), 2, webhook.ClaimRequest{Worker: w})
			return err
		},
		func() error { return store.Dispatch(t.Context(), event("dispatched")) },
		func() error { return inHostTx(t, db, store, events("host", 2)) },
	}
	for i := range appends {
		if err := appends[(first+i)%len(appends)](); err != nil {
			t.Fatal(err)
		}
		if !each && i < len(appends)-1 {
			continue
		}
		p, err := store.Pending(t.Context(), webhook.PendingRequest{Limit: 10, LimitBytes: 1 << 20})
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range p.Events {
			if e.Sequence <= int64(kept) {
				t.Errorf("event %s has number %d, which another had", e.ID, e.Sequence)
			}
		}
		if err := fanOut(t, store, []byte("m"), c); err != nil {
			t.Fatal(err)
		}
	}
	if n := count(t, db, "SELECT count(*) FROM ringback_deliveries"); n != kept+5 {
		t.Errorf("%d deliveries, want %d", n, kept+5)
	}
}

// TestNumbersEmptied appends where a host has emptied all tables but that of the callbacks:
// they hear of it.
func TestNumbersEmptied(t *testing.T) {
	db, store := newHost(t)
	fanOutTo(t, store, 3, create(t, store))
	c := create(t, store)
	for _, table := range []string{"deliveries", "events", "pending"} {
		if _, err := db.ExecContext(t.Context(), "DELETE FROM ringback_"+table); err != nil {
			t.Fatal(err)
		}
	}
	if err := inHostTx(t, db, store, events("new", 2)); err != nil {
		t.Fatal(err)
	}
	p, err := store.Pending(t.Context(), webhook.PendingRequest{Limit: 10, LimitBytes: 1 << 20})
	if err != nil || len(p.Events) != 2 || p.Events[0].ID != "new0" || p.Events[0].Sequence <= c.After {
		t.Errorf("pending behind %d: %+v, %v", c.After, p.Events, err)
	}
}

// TestNumbersReused gives another event the number of one that the store has appended, and
// that a host has removed.
func TestNumbersReused(t *testing.T) {
	db, store := newHost(t)
	if err := store.Dispatch(t.Context(), event("gone")); err != nil {
		t.Fatal(err)
	}
	if _, err := db.ExecContext(t.Context(), "DELETE FROM ringback_pending"); err != nil {
		t.Fatal(err)
	}
	if err := inHostTx(t, db, store, []webhook.Event{event("there")}); err != nil {
		t.Fatal(err)
	}
	if got := pending(t, store); got != "there" {
		t.Errorf("pending: %s", got)
	}
}

// TestMarks takes events off the outbox in any order, in every way, while others come, at first
// behind one that stays: what keeps the last number from coming back does not pile up.
func TestMarks(t *testing.T) {
	const marks = "SELECT count(*) FROM ringback_pending WHERE id = '' AND sequence > 0"
	db, store := newHost(t)
	c := create(t, store)
	if err := store.Dispatch(t.Context(), event("stuck")); err != nil {
		t.Fatal(err)
	}
	random := rand.New(rand.NewPCG(1, 2))
	for i := range 200 {
		if err := inHostTx(t, db, store, events(fmt.Sprint(i, "-"), random.IntN(4))); err != nil {
			t.Fatal(err)
		}
		last := count(t, db, "SELECT max(sequence) FROM ringback_pending")
		p, err := store.Pending(t.Context(), webhook.PendingRequest{Limit: 100, LimitBytes: 1 << 20})
		if err != nil {
			t.Fatal(err)
		}
		list := p.Events
		if i < 100 && list[0].ID == "stuck" {
			list = list[1:]
		}
		random.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
		list = list[:random.IntN(len(list)+1)]
		if len(list) > 0 && random.IntN(4) == 0 {
			_, err = store.Purge(t.Context(), webhook.Scope{Database: "d"}, list[0].Profile.ID)
		} else {
			err = store.FanOut(t.Context(), expansions(list, nil, c))
		}
		if err != nil {
			t.Fatal(err)
		}
		if got := count(t, db, "SELECT max(sequence) FROM ringback_pending"); got != last {
			t.Fatalf("the last number is %d, was %d", got, last)
		}
		if n := count(t, db, "SELECT count(*) FROM ringback_pending WHERE sequence <= 0"); n != 3 {
			t.Fatalf("%d rows are always there, want 3", n)
		}
		// One at the end, and one before each that is pending.
		if n, most := count(t, db, marks), 1+len(strings.Fields(pending(t, store))); n > most {
			t.Fatalf("%d marks, want at most %d", n, most)
		}
	}
	if err := fanOut(t, store, nil, c); err != nil {
		t.Fatal(err)
	}
	if n := count(t, db, marks); n != 1 {
		t.Errorf("%d marks, want 1", n)
	}
	if n := count(t, db, "SELECT count(*) FROM ringback_pending"); n != 4 {
		t.Errorf("%d rows, want 4", n)
	}
}
