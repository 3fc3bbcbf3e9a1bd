package http1_test

import (
	"context"
	"testing"
	"time"

	"github.com/ringback-dev/ringback/internal/http1"
)

// A request on a connection that was kept costs next to no memory.
func TestAllocations(t *testing.T) {
	s := serve(t, echo)
	c := newClient(t, http1.Options{Timeout: 15 * time.Second})
	target := to(s.URL, http1.Field{Name: "Content-Type", Value: "application/json"})
	fields := []http1.Field{{Name: "Webhook-Id", Value: "e1_21"}}
	body := make([]byte, 1<<10)
	n := testing.AllocsPerRun(1000, func() {
		if a, err := c.Post(context.Background(), target, fields, body); err != nil || a.Body != "ok" {
			t.Errorf("%+v, %v", a, err)
		}
	})
	// One is for the body of the answer. The race detector lets go of what is pooled.
	if n > 3 {
		t.Errorf("%v allocations", n)
	}
}
