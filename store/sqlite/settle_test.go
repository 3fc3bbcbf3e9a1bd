package sqlite_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/ringback-dev/ringback/webhook"
)

// TestSettleMany settles more deliveries than fit in a statement, among others that are not
// the worker's to settle, for some of which others wait.
func TestSettleMany(t *testing.T) {
	_, store := newHost(t)
	c := create(t, store)
	w, other := join(t, store), join(t, store)
	const n = 32 + 2*8 + 3
	first := events("e", n)
	second := events("f", n/2)
	for i := range second {
		second[i].Profile.ID = first[2*i].Profile.ID // waits for every second one
	}
	claimed := appendAndClaim(t, store, w, 1, expanded(t, first, "", c))
	if waiting := appendAndClaim(t, store, w, 1, expanded(t, second, "", c)); len(waiting) > 0 {
		t.Fatalf("claimed %+v", waiting)
	}
	others := appendAndClaim(t, store, other, 1, expanded(t, events("other", 3), "", c))

	list := outcomes(others[:1], "not its worker's") // passed over
	want := map[string]string{others[0].EventID: "claimed 0"}
	for i, d := range claimed {
		o := outcomes([]webhook.Claimed{d}, "")[0]
		wrong := o
		wrong.Attempt = &webhook.Attempt{Number: 7, Time: time.Now()} // passed over
		want[d.EventID] = "delivered 1"
		follower := "ready 0"
		switch i % 7 {
		case 3:
			o.State, o.Reason, o.Attempt.Error = webhook.DeliveryDead, "gone", "no such host"
			want[d.EventID] = "dead 1"
		case 4:
			o.State, o.Due = webhook.DeliveryReady, time.Now().Add(time.Hour)
			want[d.EventID], follower = "ready 1", "waiting 0"
		case 5:
			o.State, o.Due, o.Pass = webhook.DeliveryReady, time.Now().Add(time.Hour), true
			want[d.EventID] = "ready 1"
		case 6:
			o.State, o.Attempt = webhook.DeliveryReady, nil
			want[d.EventID], follower = "ready 0", "waiting 0"
		}
		if i%2 == 0 && i/2 < len(second) {
			want[second[i/2].ID] = follower
		}
		again := o
		again.State, again.Attempt = webhook.DeliveryDead, nil // passed over
		list = append(list, wrong, o, again)
	}
	if _, err := store.Settle(t.Context(), w, list); err != nil {
		t.Fatal(err)
	}
	for id, want := range want {
		d, err := store.Delivery(t.Context(), webhook.DeliveryID(id, c.ID))
		if got := fmt.Sprint(d.State, " ", d.Attempts); err != nil || got != want {
			t.Errorf("%s: %s, %v, want %s", id, got, err, want)
		}
		attempts, err := store.Attempts(t.Context(), d.ID)
		if err != nil || len(attempts) != d.Attempts {
			t.Errorf("%s: %d attempts, %v, want %d", id, len(attempts), err, d.Attempts)
		}
	}
}
