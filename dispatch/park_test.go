package dispatch_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ringback-dev/ringback/dispatch"
	"github.com/ringback-dev/ringback/webhook"
)

// An event that can't be decoded ends as dead deliveries to those who were there and may
// have heard of it, in its place among the others, and the host is told.
func TestDamagedEvent(t *testing.T) {
	var log logbook
	o := &dispatch.Options{Logger: log.Logger()}
	inBubble(t, o, func(b *bench) {
		store := &damagedStore{Store: b.Store}
		b.Engine = b.engineOn(store, o)
		hook := b.Callback("hook", webhook.Callback{Expression: "age > 1000 || age < 1000"})
		deaf := b.Callback("deaf", webhook.Callback{Action: webhook.ActionDelete})
		b.Dispatch("1", 1, 2, 3)
		late := b.Callback("late", webhook.Callback{})
		b.Start()
		advance(10 * time.Second)
		synctest.Wait()
		if got := ages(b.Network.Posts(), "1"); got != "1 3" {
			t.Errorf("arrived: %s, want 1 3", got)
		}
		if d := b.Delivery("1", 2, hook); d.State != webhook.DeliveryDead || !strings.Contains(d.Reason, "damaged") {
			t.Errorf("of the damaged event: %s, %q", d.State, d.Reason)
		}
		if n := len(b.Dead(hook)) + len(b.Dead(deaf)) + len(b.Dead(late)); n != 1 {
			t.Errorf("%d dead deliveries, want 1", n)
		}
		if want := []int64{1, 2, 3}; !slices.Equal(store.written, want) {
			t.Errorf("written in the order %v, want %v", store.written, want)
		}
		if b.Pending() != 0 {
			t.Errorf("on the outbox: %d", b.Pending())
		}
		if n := log.Count("level=ERROR"); n != 1 || log.Count("sequence=2") != 1 {
			t.Errorf("%d errors logged, want one that names sequence 2", n)
		}
	})
}

// damagedStore can't decode the event with sequence 2.
type damagedStore struct {
	webhook.Store
	written []int64
}

func (s *damagedStore) Pending(ctx context.Context, r webhook.PendingRequest) (webhook.PendingEvents, error) {
	pending, err := s.Store.Pending(ctx, r)
	pending.Events = slices.DeleteFunc(pending.Events, func(e webhook.Event) bool {
		if e.Sequence == 2 {
			pending.Damaged = append(pending.Damaged, webhook.DamagedEvent{
				Sequence: 2, ID: e.ID, Scope: e.Scope(), Action: e.Action,
			})
		}
		return e.Sequence == 2
	})
	return pending, err
}

func (s *damagedStore) FanOut(ctx context.Context, expansions []webhook.Expansion) error {
	for _, x := range expansions {
		s.written = append(s.written, x.Sequence)
	}
	return s.Store.FanOut(ctx, expansions)
}

// refusingStore refuses expansions, and with one all that come in its transaction.
type refusingStore struct {
	webhook.Store
	refuses func(webhook.Expansion) bool

	mu    sync.Mutex // held while it works
	calls atomic.Int32
}

func (s *refusingStore) FanOut(ctx context.Context, expansions []webhook.Expansion) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls.Add(1)
	if slices.ContainsFunc(expansions, s.refuses) {
		return errors.New("constraint failed")
	}
	return s.Store.FanOut(ctx, expansions)
}

// alive reports whether an expansion has a delivery that is to be attempted.
func alive(x webhook.Expansion) bool {
	return slices.ContainsFunc(x.Targets, func(t webhook.Target) bool { return t.Dead == "" })
}

// An event whose deliveries the store refuses is parked. Those about other records are
// not delayed, those about its own by no more than a poll.
func TestRefusedEvent(t *testing.T) {
	for name, refuses := range map[string]func(webhook.Expansion) bool{
		"deliveries": alive,
		"messages":   func(x webhook.Expansion) bool { return x.Messages.JSON != nil },
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, nil, func(b *bench) {
				b.Engine = b.engineOn(&refusingStore{Store: b.Store, refuses: func(x webhook.Expansion) bool {
					return x.Sequence == 2 && refuses(x)
				}}, nil)
				c := b.Callback("hook", webhook.Callback{})
				b.Dispatch("a", 1, 2, 3)
				b.Dispatch("b", 1)
				b.Start()
				synctest.Wait()
				if got := ages(b.Network.Posts(), "b"); got != "1" {
					t.Errorf("about the other record arrived at once: %q", got)
				}
				advance(time.Second)
				synctest.Wait()
				if got := ages(b.Network.Posts(), "a"); got != "1 3" {
					t.Errorf("about its own record arrived: %q, want 1 3", got)
				}
				if d := b.Delivery("a", 2, c); d.State != webhook.DeliveryDead || !strings.Contains(d.Reason, "stored") {
					t.Errorf("the refused delivery is %s: %q", d.State, d.Reason)
				}
				if b.Pending() != 0 {
					t.Errorf("on the outbox: %d", b.Pending())
				}
			})
		})
	}
}

// What the store refuses with messages is parked with them, where it takes that: then it
// can be replayed.
func TestRefusedEventCanBeReplayed(t *testing.T) {
	inBubble(t, nil, func(b *bench) {
		b.Engine = b.engineOn(&refusingStore{Store: b.Store, refuses: alive}, nil)
		c := b.Callback("hook", webhook.Callback{})
		b.Dispatch("a", 1)
		b.Start()
		advance(time.Second)
		synctest.Wait()
		if _, err := b.Store.Replay(t.Context(), b.Delivery("a", 1, c).ID); err != nil {
			t.Fatal(err)
		}
		advance(2 * time.Second)
		synctest.Wait()
		if got := ages(b.Network.Posts(), "a"); got != "1" {
			t.Errorf("after the replay arrived: %q", got)
		}
	})
}

// A store that takes nothing for minutes costs nothing but time: no event is given up,
// and it is not flooded with tries.
func TestStoreThatTakesNothing(t *testing.T) {
	inBubble(t, nil, func(b *bench) {
		back := time.Now().Add(2 * time.Minute) // longer than an event is waited for
		store := &refusingStore{Store: b.Store, refuses: func(webhook.Expansion) bool { return time.Now().Before(back) }}
		b.Engine = b.engineOn(store, nil)
		c := b.Callback("hook", webhook.Callback{})
		for i := range 130 {
			b.Dispatch(fmt.Sprint(i), 1)
		}
		b.Start()
		advance(2*time.Minute - time.Millisecond)
		if b.Pending() != 130 || store.calls.Load() > 8_000 {
			t.Errorf("%d events on the outbox, %d calls", b.Pending(), store.calls.Load())
		}
		advance(5 * time.Second)
		synctest.Wait()
		if n := len(b.Network.Posts()); n != 130 || len(b.Dead(c)) != 0 {
			t.Errorf("%d posts, %d dead", n, len(b.Dead(c)))
		}
	})
}

// A store that makes every write wait, as one that is busy does, loses nothing, whenever it
// comes back.
func TestBusyStore(t *testing.T) {
	for back := 30 * time.Second; back < 90*time.Second; back += 1700 * time.Millisecond {
		inBubble(t, nil, func(b *bench) {
			b.Engine = b.engineOn(&busyStore{Store: b.Store, until: time.Now().Add(back)}, nil)
			c := b.Callback("hook", webhook.Callback{})
			b.Dispatch("a", 1, 2)
			b.Start()
			advance(back + 30*time.Second)
			synctest.Wait()
			if got := ages(b.Network.Posts(), "a"); got != "1 2" || len(b.Dead(c)) != 0 {
				t.Errorf("busy for %v: arrived %q, %d dead", back, got, len(b.Dead(c)))
			}
		})
	}
}

// busyStore lets writes wait for a while, and then fail.
type busyStore struct {
	webhook.Store
	until time.Time
}

func (s *busyStore) wait() error {
	const patience = 5 * time.Second
	if busy := time.Until(s.until); busy > patience {
		advance(patience)
		return errors.New("busy")
	} else if busy > 0 {
		advance(busy)
	}
	return nil
}

func (s *busyStore) FanOut(ctx context.Context, expansions []webhook.Expansion) error {
	if err := s.wait(); err != nil {
		return err
	}
	return s.Store.FanOut(ctx, expansions)
}

func (s *busyStore) Beat(ctx context.Context, w webhook.Worker) error {
	if err := s.wait(); err != nil {
		return err
	}
	return s.Store.Beat(ctx, w)
}

// While a store has no room for messages, those of an event that it refuses are not given
// up: neither because it takes smaller ones, nor because it takes nothing else. Only what
// it has refused for an hour is.
func TestStoreWithoutRoom(t *testing.T) {
	for _, test := range []struct {
		name   string
		others int // beside it
		down   time.Duration
		kept   bool
	}{
		{"smaller ones beside it", 10, 5 * time.Minute, true},
		{"nothing else", 0, 5 * time.Minute, true},
		{"nothing else, for long", 0, 61 * time.Minute, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			inBubble(t, nil, func(b *bench) {
				back := time.Now().Add(test.down)
				b.Engine = b.engineOn(&refusingStore{Store: b.Store, refuses: func(x webhook.Expansion) bool {
					return time.Now().Before(back) && len(x.Messages.JSON) > 2000
				}}, nil)
				c := b.Callback("hook", webhook.Callback{})
				large := update("large", 1)
				large.Profile.Fields["text"] = strings.Repeat("x", 2000)
				if err := b.Engine.Dispatch(b.Context(), large); err != nil {
					t.Fatal(err)
				}
				b.Start()
				for i := range test.others {
					b.Dispatch("other", i)
					advance(10 * time.Second)
				}
				advance(test.down + 5*time.Minute)
				synctest.Wait()
				d := b.Delivery("large", 1, c)
				kept := d.State == webhook.DeliveryDelivered
				if !kept {
					replayed, err := b.Store.Replay(t.Context(), d.ID)
					kept = err == nil && replayed.Replayed
				}
				if kept != test.kept {
					t.Errorf("the delivery is %s; that it has its message is %v", d.State, kept)
				}
				if n := len(b.Network.Posts()); n < test.others {
					t.Errorf("%d posts, want those of %d others", n, test.others)
				}
			})
		})
	}
}

// A store that fails every other time loses nothing.
func TestStoreThatFailsAtRandom(t *testing.T) {
	inBubble(t, nil, func(b *bench) {
		n := 0
		b.Engine = b.engineOn(&refusingStore{Store: b.Store, refuses: func(webhook.Expansion) bool {
			n++
			return n%2 == 1
		}}, nil)
		c := b.Callback("hook", webhook.Callback{})
		b.Start()
		for age := range 50 {
			for i := range 4 {
				b.Dispatch(fmt.Sprint(i), age)
			}
			advance(100 * time.Millisecond)
		}
		advance(time.Minute)
		synctest.Wait()
		if n := len(b.Network.Posts()); n != 200 || len(b.Dead(c)) != 0 {
			t.Errorf("%d posts, %d dead", n, len(b.Dead(c)))
		}
	})
}

// An event that can't be parked either is left behind, and parked when that works again:
// not delivered, since later ones of its record were.
func TestLeftBehind(t *testing.T) {
	inBubble(t, nil, func(b *bench) {
		mended := time.Now().Add(10 * time.Minute)
		store := &refusingStore{Store: b.Store, refuses: func(x webhook.Expansion) bool {
			return x.Sequence == 1 && time.Now().Before(mended)
		}}
		b.Engine = b.engineOn(store, nil)
		c := b.Callback("hook", webhook.Callback{})
		b.Dispatch("a", 1)
		b.Start()
		for i := range 5 {
			b.Dispatch("b", i)
			b.Dispatch("a", i+2)
			advance(2 * time.Second)
		}
		synctest.Wait()
		if got := ages(b.Network.Posts(), "a"); got != "2 3 4 5 6" {
			t.Errorf("about its record arrived: %q", got)
		}
		calls := store.calls.Load()
		advance(5 * time.Minute)
		if n := store.calls.Load() - calls; n > 20 {
			t.Errorf("%d tries in five minutes", n)
		}
		b.Dispatch("a", 7)
		advance(time.Second)
		if got := ages(b.Network.Posts(), "a"); got != "2 3 4 5 6 7" {
			t.Errorf("later arrived: %q", got)
		}
		advance(15 * time.Minute)
		synctest.Wait()
		if d := b.Delivery("a", 1, c); d.State != webhook.DeliveryDead || b.Pending() != 0 {
			t.Errorf("once it is taken: %s, %d on the outbox", d.State, b.Pending())
		}
	})
}

// An event that makes the engine panic ends as dead deliveries; the others go on.
func TestEventThatPanics(t *testing.T) {
	var log logbook
	o := &dispatch.Options{Logger: slog.New(panickingHandler{log.Logger().Handler()})}
	inBubble(t, o, func(b *bench) {
		c := b.Callback("hook", webhook.Callback{Expression: "age == 2 ? profile : true"})
		b.Dispatch("1", 1, 2, 3)
		b.Start()
		synctest.Wait()
		if got := ages(b.Network.Posts(), "1"); got != "1 3" {
			t.Errorf("arrived: %q, want 1 3", got)
		}
		if d := b.Delivery("1", 2, c); d.State != webhook.DeliveryDead || !strings.Contains(d.Reason, "mistake") {
			t.Errorf("the delivery is %s: %q", d.State, d.Reason)
		}
		if log.Count("panic=bomb") != 1 || log.Count("expand.go") == 0 {
			t.Error("the panic is not logged with its stack")
		}
	})
}

// panickingHandler panics when it is told of a condition that failed.
type panickingHandler struct{ slog.Handler }

func (panickingHandler) Enabled(context.Context, slog.Level) bool { return true }

func (h panickingHandler) Handle(ctx context.Context, r slog.Record) error {
	if strings.Contains(r.Message, "condition failed") {
		panic("bomb")
	}
	return h.Handler.Handle(ctx, r)
}
