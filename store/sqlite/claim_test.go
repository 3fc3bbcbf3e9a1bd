package sqlite_test

import (
	"fmt"
	"testing"

	"github.com/ringback-dev/ringback/webhook"
)

// TestClaimMany claims more deliveries than fit in a statement, of two callbacks that share
// events and their messages.
func TestClaimMany(t *testing.T) {
	_, store := newHost(t)
	first, second := create(t, store), create(t, store)
	const n = 32 + 2*8 + 3
	if err := store.Dispatch(t.Context(), events("e", n)...); err != nil {
		t.Fatal(err)
	}
	p, err := store.Pending(t.Context(), webhook.PendingRequest{Limit: n, LimitBytes: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	list := expansions(p.Events, nil, first, second)
	for i, e := range p.Events {
		list[i].Messages.JSON = []byte("message of " + e.ID)
	}
	if err := store.FanOut(t.Context(), list); err != nil {
		t.Fatal(err)
	}
	claimed := claim(t, store, join(t, store), 10*n)
	if len(claimed) != 2*n {
		t.Fatalf("claimed %d, want %d", len(claimed), 2*n)
	}
	for i, c := range claimed {
		id, to := fmt.Sprint("e", i%n), first
		if i >= n {
			to = second
		}
		got, err := store.Delivery(t.Context(), webhook.DeliveryID(id, to.ID))
		if err != nil || c.Delivery != got || got.State != webhook.DeliveryClaimed {
			t.Errorf("claimed %+v, stored is %+v, %v", c.Delivery, got, err)
		}
		if c.To.ID != to.ID || string(c.Message) != "message of "+id {
			t.Errorf("%s: to %s, message %q", c.ID, c.To.ID, c.Message)
		}
	}
}
