package sqlite_test

import (
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ringback-dev/ringback/store/sqlite"
	"github.com/ringback-dev/ringback/store/storetest"
	"github.com/ringback-dev/ringback/webhook"
)

const (
	countHeld    = "SELECT coalesce(sum(json_array_length(deliveries)), 0) FROM ringback_held"
	countHeldFor = "SELECT count(*) FROM ringback_held"
	countWritten = "SELECT count(*) FROM ringback_deliveries"
)

// wantHeld fails the test unless as many deliveries are held, and as many in their table.
func wantHeld(t *testing.T, db *sql.DB, held, written int) {
	t.Helper()
	if h, w := count(t, db, countHeld), count(t, db, countWritten); h != held || w != written {
		t.Errorf("%d deliveries are held and %d written, want %d and %d", h, w, held, written)
	}
}

// wantStand fails the test unless the deliveries of events to a callback are in states.
func wantStand(t *testing.T, store *sqlite.Store, c webhook.Callback, want map[string]string) {
	t.Helper()
	for event, want := range want {
		d, err := store.Delivery(t.Context(), webhook.DeliveryID(event, c.ID))
		if got := fmt.Sprint(d.State, " ", d.Attempts); err != nil || got != want {
			t.Errorf("%s: %s, %v, want %s", event, got, err, want)
		}
	}
}

// ofRecord has events be about one record.
func ofRecord(record string, events ...webhook.Event) []webhook.Event {
	for i := range events {
		events[i].Profile.ID = record
	}
	return events
}

// TestHeld appends deliveries that are claimed and settles them: each is written once, when
// it has ended, and is shown meanwhile.
func TestHeld(t *testing.T) {
	db, store := newHost(t)
	c := create(t, store)
	w := join(t, store)
	claimed := appendAndClaim(t, store, w, 1, expanded(t, events("e", 3), "", c))
	wantHeld(t, db, 3, 0)
	if _, err := store.Settle(t.Context(), w, outcomes(claimed[:2], "taken")); err != nil {
		t.Fatal(err)
	}
	wantHeld(t, db, 3, 2) // the row goes with its last one
	if workers, err := store.Workers(t.Context()); err != nil || len(workers) != 1 || !workers[0].Holds {
		t.Errorf("workers: %+v, %v", workers, err)
	}
	wantStand(t, store, c, map[string]string{"e0": "delivered 1", "e1": "delivered 1", "e2": "claimed 0"})
	if attempts, err := store.Attempts(t.Context(), claimed[2].ID); err != nil || len(attempts) != 0 {
		t.Errorf("attempts: %+v, %v", attempts, err)
	}
	wantHeld(t, db, 3, 2) // who reads writes nothing
	if attempts, err := store.Attempts(t.Context(), claimed[0].ID); err != nil || len(attempts) != 1 || attempts[0].Answer != "taken" {
		t.Errorf("attempts: %+v, %v", attempts, err)
	}
	if _, err := store.Settle(t.Context(), w, outcomes(claimed[2:], "")); err != nil {
		t.Fatal(err)
	}
	wantStand(t, store, c, map[string]string{"e2": "delivered 1"})
	if workers, err := store.Workers(t.Context()); err != nil || len(workers) != 1 || workers[0].Holds {
		t.Errorf("workers: %+v, %v", workers, err)
	}
	storetest.CheckInvariants(t, store)
}

// TestHeldList lists what is held as soon as it is there.
func TestHeldList(t *testing.T) {
	_, store := newHost(t)
	c := create(t, store)
	claimed := appendAndClaim(t, store, join(t, store), 1, expanded(t, events("e", 3), "", c))
	page, err := store.Deliveries(t.Context(), webhook.DeliveryQuery{
		Callback: c.ID, State: webhook.DeliveryClaimed, Limit: 10, WithTotal: true,
	})
	if err != nil || page.Total != 3 || len(page.Deliveries) != 3 || page.Deliveries[2] != claimed[0].Delivery {
		t.Errorf("deliveries: %+v, %v", page, err)
	}
}

// TestHeldOrder has deliveries wait for one about the same record that is held: in its own
// transaction, in a later one, and in one of another process.
func TestHeldOrder(t *testing.T) {
	db, store := newHost(t)
	c := create(t, store)
	w := join(t, store)
	claimed := appendAndClaim(t, store, w, 1, expanded(t, ofRecord("r", events("e", 2)...), "", c))
	if len(claimed) != 1 || claimed[0].EventID != "e0" {
		t.Fatalf("claimed %+v", claimed)
	}
	if more := appendAndClaim(t, store, w, 1, expanded(t, ofRecord("r", event("f")), "", c)); len(more) != 0 {
		t.Fatalf("claimed %+v", more)
	}
	wantHeld(t, db, 1, 2)

	second, err := sqlite.New(t.Context(), db, nil)
	if err != nil {
		t.Fatal(err)
	}
	closeLater(t, second)
	other := join(t, second)
	if more := appendAndClaim(t, second, other, 1, expanded(t, ofRecord("r", event("g")), "", c)); len(more) != 0 {
		t.Fatalf("claimed %+v", more)
	}
	wantHeld(t, db, 0, 4)

	for _, id := range []string{"e0", "e1", "f", "g"} {
		if len(claimed) != 1 || claimed[0].EventID != id {
			t.Fatalf("claimed %+v, want %s", claimed, id)
		}
		if _, err := store.Settle(t.Context(), w, outcomes(claimed, "")); err != nil {
			t.Fatal(err)
		}
		claimed = claim(t, store, w, 10)
	}
	storetest.CheckInvariants(t, store)
}

// TestHeldOutcomes settles what is held in every way.
func TestHeldOutcomes(t *testing.T) {
	db, store := newHost(t)
	c := create(t, store)
	w := join(t, store)
	list := events("e", 6)
	claimed := appendAndClaim(t, store, w, 1, expanded(t, list, "", c))
	o := outcomes(claimed, "")
	o[1].State, o[1].Reason = webhook.DeliveryDead, "gone"
	o[2].State, o[2].Due = webhook.DeliveryReady, time.Now().Add(time.Hour)
	o[3].State, o[3].Attempt = webhook.DeliveryReady, nil
	o[4].Attempt = nil
	o[5].Attempt.Number = 2 // it has none before: passed over
	if _, err := store.Settle(t.Context(), w, o); err != nil {
		t.Fatal(err)
	}
	wantHeld(t, db, 0, 6)
	wantStand(t, store, c, map[string]string{
		"e0": "delivered 1", "e1": "dead 1", "e2": "ready 1", "e3": "ready 0", "e4": "delivered 0", "e5": "claimed 0",
	})
	// None of another worker's.
	claimed = appendAndClaim(t, store, w, 1, expanded(t, events("f", 1), "", c))
	if _, err := store.Settle(t.Context(), join(t, store), outcomes(claimed, "")); err != nil {
		t.Fatal(err)
	}
	wantStand(t, store, c, map[string]string{"f0": "claimed 0"})
	storetest.CheckInvariants(t, store)
}

// TestHeldElsewhere has two processes append by turns, each of which then settles its own.
func TestHeldElsewhere(t *testing.T) {
	db, first := newHost(t)
	second, err := sqlite.New(t.Context(), db, nil)
	if err != nil {
		t.Fatal(err)
	}
	closeLater(t, second)
	c := create(t, first)
	stores := []*sqlite.Store{first, second}
	workers := []webhook.Worker{join(t, first), join(t, second)}
	var claimed [2][]webhook.Claimed
	for i := range 8 {
		one := appendAndClaim(t, stores[i%2], workers[i%2], 1, expanded(t, events(fmt.Sprint("e", i), 5), "", c))
		if len(one) != 5 {
			t.Fatalf("claimed %+v", one)
		}
		claimed[i%2] = append(claimed[i%2], one...)
	}
	wantHeld(t, db, 5, 35) // the last transaction's
	for i, store := range stores {
		if _, err := store.Settle(t.Context(), workers[i], outcomes(claimed[i], "")); err != nil {
			t.Fatal(err)
		}
	}
	page, err := first.Deliveries(t.Context(), webhook.DeliveryQuery{State: webhook.DeliveryDelivered, WithTotal: true})
	if err != nil || page.Total != 40 {
		t.Errorf("%d are delivered, %v, want 40", page.Total, err)
	}
	storetest.CheckInvariants(t, first)
}

// TestHeldMany holds no more than the deliveries of some transactions.
func TestHeldMany(t *testing.T) {
	db, store := newHost(t)
	c := create(t, store)
	w := join(t, store)
	const n = 150
	var claimed []webhook.Claimed
	for i := range n {
		claimed = append(claimed, appendAndClaim(t, store, w, 1, expanded(t, events(fmt.Sprint(i, "-"), 2), "", c))...)
		if rows := count(t, db, countHeldFor); rows > 64 {
			t.Fatalf("%d transactions' deliveries are held", rows)
		}
	}
	if held, written := count(t, db, countHeld), count(t, db, countWritten); held == 0 || held+written != 2*n {
		t.Errorf("%d are held and %d written", held, written)
	}
	if _, err := store.Settle(t.Context(), w, outcomes(claimed, "")); err != nil {
		t.Fatal(err)
	}
	wantHeld(t, db, 0, 2*n)
	storetest.CheckInvariants(t, store)
}

// TestHeldAttempts delivers at once, and then again and again: the first attempt is one like
// the others, and is forgotten like them.
func TestHeldAttempts(t *testing.T) {
	db, store := newHost(t)
	c := create(t, store)
	w := join(t, store)
	claimed := appendAndClaim(t, store, w, 1, expanded(t, []webhook.Event{event("e")}, "", c))
	id := webhook.DeliveryID("e", c.ID)
	var made []webhook.Attempt
	for number := 1; number <= webhook.MaxAttempts+2; number++ {
		if number > 1 {
			if _, err := store.Replay(t.Context(), id); err != nil {
				t.Fatal(err)
			}
			claimed = claim(t, store, w, 1)
		}
		list := outcomes(claimed, fmt.Sprintf("answer \x00 %d", number))
		if len(list) != 1 {
			t.Fatalf("attempt %d: claimed %+v", number, claimed)
		}
		list[0].Attempt.Duration = time.Duration(number) * 1_000_001
		list[0].Attempt.Time = time.UnixMilli(1_700_000_000_000 + int64(number)).UTC()
		if _, err := store.Settle(t.Context(), w, list); err != nil {
			t.Fatal(err)
		}
		made = append(made, *list[0].Attempt)
		want := made[max(len(made)-webhook.MaxAttempts, 0):]
		if got, err := store.Attempts(t.Context(), id); err != nil || !slices.Equal(got, want) {
			t.Fatalf("after %d the attempts are\n%+v, %v, want\n%+v", number, got, err, want)
		}
		if number == 1 && count(t, db, "SELECT count(*) FROM ringback_attempts") != 0 {
			t.Error("an attempt that has delivered at once has a row of its own")
		}
	}
}

// TestHeldAttemptsLong delivers at once, with more to tell of the attempt than a delivery has
// room for.
func TestHeldAttemptsLong(t *testing.T) {
	db, store := newHost(t)
	c := create(t, store)
	w := join(t, store)
	for id, a := range map[string]webhook.Attempt{
		"answer": {Answer: strings.Repeat("x", 1024)},
		"error":  {Error: "a word", Answer: "ok"},
	} {
		list := outcomes(appendAndClaim(t, store, w, 1, expanded(t, []webhook.Event{event(id)}, "", c)), a.Answer)
		list[0].Attempt.Error = a.Error
		if _, err := store.Settle(t.Context(), w, list); err != nil {
			t.Fatal(err)
		}
		got, err := store.Attempts(t.Context(), webhook.DeliveryID(id, c.ID))
		if err != nil || len(got) != 1 || got[0].Error != a.Error || got[0].Answer != a.Answer {
			t.Errorf("%s: attempts %+v, %v", id, got, err)
		}
	}
	if n := count(t, db, "SELECT count(*) FROM ringback_attempts"); n != 2 {
		t.Errorf("%d attempts have rows of their own, want 2", n)
	}
	storetest.CheckInvariants(t, store)
}

// TestHeldRefused has transactions be rolled back in which deliveries are made, and settled:
// nothing has changed then.
func TestHeldRefused(t *testing.T) {
	db, store := newHost(t)
	for _, table := range []string{"ringback_held", "ringback_deliveries"} {
		_, err := db.Exec("CREATE TRIGGER refuse_" + table + " BEFORE INSERT ON " + table +
			" WHEN EXISTS (SELECT 1 FROM ledger) BEGIN SELECT RAISE(ABORT, 'refused'); END")
		if err != nil {
			t.Fatal(err)
		}
	}
	refuse := func(refused bool) {
		t.Helper()
		statement := "DELETE FROM ledger"
		if refused {
			statement = "INSERT INTO ledger VALUES ('refuse')"
		}
		if _, err := db.Exec(statement); err != nil {
			t.Fatal(err)
		}
	}
	c := create(t, store)
	w := join(t, store)
	held := appendAndClaim(t, store, w, 1, expanded(t, events("held", 2), "", c))
	request := webhook.ClaimRequest{Worker: w, Now: time.Now(), Limit: 10, LimitBytes: 1 << 20}

	refuse(true)
	if _, _, err := store.AppendAndClaim(t.Context(), expanded(t, ofRecord("r", event("e")), "", c), 1, request); err == nil {
		t.Fatal("no error")
	}
	for range 2 {
		if _, err := store.Settle(t.Context(), w, outcomes(held, "")); err == nil {
			t.Fatal("no error")
		}
	}
	wantHeld(t, db, 2, 0)
	refuse(false)
	if claimed := appendAndClaim(t, store, w, 1, expanded(t, ofRecord("r", event("f")), "", c)); len(claimed) != 1 {
		t.Fatalf("claimed %+v: what was refused is in the way", claimed)
	}
	if claimed := appendAndClaim(t, store, w, 1, expanded(t, ofRecord("rheld0", event("g")), "", c)); len(claimed) != 0 {
		t.Fatalf("claimed %+v before what is held", claimed)
	}
	if _, err := store.Settle(t.Context(), w, outcomes(held, "")); err != nil {
		t.Fatal(err)
	}
	if claimed := claim(t, store, w, 10); len(claimed) != 1 || claimed[0].EventID != "g" {
		t.Errorf("claimed %+v, want g", claimed)
	}
	storetest.CheckInvariants(t, store)
}

// TestHeldLeftBehind takes over what a process held that has ended.
func TestHeldLeftBehind(t *testing.T) {
	for name, handBack := range map[string]func(*testing.T, *sqlite.Store, webhook.WorkerBeat){
		"retired": func(t *testing.T, store *sqlite.Store, w webhook.WorkerBeat) {
			if retired, err := store.Retire(t.Context(), w); err != nil || !retired {
				t.Fatal(retired, err)
			}
		},
		"left": func(t *testing.T, store *sqlite.Store, w webhook.WorkerBeat) {
			if err := store.Leave(t.Context(), w.Worker); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "store.db")
			store, err := sqlite.Open(t.Context(), file, nil)
			if err != nil {
				t.Fatal(err)
			}
			c := create(t, store)
			appendAndClaim(t, store, join(t, store), 1, expanded(t, ofRecord("r", events("e", 2)...), "", c))
			if err := store.Close(); err != nil {
				t.Fatal(err)
			}
			store = open(t, file)
			w := join(t, store)
			if got := claim(t, store, w, 10); len(got) != 0 {
				t.Fatalf("claimed %+v", got)
			}
			workers, err := store.Workers(t.Context())
			if err != nil || len(workers) != 2 || !workers[0].Holds || workers[1].Holds {
				t.Fatalf("workers: %+v, %v", workers, err)
			}
			handBack(t, store, workers[0])
			if got := claim(t, store, w, 10); len(got) != 1 || got[0].EventID != "e0" {
				t.Fatalf("claimed %+v, want e0", got)
			}
			storetest.CheckInvariants(t, store)
		})
	}
}

// TestHeldRemoved removes what is held, and its callback.
func TestHeldRemoved(t *testing.T) {
	_, store := newHost(t)
	gone, disabled, purged := create(t, store), create(t, store), create(t, store)
	w := join(t, store)
	claimed := appendAndClaim(t, store, w, 3, expanded(t, events("e", 2), "", gone, disabled, purged))
	if len(claimed) != 6 {
		t.Fatalf("claimed %+v", claimed)
	}
	if err := store.DeleteCallback(t.Context(), gone.ID); err != nil {
		t.Fatal(err)
	}
	disabled.State = webhook.StateDisabled
	if _, err := store.UpdateCallback(t.Context(), disabled); err != nil {
		t.Fatal(err)
	}
	if n, err := store.Purge(t.Context(), webhook.Scope{Database: "d"}, "re0"); err != nil || n != 1 {
		t.Fatalf("purged %d, %v", n, err)
	}
	if _, err := store.Settle(t.Context(), w, outcomes(claimed, "")); err != nil {
		t.Fatal(err)
	}
	page, err := store.Deliveries(t.Context(), webhook.DeliveryQuery{Limit: 10, WithTotal: true})
	if err != nil || page.Total != 2 {
		t.Fatalf("deliveries: %+v, %v", page, err)
	}
	for _, d := range page.Deliveries {
		if d.EventID != "e1" || d.State != webhook.DeliveryDelivered {
			t.Errorf("left: %+v", d)
		}
	}
	storetest.CheckInvariants(t, store)
}

// TestHeldBacklog counts what is held as what waits to be delivered, also where a host has
// a transaction open.
func TestHeldBacklog(t *testing.T) {
	file := filepath.Join(t.TempDir(), "store.db")
	first := open(t, file)
	c, gone := create(t, first), create(t, first)
	w := join(t, first)
	appendAndClaim(t, first, w, 2, expanded(t, events("gone", 5), "", gone))
	if err := first.DeleteCallback(t.Context(), gone.ID); err != nil {
		t.Fatal(err)
	}
	appendAndClaim(t, first, w, 3, expanded(t, events("e", 2), "", c))
	db := openHost(t, file, hostSettings)
	for most, want := range map[int]error{2: webhook.ErrBacklogFull, 3: nil} {
		store, err := sqlite.New(t.Context(), db, &sqlite.Options{MaxBacklog: most})
		if err != nil {
			t.Fatal(err)
		}
		closeLater(t, store)
		tx := begin(t, db)
		if err := store.InTx(tx).Dispatch(t.Context(), event("f")); !errors.Is(err, want) {
			t.Errorf("up to %d may wait, and 2 do: %v", most, err)
		}
		if err := tx.Rollback(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestHeldDamaged shows that a list of what is held which can't be read costs the others
// nothing, is told of, and can be mended; and that it is of no account to who has written it.
func TestHeldDamaged(t *testing.T) {
	for _, spoiled := range []string{
		"", "[", "no list", "[]", `{"a": 1}`, "7", `["a", 1]`, `[["a", "b", "c", "d"]]`, "[[999, 1, 0, 0]]",
		"[[1, 1, 0, 0], 7]", "[[1, 1, 0]]", "[[1, 1, 0, null]]",
		"[[1, 1, 0, 99999999999999999999]]", "[[1, 99999999999999999999, 0, 0]]",
	} {
		t.Run(spoiled, func(t *testing.T) {
			db, first := newHost(t)
			c := create(t, first)
			w := join(t, first)
			appendAndClaim(t, first, w, 1, expanded(t, ofRecord("r", event("bad")), "", c))
			good := appendAndClaim(t, first, w, 1, expanded(t, events("good", 2), "", c))
			var before string
			if err := db.QueryRow("SELECT deliveries FROM ringback_held WHERE id = 1").Scan(&before); err != nil {
				t.Fatal(err)
			}
			if _, err := db.Exec("UPDATE ringback_held SET deliveries = ? WHERE id = 1", spoiled); err != nil {
				t.Fatal(err)
			}

			store, err := sqlite.New(t.Context(), db, nil)
			if err != nil {
				t.Fatal(err)
			}
			closeLater(t, store)
			wantList := func(page webhook.DeliveryPage, err error) {
				t.Helper()
				wantDamaged(t, "deliveries", err, "event 1")
				if len(page.Deliveries) != 2 || page.Deliveries[1].ID != good[0].ID {
					t.Errorf("deliveries: %+v", page)
				}
			}
			wantList(store.Deliveries(t.Context(), webhook.DeliveryQuery{Limit: 10}))
			_, err = store.Delivery(t.Context(), webhook.DeliveryID("bad", c.ID))
			wantDamaged(t, "delivery", err, "event 1")
			if err := store.Leave(t.Context(), w); err != nil {
				t.Fatal(err)
			}
			wantList(store.Deliveries(t.Context(), webhook.DeliveryQuery{Limit: 10}))
			w = join(t, store)
			if got := claim(t, store, w, 10); len(got) != 2 {
				t.Errorf("claimed %+v, want what was handed back", got)
			}
			appendAndClaim(t, store, w, 1, expanded(t, events("more", 2), "", c))
			appendAndClaim(t, store, w, 1, expanded(t, events("still", 2), "", c))
			if held := count(t, db, countHeldFor); held != 3 {
				t.Errorf("%d rows of held deliveries, want the damaged one and two", held)
			}

			if _, err := db.Exec("UPDATE ringback_held SET deliveries = ? WHERE id = 1", before); err != nil {
				t.Fatal(err)
			}
			wantStand(t, store, c, map[string]string{"bad": "ready 0"})
			if got := claim(t, store, join(t, store), 10); len(got) != 0 {
				t.Errorf("claimed %+v", got)
			}
			if err := store.Leave(t.Context(), w); err != nil {
				t.Fatal(err)
			}
			if got := claim(t, store, join(t, store), 10); len(got) != 7 || got[0].EventID != "bad" {
				t.Errorf("claimed %+v, want all", got)
			}
			storetest.CheckInvariants(t, store)
		})
		t.Run(spoiled+" known", func(t *testing.T) {
			db, store := newHost(t)
			c := create(t, store)
			w := join(t, store)
			claimed := appendAndClaim(t, store, w, 1, expanded(t, events("e", 2), "", c))
			if _, err := db.Exec("UPDATE ringback_held SET deliveries = ?", spoiled); err != nil {
				t.Fatal(err)
			}
			if _, err := store.Settle(t.Context(), w, outcomes(claimed[:1], "")); err != nil {
				t.Fatal(err)
			}
			if err := store.Leave(t.Context(), w); err != nil {
				t.Fatal(err)
			}
			wantStand(t, store, c, map[string]string{"e0": "delivered 1", "e1": "ready 0"})
			storetest.CheckInvariants(t, store)
		})
	}
}

// TestHeldPages lists what is held among what is not, page by page, and counts it.
func TestHeldPages(t *testing.T) {
	db, store := newHost(t)
	a, b := create(t, store), create(t, store)
	w := join(t, store)
	var claimed []webhook.Claimed
	for i := range 6 {
		more := appendAndClaim(t, store, w, 2, expanded(t, events(fmt.Sprint("e", i, "-"), 2), "", a, b))
		if len(more) != 4 {
			t.Fatalf("claimed %+v", more)
		}
		claimed = append(claimed, more...)
	}
	for i := range claimed { // by turns
		if i%2 == 0 && i < 16 {
			if _, err := store.Settle(t.Context(), w, outcomes(claimed[i:i+1], "")); err != nil {
				t.Fatal(err)
			}
		}
	}
	if written := count(t, db, countWritten); written != 8 {
		t.Fatalf("%d are written, want 8", written)
	}
	slices.Reverse(claimed)
	for _, query := range []webhook.DeliveryQuery{
		{}, {Callback: a.ID}, {Callback: b.ID}, {State: webhook.DeliveryClaimed}, {State: webhook.DeliveryDelivered},
		{State: webhook.DeliveryReady}, {Record: "re3-1"}, {Until: time.Now().Add(-time.Hour)},
		{Since: time.Now().Add(-time.Hour), Until: time.Now().Add(time.Hour)}, {Callback: "999"},
	} {
		var want []string
		for i, d := range claimed {
			state := webhook.DeliveryClaimed
			if at := len(claimed) - 1 - i; at%2 == 0 && at < 16 {
				state = webhook.DeliveryDelivered
			}
			if (query.Callback == "" || d.Callback == query.Callback) && (query.State == "" || state == query.State) &&
				(query.Record == "" || d.Record == query.Record) && (query.Until.IsZero() || d.Created.Before(query.Until)) {
				want = append(want, d.ID)
			}
		}
		for _, limit := range []int{1, 3, 5, 100} {
			query.Limit, query.WithTotal = limit, true
			var got []string
			for query.Start = 0; query.Start <= len(claimed); query.Start += limit {
				page, err := store.Deliveries(t.Context(), query)
				if err != nil || page.Total != len(want) || len(page.Deliveries) > limit {
					t.Fatalf("%+v: %+v, %v, want %d in all", query, page, err, len(want))
				}
				for _, d := range page.Deliveries {
					got = append(got, d.ID)
				}
			}
			if !slices.Equal(got, want) {
				t.Errorf("%+v:\n%v, want\n%v", query, got, want)
			}
		}
	}
	if held := count(t, db, countHeld); held == 0 {
		t.Error("who reads has written")
	}
}

// TestHeldShown shows what is held while a host has a transaction open.
func TestHeldShown(t *testing.T) {
	db, store := newHost(t)
	c := create(t, store)
	appendAndClaim(t, store, join(t, store), 1, expanded(t, events("e", 2), "", c))
	tx := begin(t, db)
	defer tx.Rollback()
	wantStand(t, store, c, map[string]string{"e0": "claimed 0", "e1": "claimed 0"})
	page, err := store.Deliveries(t.Context(), webhook.DeliveryQuery{Limit: 10, WithTotal: true})
	if err != nil || page.Total != 2 || len(page.Deliveries) != 2 {
		t.Errorf("deliveries: %+v, %v", page, err)
	}
}

// TestHeldUndone has SQLite roll a settlement back half way: nothing of it is left.
func TestHeldUndone(t *testing.T) {
	db, store := newHost(t)
	_, err := db.Exec(`CREATE TRIGGER undo BEFORE INSERT ON ringback_deliveries WHEN NEW.state = 4
		AND EXISTS (SELECT 1 FROM ledger) BEGIN SELECT RAISE(ROLLBACK, 'undone'); END; INSERT INTO ledger VALUES ('undo')`)
	if err != nil {
		t.Fatal(err)
	}
	c := create(t, store)
	w := join(t, store)
	o := outcomes(appendAndClaim(t, store, w, 1, expanded(t, events("e", 2), "", c)), "")
	o[1].State, o[1].Reason = webhook.DeliveryDead, "gone"
	if _, err := store.Settle(t.Context(), w, o); err == nil {
		t.Fatal("no error")
	}
	wantHeld(t, db, 2, 0)
	if _, err := db.Exec("DELETE FROM ledger"); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Settle(t.Context(), w, o); err != nil {
		t.Fatal(err)
	}
	wantStand(t, store, c, map[string]string{"e0": "delivered 1", "e1": "dead 1"})
}

// TestHeldLists keeps no long lists for the sake of a few deliveries that take long.
func TestHeldLists(t *testing.T) {
	db, store := newHost(t)
	c := create(t, store)
	w := join(t, store)
	const each, listed = 500, 8192
	for i := range 40 {
		claimed := appendAndClaim(t, store, w, 1, expanded(t, events(fmt.Sprint(i, "-"), each), "", c))
		if n := count(t, db, countHeld); n > listed+each {
			t.Fatalf("%d deliveries are listed", n)
		}
		if _, err := store.Settle(t.Context(), w, outcomes(claimed[1:], "")); err != nil {
			t.Fatal(err)
		}
	}
	storetest.CheckInvariants(t, store)
}

// TestHeldPagesDamaged lists what is held beside a delivery that can't be read: the others are
// on the pages as before.
func TestHeldPagesDamaged(t *testing.T) {
	db, store := newHost(t)
	c := create(t, store)
	w := join(t, store)
	held := appendAndClaim(t, store, w, 1, expanded(t, events("held", 3), "", c))
	written := appendAndClaim(t, store, w, 1, expanded(t, events("e", 10), "", c))
	if _, err := store.Settle(t.Context(), w, outcomes(written, "")); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec("UPDATE ringback_deliveries SET method = 7 WHERE event_sequence = ?", written[7].Sequence); err != nil {
		t.Fatal(err)
	}
	var want, got []string
	for _, d := range append(held, written...) {
		if d.ID != written[7].ID {
			want = append(want, d.ID)
		}
	}
	slices.Reverse(want)
	for start := 0; start <= 15; start += 5 {
		page, err := store.Deliveries(t.Context(), webhook.DeliveryQuery{Start: start, Limit: 5})
		if err != nil && !errors.Is(err, webhook.ErrDamaged) {
			t.Fatal(err)
		}
		for _, d := range page.Deliveries {
			got = append(got, d.ID)
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

// TestHeldTimes selects by times as finely as what is written is selected.
func TestHeldTimes(t *testing.T) {
	_, store := newHost(t)
	c := create(t, store)
	w := join(t, store)
	claimed := appendAndClaim(t, store, w, 1, expanded(t, events("e", 1), "", c))
	at := claimed[0].Created
	totals := func() (list []int) {
		for _, query := range []webhook.DeliveryQuery{
			{Since: at}, {Until: at}, {Since: at.Add(500 * time.Microsecond)}, {Until: at.Add(500 * time.Microsecond)},
			{Since: at.Add(time.Millisecond)}, {Until: at.Add(time.Millisecond)},
		} {
			query.WithTotal = true
			page, err := store.Deliveries(t.Context(), query)
			if err != nil {
				t.Fatal(err)
			}
			list = append(list, page.Total)
		}
		return list
	}
	held := totals()
	if _, err := store.Settle(t.Context(), w, outcomes(claimed, "")); err != nil {
		t.Fatal(err)
	}
	if written := totals(); !slices.Equal(held, written) || held[0] != 1 || held[4] != 0 {
		t.Errorf("totals %v while it is held, %v when it is written", held, written)
	}
}

// TestHeldRefusedOrder has a settlement be rolled back for whose delivery another waits: that
// one goes on after the next try.
func TestHeldRefusedOrder(t *testing.T) {
	db, store := newHost(t)
	_, err := db.Exec(`CREATE TRIGGER refuse BEFORE INSERT ON ringback_deliveries
		WHEN new.state > 3 AND EXISTS (SELECT 1 FROM ledger) BEGIN SELECT RAISE(ABORT, 'refused'); END; INSERT INTO ledger VALUES ('refuse')`)
	if err != nil {
		t.Fatal(err)
	}
	c := create(t, store)
	w := join(t, store)
	claimed := appendAndClaim(t, store, w, 1, expanded(t, ofRecord("r", events("e", 2)...), "", c))
	if _, err := store.Settle(t.Context(), w, outcomes(claimed, "")); err == nil {
		t.Fatal("no error")
	}
	if _, err := db.Exec("DELETE FROM ledger"); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Settle(t.Context(), w, outcomes(claimed, "")); err != nil {
		t.Fatal(err)
	}
	if got := claim(t, store, w, 10); len(got) != 1 || got[0].EventID != "e1" {
		t.Errorf("claimed %+v, want e1", got)
	}
}

// TestHeldDamagedPurge forgets a record beside a list of what is held that can't be read.
func TestHeldDamagedPurge(t *testing.T) {
	db, first := newHost(t)
	c := create(t, first)
	appendAndClaim(t, first, join(t, first), 1, expanded(t, ofRecord("bad", event("bad")), "", c))
	if _, err := db.Exec("UPDATE ringback_held SET deliveries = ''"); err != nil {
		t.Fatal(err)
	}
	store, err := sqlite.New(t.Context(), db, nil)
	if err != nil {
		t.Fatal(err)
	}
	closeLater(t, store)
	appendAndClaim(t, store, join(t, store), 1, expanded(t, ofRecord("r", event("good")), "", c))
	if n, err := store.Purge(t.Context(), webhook.Scope{Database: "d"}, "r"); err != nil || n != 1 {
		t.Errorf("purged %d, %v", n, err)
	}
}
