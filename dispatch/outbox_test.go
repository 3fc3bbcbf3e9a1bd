package dispatch_test

import (
	"context"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ringback-dev/ringback/store/memory"
	"github.com/ringback-dev/ringback/webhook"
)

// One transaction of the fan-out is bounded, in deliveries and failures together and in
// bytes of messages, so that other writers come through.
func TestFanOutIsBounded(t *testing.T) {
	t.Run("rows", func(t *testing.T) {
		inBubble(t, nil, func(b *bench) {
			store := &fanOutMeter{Store: b.Store}
			b.Engine = b.engineOn(store, nil)
			for range 50 {
				b.Callback("fires", webhook.Callback{})
				b.Callback("fails", webhook.Callback{Expression: "profile"})
			}
			for i := range 30 {
				b.Dispatch(strconv.Itoa(i+1), 1)
			}
			b.Start()
			advance(time.Minute)
			synctest.Wait()
			if store.total != 3000 || store.rows > 512 || store.rows <= 100 {
				t.Errorf("%d rows in all, up to %d in a transaction; want 3000, several events' and at most 512",
					store.total, store.rows)
			}
		})
	})
	t.Run("bytes", func(t *testing.T) {
		inBubble(t, nil, func(b *bench) {
			store := &fanOutMeter{Store: b.Store}
			b.Engine = b.engineOn(store, nil)
			b.Callback("xml", webhook.Callback{Method: webhook.MethodXML})
			b.Callback("json", webhook.Callback{})
			list := slices.Repeat([]any{1}, 20_000) // far larger as XML
			for i := range 15 {
				e := update(strconv.Itoa(i+1), 1)
				e.Profile.Fields["list"] = list
				if err := b.Engine.Dispatch(b.Context(), e); err != nil {
					t.Fatal(err)
				}
			}
			b.Start()
			advance(time.Minute)
			synctest.Wait()
			if store.total != 30 || store.bytes > 4<<20 || store.bytes < 1<<20 {
				t.Errorf("%d deliveries, up to %d bytes in a transaction; want 30, several events' and at most 4 MiB",
					store.total, store.bytes)
			}
		})
	})
}

// fanOutMeter measures transactions, and takes long over each, so that whatever may
// come together in the next one does.
type fanOutMeter struct {
	webhook.Store
	mu                 sync.Mutex
	total, rows, bytes int // the latter two of the largest transactions
}

func (s *fanOutMeter) FanOut(ctx context.Context, expansions []webhook.Expansion) error {
	rows, bytes := 0, 0
	for _, x := range expansions {
		rows += len(x.Targets) + len(x.Failures)
		for _, m := range [][]byte{x.Messages.JSON, x.Messages.XML} {
			bytes += len(m)
		}
	}
	s.mu.Lock()
	s.total += rows
	s.rows, s.bytes = max(s.rows, rows), max(s.bytes, bytes)
	s.mu.Unlock()
	advance(100 * time.Millisecond)
	return s.Store.FanOut(ctx, expansions)
}

// An expansion comes with the event that it is of, so that the store need not look it up.
func TestFanOutGivesEvents(t *testing.T) {
	inBubble(t, nil, func(b *bench) {
		store := &fanOutEvents{Store: b.Store}
		b.Engine = b.engineOn(store, nil)
		b.Callback("hook", webhook.Callback{})
		events := updates(20)
		if err := b.Store.Dispatch(b.Context(), events...); err != nil {
			t.Fatal(err)
		}
		b.Start()
		advance(time.Second)
		synctest.Wait()
		var want []string
		for _, e := range events {
			want = append(want, e.ID)
		}
		if !slices.Equal(store.ids, want) {
			t.Errorf("the events of the expansions are %q, want %q", store.ids, want)
		}
	})
}

// fanOutEvents notes the events that expansions come with.
type fanOutEvents struct {
	*memory.Store
	ids []string
}

func (s *fanOutEvents) FanOutAndClaim(
	ctx context.Context, expansions []webhook.Expansion, r webhook.ClaimRequest,
) ([]webhook.Claimed, error) {
	for _, x := range expansions {
		if x.Event != nil && x.Event.Sequence == x.Sequence {
			s.ids = append(s.ids, x.Event.ID)
		}
	}
	return s.Store.FanOutAndClaim(ctx, expansions, r)
}

// Listeners are kept in memory, except those of a scope that has too many.
func TestListenersInMemory(t *testing.T) {
	for _, test := range []struct{ listeners, reads int }{{100, 1}, {60_000, 3}} {
		inBubble(t, nil, func(b *bench) {
			store := &listenersMeter{Store: b.Store}
			for i := range test.listeners {
				store.all = append(store.all, webhook.Callback{
					ID: strconv.Itoa(i + 1), Database: "788", Action: webhook.ActionDelete,
				}.WithDefaults())
			}
			b.Engine = b.engineOn(store, nil)
			b.Start()
			for age := range 3 {
				b.Dispatch("1", age)
				synctest.Wait()
			}
			if n := int(store.reads.Load()); n != test.reads {
				t.Errorf("%d listeners are read %d times for 3 events, want %d", test.listeners, n, test.reads)
			}
		})
	}
}

type listenersMeter struct {
	webhook.Store
	reads atomic.Int32
	all   []webhook.Callback
}

func (s *listenersMeter) Listeners(context.Context, webhook.Scope) (webhook.Listeners, error) {
	s.reads.Add(1)
	return webhook.Listeners{Callbacks: s.all}, nil
}

// A failure of an expression that has been replaced meanwhile is not counted on the new
// one.
func TestFailureOfAnOldExpression(t *testing.T) {
	inBubble(t, nil, func(b *bench) {
		store := &editingStore{Store: b.Store}
		b.Engine = b.engineOn(store, nil)
		c := b.Callback("hook", webhook.Callback{Expression: "profile"})
		store.edit = func() {
			c.Expression = "true"
			if _, err := b.Store.UpdateCallback(t.Context(), c); err != nil {
				t.Error(err)
			}
		}
		b.Dispatch("1", 1)
		b.Start()
		synctest.Wait()
		c, err := b.Store.Callback(t.Context(), c.ID)
		if err != nil || c.Expression != "true" || c.ExpressionFailures != 0 {
			t.Errorf("%q has %d failures, %+v, %v", c.Expression, c.ExpressionFailures, c.ExpressionError, err)
		}
	})
}

// editingStore changes a callback between the reading of the listeners and the fan-out.
type editingStore struct {
	webhook.Store
	edit func()
}

func (s *editingStore) FanOut(ctx context.Context, expansions []webhook.Expansion) error {
	if s.edit != nil {
		s.edit()
		s.edit = nil
	}
	return s.Store.FanOut(ctx, expansions)
}
