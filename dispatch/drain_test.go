package dispatch_test

import (
	"context"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/ringback-dev/ringback/dispatch"
	"github.com/ringback-dev/ringback/store/memory"
	"github.com/ringback-dev/ringback/webhook"
)

// Events with slow conditions, of which minutes' worth may be waiting, do not keep Run
// from returning.
func TestDrainSlowConditions(t *testing.T) {
	store := &pendingStore{Store: memory.New(), read: make(chan struct{}, 1)}
	engine, err := dispatch.New(store, nil)
	if err != nil {
		t.Fatal(err)
	}
	engine.SetTransport(&network{})
	slow := strings.Repeat("/(a?){90}b/.test(text) || ", 20) + "false"
	for range 100 {
		c := webhook.Callback{Database: "788", URL: "https://example.com/", Expression: slow}
		if err := engine.Check(t.Context(), c); err != nil {
			t.Fatal(err)
		}
		if _, err := store.CreateCallback(t.Context(), c.WithDefaults(), 0); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 100 {
		e := update(strconv.Itoa(i), 1)
		e.Profile.Fields["text"] = strings.Repeat("a", 1200)
		if err := store.Dispatch(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- engine.Run(ctx) }()
	<-store.read
	<-time.After(100 * time.Millisecond) // amid the evaluation, whatever the machine
	stop()
	began := time.Now()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if took := time.Since(began); took > 2*time.Second {
		t.Errorf("Run returned %v after ctx ended, with no request in flight", took)
	}
}

// pendingStore tells the test that the outbox has been read.
type pendingStore struct {
	webhook.Store
	read chan struct{}
}

func (s *pendingStore) Pending(ctx context.Context, r webhook.PendingRequest) (webhook.PendingEvents, error) {
	pending, err := s.Store.Pending(ctx, r)
	select {
	case s.read <- struct{}{}:
	default:
	}
	return pending, err
}
