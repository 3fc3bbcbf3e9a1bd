package sqlite_test

import (
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ringback-dev/ringback/webhook"
)

// spoil changes rows without regard to what is allowed.
func spoil(t *testing.T, db *sql.DB, statement string) {
	t.Helper()
	conn, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	for _, s := range []string{"PRAGMA ignore_check_constraints = ON", statement, "PRAGMA ignore_check_constraints = OFF"} {
		if _, err := conn.ExecContext(t.Context(), s); err != nil {
			t.Fatal(err)
		}
	}
}

// wantDamaged ends the test unless a method has told of damage and names what it is.
func wantDamaged(t *testing.T, what string, err error, names string) {
	t.Helper()
	if !errors.Is(err, webhook.ErrDamaged) || !strings.Contains(err.Error(), names) {
		t.Fatalf("%s: got %v, want damaged data that names %q", what, err, names)
	}
}

// TestDamagedCallback shows that a callback that can't be read costs the others nothing.
func TestDamagedCallback(t *testing.T) {
	for _, spoiled := range []string{
		"secret = 'whsec_'", "secret = 'no secret'", "previous_secret = '?'", "fires = 'sometimes'", "action = ''",
		"method = 'csv'", "encoding = 'base64'", "ordering = 'any'", "state = 'asleep'",
	} {
		t.Run(spoiled, func(t *testing.T) {
			db, store := newHost(t)
			bad, good := create(t, store), create(t, store)
			fanOutTo(t, store, 3, bad, good)
			spoil(t, db, "UPDATE ringback_callbacks SET "+spoiled+" WHERE id = "+bad.ID)

			listeners, err := store.Listeners(t.Context(), webhook.Scope{Database: "d"})
			wantDamaged(t, "listeners", err, "callback "+bad.ID)
			if len(listeners.Callbacks) != 1 || listeners.Callbacks[0] != good || listeners.Revision == 0 {
				t.Errorf("listeners: %+v", listeners)
			}
			page, err := store.Callbacks(t.Context(), webhook.CallbackQuery{Limit: 10, WithTotal: true})
			wantDamaged(t, "callbacks", err, "callback "+bad.ID)
			if len(page.Callbacks) != 1 || page.Callbacks[0] != good || page.Total != 2 {
				t.Errorf("callbacks: %+v", page)
			}
			_, err = store.Callback(t.Context(), bad.ID)
			wantDamaged(t, "callback", err, "callback "+bad.ID)

			w := join(t, store)
			for range 3 { // one at a time: it must not stand in the way for ever
				claimed, err := store.Claim(t.Context(), webhook.ClaimRequest{Worker: w, Now: time.Now(), Limit: 1, LimitBytes: 1})
				wantDamaged(t, "claim", err, "callback "+bad.ID)
				if len(claimed) != 1 || claimed[0].Callback != good.ID {
					t.Fatalf("claimed %+v", claimed)
				}
				if _, err := store.Settle(t.Context(), w, outcomes(claimed, "")); err != nil {
					t.Fatal(err)
				}
			}

			if _, err := store.UpdateCallback(t.Context(), bad); err != nil { // mends it
				t.Fatal(err)
			}
			if got := claim(t, store, w, 10); len(got) != 3 {
				t.Errorf("claimed %d of the callback mended, want 3", len(got))
			}
		})
	}
}

// TestDamagedDelivery shows the same for deliveries.
func TestDamagedDelivery(t *testing.T) {
	for _, c := range []struct {
		name, spoil string
		listed      bool // it can be shown, although it can't be sent
	}{
		{"method", "UPDATE ringback_deliveries SET method = 2 WHERE event_sequence = 1", false},
		{"negative method", "UPDATE ringback_deliveries SET method = -1 WHERE event_sequence = 1", false},
		{"encoding", "UPDATE ringback_deliveries SET encoding = 7 WHERE event_sequence = 1", false},
		{"track", "UPDATE ringback_deliveries SET track = 4 WHERE event_sequence = 1", false},
		{"no event", "DELETE FROM ringback_events WHERE sequence = 1", false},
		{"no message", "UPDATE ringback_events SET json = NULL WHERE sequence = 1", true},
		{"no message in this format", "UPDATE ringback_deliveries SET method = 1 WHERE event_sequence = 1", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			db, store := newHost(t)
			callback := create(t, store)
			fanOutTo(t, store, 4, callback)
			spoil(t, db, c.spoil)
			w := join(t, store)
			for want := 2; want <= 4; want++ {
				claimed, err := store.Claim(t.Context(), webhook.ClaimRequest{
					Worker: w, Now: time.Now(), Limit: 1, LimitBytes: 1,
					Room: func(string, webhook.Health) int { return 1 },
				})
				wantDamaged(t, "claim", err, "event 1 to callback "+callback.ID)
				if len(claimed) != 1 || claimed[0].Sequence != int64(want) {
					t.Fatalf("claimed %+v, want event %d", claimed, want)
				}
			}
			page, err := store.Deliveries(t.Context(), webhook.DeliveryQuery{Limit: 10, WithTotal: true})
			if c.listed {
				if err != nil || len(page.Deliveries) != 4 {
					t.Errorf("deliveries: %+v, %v", page, err)
				}
				return
			}
			wantDamaged(t, "deliveries", err, "event 1 to callback "+callback.ID)
			if len(page.Deliveries) != 3 || page.Total != 4 {
				t.Errorf("deliveries: %+v", page)
			}
		})
	}
}

// TestDamagedState has codes that nothing but a broken file can hold.
func TestDamagedState(t *testing.T) {
	db, store := newHost(t)
	callback := create(t, store)
	fanOutTo(t, store, 3, callback)
	spoil(t, db, "UPDATE ringback_deliveries SET state = 9 WHERE event_sequence = 1")
	spoil(t, db, "UPDATE ringback_deliveries SET track = -4 WHERE event_sequence = 2")
	_, err := store.Delivery(t.Context(), webhook.DeliveryID("e0", callback.ID))
	wantDamaged(t, "delivery", err, "state 9")
	page, err := store.Deliveries(t.Context(), webhook.DeliveryQuery{Callback: callback.ID, Limit: 10})
	wantDamaged(t, "deliveries", err, "1 more")
	if len(page.Deliveries) != 1 || page.Deliveries[0].EventID != "e2" {
		t.Errorf("deliveries: %+v", page)
	}
}

// TestDamagedMany has more that can't be sent, in front, than are asked for at once.
func TestDamagedMany(t *testing.T) {
	db, store := newHost(t)
	callback := create(t, store)
	fanOutTo(t, store, 300, callback)
	spoil(t, db, "UPDATE ringback_deliveries SET method = 9 WHERE event_sequence <= 290")
	w := join(t, store)
	var got []string
	for range 2 {
		claimed, err := store.Claim(t.Context(), webhook.ClaimRequest{Worker: w, Now: time.Now(), Limit: 5, LimitBytes: 1 << 20})
		wantDamaged(t, "claim", err, "method 9")
		for _, c := range claimed {
			got = append(got, fmt.Sprint(c.Sequence))
		}
	}
	if want := strings.Fields("291 292 293 294 295 296 297 298 299 300"); !slices.Equal(got, want) {
		t.Errorf("claimed %v", got)
	}
}

// TestNoHealth reads a callback whose health is lost, as one that an older process
// created while the tables were brought up to date has none, and counts on.
func TestNoHealth(t *testing.T) {
	db, store := newHost(t)
	callback := create(t, store)
	fanOutTo(t, store, 1, callback)
	spoil(t, db, "DELETE FROM ringback_health")
	w := join(t, store)
	if _, err := store.Settle(t.Context(), w, outcomes(claim(t, store, w, 1), "")); err != nil {
		t.Fatal(err)
	}
	if got, err := store.Callback(t.Context(), callback.ID); err != nil || got.Health != (webhook.Health{Successes: 1}) {
		t.Errorf("health %+v, %v", got.Health, err)
	}
}
