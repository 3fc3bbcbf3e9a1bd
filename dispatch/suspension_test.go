package dispatch_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/ringback-dev/ringback/dispatch"
	"github.com/ringback-dev/ringback/store/memory"
	"github.com/ringback-dev/ringback/webhook"
	"github.com/ringback-dev/ringback/webhook/condition"
)

// slowExpression takes far longer than a few milliseconds on a large text.
var slowExpression = strings.Repeat("text.toUpperCase().length > 5 && ", 60) + "true"

func largeEvent(database, id string) webhook.Event {
	return webhook.Event{
		ID: id, Action: webhook.ActionCreate, Database: database,
		Profile: webhook.Record{ID: id, Fields: map[string]any{"text": strings.Repeat("€", 150_000), "age": 20}},
	}
}

// Conditions that always take too long fail, first by the deadline, soon without being
// evaluated; an honest one on the same events fires for each, and so does one
// that is edited into an honest one.
func TestSlowConditions(t *testing.T) {
	arrived := make(chan string, 100)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		arrived <- r.URL.Path + " " + r.Header.Get("webhook-id")
	}))
	defer server.Close()
	store := memory.New()
	engine, err := dispatch.New(store, &dispatch.Options{
		Targets:    dispatch.Targets{AllowPrivate: dispatch.AllAddresses(), AllowAllPorts: true},
		Conditions: condition.Options{Deadline: 5 * time.Millisecond, MaxMemory: 64 << 20},
	})
	if err != nil {
		t.Fatal(err)
	}
	create := func(path, expression string) webhook.Callback {
		c, err := store.CreateCallback(t.Context(), webhook.Callback{
			Database: "788", URL: server.URL + path, Expression: expression,
		}.WithDefaults(), 0)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	var slow []webhook.Callback
	for range 10 {
		slow = append(slow, create("/slow", slowExpression))
	}
	create("/honest", "age == 20")

	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- engine.Run(ctx) }()
	const events = 24 // a slow machine evaluates one or two of the slow ones on each
	for i := range events {
		id := fmt.Sprint("e", i)
		if err := engine.Dispatch(ctx, largeEvent("788", id)); err != nil {
			t.Fatal(err)
		}
		if got := <-arrived; !strings.HasPrefix(got, "/honest "+id) {
			t.Errorf("arrived: %s, want %s at the honest one", got, id)
		}
	}
	evaluated := 0 // on the last event
	for i, c := range slow {
		c, err := store.Callback(t.Context(), c.ID)
		if err != nil {
			t.Fatal(err)
		}
		if c.ExpressionFailures != events {
			t.Errorf("slow condition %d failed %d times, last: %s", i, c.ExpressionFailures, c.ExpressionError.Message)
		}
		if !strings.HasPrefix(c.ExpressionError.Message, "was not evaluated") {
			evaluated++
		}
	}
	// By then each has run into the deadline three times, or hardly any has not.
	if evaluated > 3 {
		t.Errorf("%d of the slow conditions were evaluated on the last event", evaluated)
	}
	mended := slow[0]
	mended.Expression = "age == 20"
	if _, err := store.UpdateCallback(t.Context(), mended); err != nil {
		t.Fatal(err)
	}
	if err := engine.Dispatch(ctx, largeEvent("788", "last")); err != nil {
		t.Fatal(err)
	}
	got := map[string]bool{(<-arrived)[:5]: true, (<-arrived)[:5]: true}
	if !got["/slow"] || !got["/hone"] {
		t.Errorf("after the edit arrived: %v", got)
	}
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
}
