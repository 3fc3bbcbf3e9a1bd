package sqlite_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/ringback-dev/ringback/store/sqlite"
	"github.com/ringback-dev/ringback/store/storetest"
	"github.com/ringback-dev/ringback/webhook"
)

// expanded are prepared events that fan out to callbacks, each with a message that ends with
// its ID.
func expanded(t testing.TB, events []webhook.Event, before string, callbacks ...webhook.Callback) []webhook.ExpandedEvent {
	t.Helper()
	list := make([]webhook.ExpandedEvent, len(events))
	for i, e := range events {
		list[i] = storetest.Expanded(t, e, func(e webhook.Event) webhook.Expansion {
			return expansions([]webhook.Event{e}, []byte(before+e.ID), callbacks...)[0]
		})
	}
	return list
}

// appendAndClaim appends events as of a revision of the registry, and claims all it can.
func appendAndClaim(
	t testing.TB, store *sqlite.Store, w webhook.Worker, revision int64, events []webhook.ExpandedEvent,
) []webhook.Claimed {
	t.Helper()
	claimed, pending, err := store.AppendAndClaim(t.Context(), events, revision,
		webhook.ClaimRequest{Worker: w, Now: time.Now(), Limit: 10_000, LimitBytes: 1 << 30})
	if err != nil || pending {
		t.Fatalf("append and claim: pending %t, %v", pending, err)
	}
	return claimed
}

// TestAppendMany appends more events than fit in a statement, small ones and large ones,
// some of which are known.
func TestAppendMany(t *testing.T) {
	for name, before := range map[string]string{"small": "", "large": strings.Repeat("x", 20_000)} {
		t.Run(name, func(t *testing.T) {
			db, store := newHost(t)
			first, second := create(t, store), create(t, store)
			w := join(t, store)
			const n = 32 + 2*8 + 3
			all := events("e", n)
			for i := 0; i < n; i += 10 {
				appendAndClaim(t, store, w, 2, expanded(t, all[i:i+1], before, first))
			}
			claimed := appendAndClaim(t, store, w, 2, expanded(t, all, before, first, second))
			var got, want []string
			var last int64
			for _, c := range claimed {
				if c.Sequence < last {
					t.Errorf("event %s has number %d behind %d", c.EventID, c.Sequence, last)
				}
				last = c.Sequence
				if string(c.Message) != before+c.EventID || c.Record != "r"+c.EventID || c.State != webhook.DeliveryClaimed {
					t.Errorf("claimed %+v", c.Delivery)
				}
				stored, err := store.Delivery(t.Context(), c.ID)
				if err != nil || stored != c.Delivery {
					t.Errorf("claimed %+v, stored is %+v, %v", c.Delivery, stored, err)
				}
				got = append(got, c.ID)
			}
			for i, e := range all {
				if i%10 > 0 {
					want = append(want, webhook.DeliveryID(e.ID, first.ID), webhook.DeliveryID(e.ID, second.ID))
				}
			}
			if fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("claimed %v, want %v", got, want)
			}
			wrong := count(t, db, "SELECT count(*) FROM ringback_events WHERE CAST(json AS TEXT) <> '"+before+"' || id")
			if rows := count(t, db, "SELECT count(*) FROM ringback_events"); rows != n || wrong > 0 {
				t.Errorf("%d events, %d of them wrong", rows, wrong)
			}
			if _, err := store.Settle(t.Context(), w, outcomes(claimed, "ok")); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestAppendNumbers shows that the number of an event does not come back when it is removed,
// nor when it was read for one that is known.
func TestAppendNumbers(t *testing.T) {
	_, store := newHost(t)
	c := create(t, store)
	w := join(t, store)
	var last int64
	for i := range 5 {
		e := event(fmt.Sprint("e", i))
		claimed := appendAndClaim(t, store, w, 1, expanded(t, []webhook.Event{e, e}, "", c))
		if len(claimed) != 1 || claimed[0].Sequence <= last {
			t.Fatalf("claimed %+v behind %d", claimed, last)
		}
		last = claimed[0].Sequence
		if n, err := store.Purge(t.Context(), webhook.Scope{Database: "d"}, e.Profile.ID); err != nil || n != 1 {
			t.Fatalf("purged %d, %v", n, err)
		}
	}
}

// TestAppendTrigger has a host that counts the store's events by a trigger.
func TestAppendTrigger(t *testing.T) {
	db, store := newHost(t)
	_, err := db.Exec(`CREATE TRIGGER counted AFTER INSERT ON ringback_events
		BEGIN INSERT INTO ledger VALUES (NEW.id); END`)
	if err != nil {
		t.Fatal(err)
	}
	c := create(t, store)
	w := join(t, store)
	appendAndClaim(t, store, w, 1, expanded(t, events("e", 1), "", c))
	// Of two events one is known, and the other makes two rows.
	if claimed := appendAndClaim(t, store, w, 1, expanded(t, events("e", 2), "", c)); len(claimed) != 1 {
		t.Errorf("claimed %+v", claimed)
	}
}

// TestAppendFull appends while too much waits.
func TestAppendFull(t *testing.T) {
	file := t.TempDir() + "/store.db"
	store, err := sqlite.Open(t.Context(), file, &sqlite.Options{MaxBacklog: 1})
	if err != nil {
		t.Fatal(err)
	}
	closeLater(t, store)
	w := join(t, store)
	if err := open(t, file).Dispatch(t.Context(), event("e0")); err != nil {
		t.Fatal(err)
	}
	_, _, err = store.AppendAndClaim(t.Context(), expanded(t, events("e", 2), ""), 0, webhook.ClaimRequest{Worker: w, Limit: 1})
	if !errors.Is(err, webhook.ErrBacklogFull) {
		t.Errorf("got %v", err)
	}
	if got := pending(t, store); got != "e0" {
		t.Errorf("pending: %s", got)
	}
}
