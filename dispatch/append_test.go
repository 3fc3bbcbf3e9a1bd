package dispatch_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ringback-dev/ringback/dispatch"
	"github.com/ringback-dev/ringback/store/memory"
	"github.com/ringback-dev/ringback/webhook"
	"github.com/ringback-dev/ringback/webhook/condition"
)

// An appendStore counts in which way events are appended, and lets a test come between
// the engine and what it appends directly.
type appendStore struct {
	*memory.Store
	before func() error                // before it is appended directly; may be nil
	after  func(pending bool) error    // once it is; may be nil
	sees   func(webhook.ExpandedEvent) // each event; may be nil
	fanOut time.Duration               // that a fan-out takes, before it is done

	dispatched atomic.Int32 // calls of Dispatch
	directly   atomic.Int32 // events that were appended with their deliveries
	pending    atomic.Int32 // events of which the store said that they are pending
	calls      atomic.Int32 // of AppendAndClaim
	rows       atomic.Int32 // the most deliveries of one call
}

func (s *appendStore) Dispatch(ctx context.Context, events ...webhook.Event) error {
	s.dispatched.Add(1)
	return s.Store.Dispatch(ctx, events...)
}

// countedRows counts the deliveries of what an event fans out to.
type countedRows struct {
	webhook.ExpandedEvent
	rows *int
}

func (c countedRows) Expand(sequence int64) webhook.Expansion {
	x := c.ExpandedEvent.Expand(sequence)
	*c.rows += len(x.Targets)
	return x
}

func (s *appendStore) AppendAndClaim(
	ctx context.Context, events []webhook.ExpandedEvent, revision int64, r webhook.ClaimRequest,
) (claimed []webhook.Claimed, pending bool, err error) {
	s.calls.Add(1)
	rows := 0
	events = slices.Clone(events)
	for i, e := range events {
		if s.sees != nil {
			s.sees(e)
		}
		events[i] = countedRows{e, &rows}
	}
	defer func() { s.rows.Store(max(s.rows.Load(), int32(rows))) }()
	if s.before != nil {
		if err := s.before(); err != nil {
			return nil, false, err
		}
	}
	claimed, pending, err = s.Store.AppendAndClaim(ctx, events, revision, r)
	if err == nil && s.after != nil {
		err = s.after(pending)
	}
	if err != nil && !errors.Is(err, webhook.ErrDamaged) {
		return nil, false, err
	}
	switch {
	case pending:
		s.pending.Add(int32(len(events)))
	default:
		s.directly.Add(int32(len(events)))
	}
	return claimed, pending, err
}

func (s *appendStore) FanOutAndClaim(
	ctx context.Context, expansions []webhook.Expansion, r webhook.ClaimRequest,
) ([]webhook.Claimed, error) {
	advance(s.fanOut)
	return s.Store.FanOutAndClaim(ctx, expansions, r)
}

// Reset begins to count anew.
func (s *appendStore) Reset() {
	for _, count := range []*atomic.Int32{&s.dispatched, &s.directly, &s.pending, &s.calls, &s.rows} {
		count.Store(0)
	}
}

// appends puts an engine on an appendStore in the place of the bench's own.
func (b *bench) appends(o *dispatch.Options) *appendStore {
	b.Helper()
	store := &appendStore{Store: b.Store}
	b.Engine = b.engineOn(store, o)
	return store
}

// Warm lets the engine learn who hears of what is in database 788.
func (b *bench) Warm() {
	b.Helper()
	b.Dispatch("warm", 0)
	advance(time.Second)
	synctest.Wait()
}

// Dispatched appends events at the same time, each in a call of its own, and returns how the
// calls ended.
func (b *bench) Dispatched(events ...webhook.Event) []error {
	errs := make([]error, len(events))
	var calls sync.WaitGroup
	for i, e := range events {
		calls.Go(func() { errs[i] = b.Engine.Dispatch(b.Context(), e) })
	}
	calls.Wait()
	return errs
}

// Once checks that about a record arrived what is given, in that order and once.
func (b *bench) Once(record string, changes int) {
	b.Helper()
	want := make([]string, changes)
	for i := range want {
		want[i] = strconv.Itoa(i)
	}
	posts := make(map[string][]post) // by URL
	for _, p := range b.Network.Posts() {
		posts[p.URL] = append(posts[p.URL], p)
	}
	for url, posts := range posts {
		if got := ages(posts, record); got != strings.Join(want, " ") {
			b.Errorf("%s: about record %s arrived %q, want 0 to %d", url, record, got, changes-1)
		}
	}
}

// Once it is known who hears of a scope, events are appended with their deliveries, and
// what arrives is what is stored.
func TestAppendDirectly(t *testing.T) {
	inBubble(t, nil, func(b *bench) {
		store := b.appends(nil)
		var mu sync.Mutex
		seen := make(map[string]int)
		store.sees = func(e webhook.ExpandedEvent) {
			mu.Lock()
			defer mu.Unlock()
			seen[e.Event().ID]++
		}
		c := b.Callback("hook", webhook.Callback{})
		b.Start()
		b.Warm()
		store.Reset()
		store.before = func() error {
			advance(time.Millisecond)
			return nil
		}
		var events []webhook.Event
		for record := range 200 {
			events = append(events, update(strconv.Itoa(record), record))
		}
		for i, err := range b.Dispatched(events...) {
			if err != nil {
				t.Fatalf("event %d: %v", i, err)
			}
		}
		advance(time.Second)
		if n := store.dispatched.Load(); n != 0 || store.directly.Load() != 200 || store.pending.Load() != 0 {
			t.Errorf("%d calls of Store.Dispatch; %d events appended directly, %d pending; want 0, 200, 0",
				n, store.directly.Load(), store.pending.Load())
		}
		if n := store.calls.Load(); n > 100 {
			t.Errorf("%d transactions for 200 events at the same time", n)
		}
		ids := make(map[string]post)
		for _, p := range b.Network.Posts() {
			ids[p.Header.Get("webhook-id")] = p
		}
		if len(ids) != 201 || len(b.Network.Posts()) != 201 {
			t.Fatalf("%d posts of %d deliveries, want 201", len(b.Network.Posts()), len(ids))
		}
		for record := range 200 {
			d := b.Delivery(strconv.Itoa(record), record, c)
			p := ids[d.ID]
			if d.State != webhook.DeliveryDelivered || d.Attempts != 1 || p.Sequence != d.Sequence || p.Record != d.Record {
				t.Fatalf("%+v arrived as %q", d, p.Body)
			}
			if seen[d.EventID] != 1 {
				t.Errorf("event %s was given to the store %d times", d.EventID, seen[d.EventID])
			}
		}
	})
}

// The order of a record's changes is that in which they were appended, in whichever way
// each of them was, and whatever is pending then.
func TestAppendOrder(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	inBubble(t, nil, func(b *bench) {
		const records, changes = 8, 120
		store := b.appends(nil)
		store.fanOut = time.Millisecond
		hostsEvents := 0
		store.before = func() error {
			advance(time.Millisecond)
			if store.calls.Load()%4 != 0 {
				return nil
			}
			hostsEvents++ // something is pending now
			return b.Store.Dispatch(b.Context(), update("hosts", hostsEvents))
		}
		b.Network.Answer = func(_ *http.Request, n int) (*http.Response, error) {
			advance(time.Duration(n%5) * time.Millisecond)
			return answer(200, ""), nil
		}
		b.Callback("a", webhook.Callback{})
		b.Callback("b", webhook.Callback{Expression: "age >= 0", Ordering: webhook.OrderingSkip})
		b.Start()
		b.Warm()
		var hosts sync.WaitGroup
		for record := range records {
			hosts.Go(func() {
				random := rand.New(rand.NewPCG(seed, uint64(record)))
				for age := range changes {
					e := update(strconv.Itoa(record), age)
					var err error
					if random.IntN(6) == 0 {
						err = b.Store.Dispatch(b.Context(), e) // as in a transaction of the host's
					} else {
						err = b.Engine.Dispatch(b.Context(), e)
					}
					if err != nil {
						t.Error(err)
					}
					advance(time.Duration(random.IntN(3)*random.IntN(8)) * time.Millisecond)
				}
			})
		}
		hosts.Wait()
		advance(time.Minute)
		synctest.Wait()
		for record := range records {
			b.Once(strconv.Itoa(record), changes)
		}
		if n, want := len(b.Network.Posts()), 2*(records*changes+hostsEvents+1); n != want {
			t.Errorf("%d posts, want %d", n, want)
		}
		if store.directly.Load() == 0 || store.pending.Load() == 0 {
			t.Errorf("%d events were appended directly, %d pending: the test wants both",
				store.directly.Load(), store.pending.Load())
		}
		t.Logf("directly: %d, pending: %d", store.directly.Load(), store.pending.Load())
	})
}

// A change of the registry is heeded by the very next event.
func TestAppendHeedsRegistry(t *testing.T) {
	for name, test := range map[string]struct {
		change func(b *bench, c webhook.Callback) error
		want   string // of ages 1, before it, and 2, after it
	}{
		"edited": {func(b *bench, c webhook.Callback) error {
			c.Expression = "age != 2"
			_, err := b.Store.UpdateCallback(b.Context(), c)
			return err
		}, "1"},
		"bound to another action": {func(b *bench, c webhook.Callback) error {
			c.Action = webhook.ActionDelete
			_, err := b.Store.UpdateCallback(b.Context(), c)
			return err
		}, "1"},
		"disabled": {func(b *bench, c webhook.Callback) error {
			c.State = webhook.StateDisabled
			_, err := b.Store.UpdateCallback(b.Context(), c)
			return err
		}, "1"},
		"deleted": {func(b *bench, c webhook.Callback) error {
			return b.Store.DeleteCallback(b.Context(), c.ID)
		}, "1"},
		"created": {func(b *bench, c webhook.Callback) error {
			b.Callback("hook", webhook.Callback{})
			return nil
		}, "1 2 2"},
		"none": {func(*bench, webhook.Callback) error { return nil }, "1 2"},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, nil, func(b *bench) {
				store := b.appends(nil)
				c := b.Callback("hook", webhook.Callback{})
				b.Start()
				b.Warm()
				store.Reset()
				b.Dispatch("1", 1)
				synctest.Wait()
				if store.directly.Load() != 1 {
					t.Fatalf("%d events appended directly, want 1", store.directly.Load())
				}
				if err := test.change(b, c); err != nil {
					t.Fatal(err)
				}
				b.Dispatch("1", 2)
				advance(time.Second)
				synctest.Wait()
				if got := ages(b.Network.Posts(), "1"); got != test.want {
					t.Errorf("arrived: %q, want %q", got, test.want)
				}
				b.Dispatch("2", 3)
				if n := store.directly.Load() + store.pending.Load(); n != 3 || store.dispatched.Load() != 0 {
					t.Errorf("%d events went the direct way, %d calls of Store.Dispatch", n, store.dispatched.Load())
				}
			})
		})
	}
}

// A callback that comes to be after the conditions were evaluated, and before the event is
// appended, hears of it; one that is gone by then does not.
func TestAppendBesideRegistry(t *testing.T) {
	inBubble(t, nil, func(b *bench) {
		store := b.appends(nil)
		old := b.Callback("old", webhook.Callback{})
		b.Start()
		b.Warm()
		store.before = func() error {
			store.before = nil
			b.Callback("new", webhook.Callback{})
			return b.Store.DeleteCallback(b.Context(), old.ID)
		}
		b.Dispatch("1", 1)
		synctest.Wait()
		posts := b.Network.Posts()[1:]
		if len(posts) != 1 || !strings.HasSuffix(posts[0].URL, "/new") || posts[0].Record != "1" {
			t.Errorf("arrived: %+v, want the event at the new callback", posts)
		}
	})
}

// What callbacks hear, and the failures of their conditions, are the same whether events are
// appended directly or fanned out later.
func TestAppendConditions(t *testing.T) {
	hear := func(directly bool) (heard []string) {
		inBubble(t, nil, func(b *bench) {
			store := b.appends(nil)
			if !directly {
				b.Engine = b.engineOn(&struct{ webhook.Store }{store}, nil)
			}
			var callbacks []webhook.Callback
			for _, when := range []webhook.When{
				webhook.WhenMatches, webhook.WhenEnters, webhook.WhenLeaves, webhook.WhenChanges,
			} {
				for i, expression := range []string{"age >= 18", "age == 'boom' ? age.no.way : age >= 18", "", "nonsense("} {
					callbacks = append(callbacks, b.Callback(fmt.Sprint(when, i), webhook.Callback{
						When: when, Expression: expression, Method: []webhook.Method{webhook.MethodJSON, webhook.MethodXML}[i%2],
					}))
				}
			}
			b.Start()
			b.Warm()
			store.Reset()
			values := []any{nil, 10, 20, "boom"}
			n := 0
			for _, action := range []webhook.Action{webhook.ActionCreate, webhook.ActionUpdate, webhook.ActionDelete} {
				for _, before := range values {
					for _, now := range values[1:] {
						if action == webhook.ActionCreate && before != nil {
							continue
						}
						e := change(action, before, now)
						n++
						e.ID, e.Profile.ID = fmt.Sprint("e", n), fmt.Sprint(n)
						if e.Previous != nil {
							e.Previous.ID = ""
						}
						if err := b.Engine.Dispatch(b.Context(), e); err != nil {
							t.Fatal(err)
						}
					}
				}
			}
			advance(time.Minute)
			if got := int(store.directly.Load()); directly != (got == n) || !directly && got != 0 {
				t.Errorf("%d of %d events were appended directly", got, n)
			}
			for _, p := range b.Network.Posts() {
				heard = append(heard, p.URL+" "+p.Header.Get("webhook-id")+" "+p.Header.Get("Content-Type"))
			}
			for _, c := range callbacks {
				c, err := b.Store.Callback(b.Context(), c.ID)
				if err != nil {
					t.Fatal(err)
				}
				heard = append(heard, fmt.Sprintf("%s failed %d times, on %s: %s",
					c.URL, c.ExpressionFailures, c.ExpressionError.Event, c.ExpressionError.Message))
			}
		})
		slices.Sort(heard)
		return heard
	}
	later, directly := hear(false), hear(true)
	for i := range min(len(later), len(directly)) {
		if later[i] != directly[i] {
			t.Fatalf("fanned out later: %s; appended directly: %s", later[i], directly[i])
		}
	}
	if len(later) != len(directly) || len(later) < 100 {
		t.Errorf("%d posts and failures when fanned out later, %d when appended directly", len(later), len(directly))
	}
}

// What is too much for one transaction, or of a scope of which nothing is known, is fanned
// out later, and nothing of it is lost.
func TestAppendBounds(t *testing.T) {
	for name, test := range map[string]struct {
		callbacks int
		events    func() []webhook.Event
		directly  bool
	}{
		"as many events as may be": {1, func() []webhook.Event { return updates(256) }, true},
		"more events":              {1, func() []webhook.Event { return updates(257) }, false},
		"as many listeners":        {128, func() []webhook.Event { return updates(1) }, true},
		"more listeners":           {129, func() []webhook.Event { return updates(1) }, false},
		"as many deliveries":       {64, func() []webhook.Event { return updates(8) }, true},
		"more deliveries":          {64, func() []webhook.Event { return updates(9) }, false},
		"many large events": {1, func() []webhook.Event {
			e := updates(70)
			for i := range e {
				e[i].Profile.Fields["text"] = strings.Repeat("x", 63<<10)
			}
			return e
		}, false},
		"a large event, but not too large": {1, func() []webhook.Event {
			e := updates(3)
			e[1].Profile.Fields["text"] = strings.Repeat("x", 63<<10)
			return e
		}, true},
		"events of many bytes": {1, func() []webhook.Event {
			e := updates(256) // which may have six times as many, as far as is known at first
			for i := range e {
				e[i].Profile.Fields["text"] = strings.Repeat("x", 15<<10)
			}
			return e
		}, true},
		"a large event": {1, func() []webhook.Event {
			e := updates(3)
			e[1].Profile.Fields["text"] = strings.Repeat("x", 65<<10)
			return e
		}, false},
		"another scope": {1, func() []webhook.Event {
			e := updates(3)
			e[2].Collection, e[2].Subprofile = "orders", &webhook.Record{ID: "7"}
			return e
		}, true},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, nil, func(b *bench) {
				store := b.appends(nil)
				for i := range test.callbacks {
					b.Callback(strconv.Itoa(i), webhook.Callback{})
				}
				b.Callback("orders", webhook.Callback{Collection: "orders"})
				b.Start()
				b.Warm()
				store.Reset()
				before := len(b.Network.Posts())
				events := test.events()
				if err := b.Engine.Dispatch(b.Context(), events...); err != nil {
					t.Fatal(err)
				}
				advance(10 * time.Second)
				synctest.Wait()
				if got := int(store.directly.Load()); test.directly != (got == len(events)) || !test.directly && got != 0 {
					t.Errorf("%d of %d events were appended directly", got, len(events))
				}
				if store.directly.Load() == 0 && store.dispatched.Load() != 1 {
					t.Errorf("%d calls of Store.Dispatch, want 1", store.dispatched.Load())
				}
				if n := len(b.Network.Posts()) - before; n != len(events)*test.callbacks || b.Pending() != 0 {
					t.Errorf("%d posts, %d events pending; want %d and none", n, b.Pending(), len(events)*test.callbacks)
				}
			})
		})
	}
}

// Calls that come together share a transaction only as far as others need not wait long for
// its end.
func TestAppendSharesWithinBounds(t *testing.T) {
	inBubble(t, nil, func(b *bench) {
		store := b.appends(nil)
		store.before = func() error {
			advance(time.Millisecond)
			return nil
		}
		for i := range 60 {
			b.Callback(strconv.Itoa(i), webhook.Callback{})
		}
		b.Start()
		b.Warm()
		store.Reset()
		for i, err := range b.Dispatched(updates(100)...) {
			if err != nil {
				t.Errorf("call %d: %v", i, err)
			}
		}
		advance(10 * time.Second)
		if n := len(b.Network.Posts()); n != 60*101 || store.directly.Load() != 100 {
			t.Errorf("%d posts, %d events appended directly", n, store.directly.Load())
		}
		if rows := store.rows.Load(); rows < 300 || rows >= 512+60 {
			t.Errorf("up to %d deliveries were written in one transaction", rows)
		}
	})
}

// updates returns updates of so many records.
func updates(records int) []webhook.Event {
	events := make([]webhook.Event, records)
	for i := range events {
		events[i] = update(strconv.Itoa(i), 1)
	}
	return events
}

// A condition that has run into its deadline is not evaluated while a host waits.
func TestAppendSlowCondition(t *testing.T) {
	arrived := make(chan string, 100)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		arrived <- r.Header.Get("webhook-id")
	}))
	defer server.Close()
	store := &appendStore{Store: memory.New()}
	engine, err := dispatch.New(store, &dispatch.Options{
		Targets: anyTarget, Conditions: condition.Options{Deadline: 5 * time.Millisecond, MaxMemory: 64 << 20},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, expression := range []string{"", "age == 20 ? " + slowExpression + " : true"} {
		c := webhook.Callback{Database: "788", URL: server.URL, Expression: expression}
		if _, err := store.CreateCallback(t.Context(), c.WithDefaults(), 0); err != nil {
			t.Fatal(err)
		}
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- engine.Run(ctx) }()
	send := func(e webhook.Event, posts int) {
		t.Helper()
		if err := engine.Dispatch(ctx, e); err != nil {
			t.Fatal(err)
		}
		for range posts {
			if got := <-arrived; !strings.HasPrefix(got, e.ID+"_") {
				t.Fatalf("arrived: %s, want %s", got, e.ID)
			}
		}
	}
	// On a busy machine a fast condition may seem slow once or twice.
	direct := func(record string) bool {
		t.Helper()
		for age := range 1000 {
			calls := store.calls.Load()
			if send(update(record, -age), 2); store.calls.Load() > calls {
				return true
			}
		}
		return false
	}
	if !direct("1") {
		t.Error("no fast event went the direct way")
	}
	send(largeEvent("788", "large"), 1) // too large for it, evaluated later
	calls := store.calls.Load()
	send(update("2", 1), 2)
	if store.calls.Load() != calls {
		t.Error("while a condition is known to be slow, an event went the direct way")
	}
	if !direct("3") {
		t.Error("since the condition is fast again, no event went the direct way")
	}
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// A call with an event that is not valid appends nothing, and says which field is to blame;
// those beside it do not suffer.
func TestAppendInvalid(t *testing.T) {
	inBubble(t, nil, func(b *bench) {
		store := b.appends(nil)
		store.before = func() error {
			advance(time.Millisecond) // so that calls share transactions
			return nil
		}
		c := b.Callback("hook", webhook.Callback{})
		b.Start()
		b.Warm()
		var calls sync.WaitGroup
		for i := range 40 {
			calls.Go(func() {
				first, second := update(strconv.Itoa(i), 1), update(strconv.Itoa(i), 2)
				if i%4 == 0 {
					second.Profile.Fields["nested"] = map[string]any{"f": func() {}}
				}
				err := b.Engine.Dispatch(b.Context(), first, second)
				var invalid *webhook.InvalidError
				if i%4 != 0 && err != nil || i%4 == 0 && (!errors.As(err, &invalid) || invalid.Field != "profile.fields.nested.f") {
					t.Errorf("call %d: %v", i, err)
				}
			})
		}
		calls.Wait()
		advance(time.Second)
		synctest.Wait()
		for i := range 40 {
			want := "1 2"
			if i%4 == 0 {
				want = ""
				if _, err := b.Store.Delivery(b.Context(), webhook.DeliveryID(fmt.Sprintf("%d-1", i), c.ID)); !errors.Is(err, webhook.ErrNotFound) {
					t.Errorf("of call %d something is stored: %v", i, err)
				}
			}
			if got := ages(b.Network.Posts(), strconv.Itoa(i)); got != want {
				t.Errorf("of call %d arrived %q, want %q", i, got, want)
			}
		}
	})
}

// An ID that comes twice, in a call, in two at the same time, or one after the other, is one
// event.
func TestAppendSameID(t *testing.T) {
	inBubble(t, nil, func(b *bench) {
		store := b.appends(nil)
		store.before = func() error {
			advance(time.Millisecond)
			return nil
		}
		c := b.Callback("hook", webhook.Callback{})
		failing := b.Callback("failing", webhook.Callback{Expression: "age.no.way"})
		b.Start()
		b.Warm()
		store.Reset()
		if err := b.Engine.Dispatch(b.Context(), update("1", 1), update("2", 1), update("1", 1)); err != nil {
			t.Fatal(err)
		}
		var same []webhook.Event
		for i := range 20 {
			same = append(same, update("3", i%2))
		}
		for _, err := range b.Dispatched(same...) {
			if err != nil {
				t.Error(err)
			}
		}
		b.Dispatch("1", 1)
		b.Dispatch("3", 1)
		if err := b.Store.Dispatch(b.Context(), update("3", 0)); err != nil {
			t.Error(err)
		}
		advance(time.Second)
		synctest.Wait()
		if n := len(b.Network.Posts()); n != 5 || store.dispatched.Load() != 0 {
			t.Errorf("%d posts, %d calls of Store.Dispatch; want 5 and none", n, store.dispatched.Load())
		}
		for _, p := range b.Network.Posts()[1:] {
			age, _ := p.Age.Int64()
			if d := b.Delivery(p.Record, int(age), c); d.State != webhook.DeliveryDelivered || d.Sequence != p.Sequence {
				t.Errorf("%+v arrived as number %d", d, p.Sequence)
			}
		}
		c, err := b.Store.Callback(b.Context(), failing.ID)
		if err != nil || c.ExpressionFailures != 5 {
			t.Errorf("the condition has failed %d times, %v; want 5", c.ExpressionFailures, err)
		}
	})
}

// Where there is room for some of the calls that come together, as many are taken, and the
// others are told.
func TestAppendBacklogFull(t *testing.T) {
	inBubble(t, nil, func(b *bench) {
		b.Store.MaxBacklog = 20
		store := b.appends(nil)
		store.before = func() error {
			advance(time.Millisecond)
			return nil
		}
		var well atomic.Bool
		b.Network.Answer = func(r *http.Request, _ int) (*http.Response, error) {
			if !well.Load() && !strings.HasPrefix(r.Header.Get("webhook-id"), "warm") {
				advance(5 * time.Second)
			}
			return answer(200, ""), nil
		}
		b.Callback("hook", webhook.Callback{})
		b.Start()
		b.Warm()
		var events []webhook.Event
		for i := range 50 {
			events = append(events, update(strconv.Itoa(i), 1))
		}
		taken := make(map[string]bool)
		for i, err := range b.Dispatched(events...) {
			switch {
			case err == nil:
				taken[events[i].Profile.ID] = true
			case !errors.Is(err, webhook.ErrBacklogFull):
				t.Error(err)
			}
		}
		if len(taken) != 20 {
			t.Errorf("%d calls were taken, want 20", len(taken))
		}
		if err := b.Engine.Dispatch(b.Context(), update("alone", 1)); !errors.Is(err, webhook.ErrBacklogFull) {
			t.Errorf("a call by itself: %v", err)
		}
		well.Store(true)
		advance(5 * time.Minute)
		synctest.Wait()
		b.Dispatch("later", 1)
		synctest.Wait()
		for i := range 50 {
			want := ""
			if taken[strconv.Itoa(i)] {
				want = "1"
			}
			if got := ages(b.Network.Posts(), strconv.Itoa(i)); got != want {
				t.Errorf("of call %d arrived %q, want %q", i, got, want)
			}
		}
		if got := ages(b.Network.Posts(), "later"); got != "1" {
			t.Errorf("when there is room again arrived %q", got)
		}
	})
}

// Whatever becomes of the transaction, a call that returns nil has appended its events once,
// and nobody else's are lost.
func TestAppendErrors(t *testing.T) {
	lost := errors.New("connection lost")
	for name, test := range map[string]struct {
		before, after error
		retires       bool
		panics        bool
		dispatched    int32 // calls of Store.Dispatch that it leads to
	}{
		"refused":     {before: lost, dispatched: 10},
		"lost answer": {after: lost, dispatched: 10},
		"fenced":      {retires: true, dispatched: 10},
		"full":        {before: webhook.ErrBacklogFull, dispatched: 10},
		"damaged":     {after: webhook.ErrDamaged},
		"panic":       {panics: true, dispatched: 10},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, nil, func(b *bench) {
				store := b.appends(nil)
				b.Callback("hook", webhook.Callback{})
				b.Start()
				b.Warm()
				store.Reset()
				calls := 0
				store.before = func() error {
					advance(time.Millisecond) // meanwhile the others come together
					if calls++; calls != 2 {
						return nil
					}
					if test.retires {
						b.retireOnly()
					}
					if test.panics {
						panic("bomb")
					}
					return test.before
				}
				store.after = func(bool) error {
					if calls != 2 {
						return nil
					}
					return test.after
				}
				first := make(chan error)
				go func() { first <- b.Engine.Dispatch(b.Context(), update("first", 1)) }()
				synctest.Wait()
				for i, err := range b.Dispatched(updates(10)...) {
					if err != nil {
						t.Errorf("call %d: %v", i, err)
					}
				}
				if err := <-first; err != nil {
					t.Error(err)
				}
				advance(time.Second)
				b.Dispatch("later", 1)
				advance(10 * time.Second)
				synctest.Wait()
				for i := range 10 {
					if got := ages(b.Network.Posts(), strconv.Itoa(i)); got != "1" {
						t.Errorf("of call %d arrived %q", i, got)
					}
				}
				if n := store.dispatched.Load(); n != test.dispatched || calls != 3 {
					t.Errorf("%d events were appended otherwise, want %d; %d calls of AppendAndClaim, want 3", n, test.dispatched, calls)
				}
				if len(b.Network.Posts()) != 13 {
					t.Errorf("%d posts, want 13", len(b.Network.Posts()))
				}
				if workers, err := b.Store.Workers(b.Context()); err != nil || len(workers) != 1 {
					t.Errorf("workers: %v, %v; want one", workers, err)
				}
			})
		})
	}
}

// On a store that fails at random, before and after it has done its work, each event whose
// call has returned nil arrives once, and those of a record in their order.
func TestAppendUnreliably(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	inBubble(t, nil, func(b *bench) {
		const records, changes = 10, 40
		store := &unreliableAppends{&unreliableStore{Store: b.Store, random: rand.New(rand.NewPCG(seed, 0))}, atomic.Int32{}}
		b.Engine = b.engineOn(store, nil)
		b.Callback("hook", webhook.Callback{})
		b.Callback("too", webhook.Callback{})
		b.Start()
		advance(time.Second)
		var hosts sync.WaitGroup
		for record := range records {
			hosts.Go(func() {
				for age := range changes {
					for b.Engine.Dispatch(b.Context(), update(strconv.Itoa(record), age)) != nil {
						advance(time.Millisecond) // an ID is one event, so it may be repeated
					}
					advance(time.Duration(record*age%50) * time.Millisecond)
				}
			})
		}
		hosts.Wait()
		advance(time.Minute)
		store.heal()
		advance(time.Minute)
		synctest.Wait()
		for record := range records {
			b.Once(strconv.Itoa(record), changes)
		}
		if n := len(b.Network.Posts()); n != 2*records*changes || store.calls.Load() < 20 {
			t.Errorf("%d posts, want %d; %d calls of AppendAndClaim", n, 2*records*changes, store.calls.Load())
		}
	})
}

// unreliableAppends is an unreliable store that appends unreliably too.
type unreliableAppends struct {
	*unreliableStore
	calls atomic.Int32
}

func (s *unreliableAppends) Dispatch(ctx context.Context, events ...webhook.Event) error {
	_, err := unreliably(s.unreliableStore, func() (struct{}, error) { return struct{}{}, s.Store.Dispatch(ctx, events...) })
	return err
}

func (s *unreliableAppends) AppendAndClaim(
	ctx context.Context, events []webhook.ExpandedEvent, revision int64, r webhook.ClaimRequest,
) (claimed []webhook.Claimed, pending bool, err error) {
	s.calls.Add(1)
	claimed, err = unreliably(s.unreliableStore, func() ([]webhook.Claimed, error) {
		var err error
		claimed, pending, err = s.Store.AppendAndClaim(ctx, events, revision, r)
		return claimed, err
	})
	return claimed, pending && err == nil, err
}

// A call whose context has ended before appends nothing.
func TestAppendEndedContext(t *testing.T) {
	inBubble(t, nil, func(b *bench) {
		store := b.appends(nil)
		b.Callback("hook", webhook.Callback{})
		b.Start()
		b.Warm()
		store.Reset()
		ctx, cancel := context.WithCancel(b.Context())
		cancel()
		for age := range 100 {
			if err := b.Engine.Dispatch(ctx, update("1", age)); !errors.Is(err, context.Canceled) {
				t.Errorf("Dispatch: %v", err)
			}
		}
		advance(time.Second)
		synctest.Wait()
		if n := len(b.Network.Posts()); n != 1 || store.calls.Load() != 0 {
			t.Errorf("%d posts, %d calls of AppendAndClaim; want 1 and none", n, store.calls.Load())
		}
	})
}

// A store that hangs holds a caller for as long as its context lasts, and what the caller
// does with its event afterwards is its own affair.
func TestAppendHangs(t *testing.T) {
	t.Run("directly", func(t *testing.T) { testAppendHangs(t, false) })
	t.Run("pending", func(t *testing.T) { testAppendHangs(t, true) })
}

func testAppendHangs(t *testing.T, pending bool) {
	inBubble(t, nil, func(b *bench) {
		store := b.appends(nil)
		b.Callback("hook", webhook.Callback{})
		b.Start()
		b.Warm()
		back := make(chan struct{})
		store.before = func() error {
			<-back
			if pending { // what comes behind it has to be too
				return b.Store.Dispatch(b.Context(), update("hosts", 1))
			}
			return nil
		}
		var calls sync.WaitGroup
		for i := range 20 {
			calls.Go(func() {
				patience := time.Duration(i+1) * time.Second
				ctx, cancel := context.WithTimeout(b.Context(), patience)
				defer cancel()
				began := time.Now()
				e := update(strconv.Itoa(i), 1)
				e.Profile.Fields["list"] = []any{map[string]any{"deep": "before"}}
				e.Profile.Interests = []string{"before"}
				e.Cause = &webhook.Cause{Event: "before"}
				e.Previous = &webhook.Record{Fields: map[string]any{"age": 0}}
				if err := b.Engine.Dispatch(ctx, e); !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("call %d: %v", i, err)
				}
				if waited := time.Since(began); waited != patience {
					t.Errorf("call %d returned after %v, want %v", i, waited, patience)
				}
				e.Profile.Fields["age"] = 2
				e.Profile.Fields["list"].([]any)[0].(map[string]any)["deep"] = "after"
				e.Profile.Interests[0] = "after"
				e.Cause.Event = "after"
				e.Previous.Fields["age"] = 1
				e.Previous.ID = "after"
			})
		}
		calls.Wait()
		close(back)
		b.Dispatch("later", 1)
		advance(time.Second)
		synctest.Wait()
		posts := slices.DeleteFunc(b.Network.Posts()[1:], func(p post) bool { return p.Record == "hosts" })
		if got := ages(posts, "later"); got != "1" {
			t.Errorf("when the store is back arrived %q", got)
		}
		if len(posts) < 2 {
			t.Error("the test wants an event to be appended although nobody waits for it any more")
		}
		for _, p := range posts {
			if strings.Contains(p.Body, "after") || p.Age != "1" || p.Record != "later" && strings.Count(p.Body, "before") < 3 {
				t.Errorf("arrived: %s", p.Body)
			}
		}
	})
}

// What a change is about is what it was when Dispatch was called, though its caller has gone
// on since.
func TestAppendAbandonedSubprofile(t *testing.T) {
	inBubble(t, nil, func(b *bench) {
		store := b.appends(nil)
		c := b.Callback("hook", webhook.Callback{Collection: "orders"})
		b.Start()
		b.Warm()
		back := make(chan struct{})
		store.before = func() error {
			<-back
			return nil
		}
		e := update("1", 1)
		e.Collection, e.Subprofile = "orders", &webhook.Record{ID: "before"}
		ctx, cancel := context.WithTimeout(b.Context(), time.Second)
		defer cancel()
		if err := b.Engine.Dispatch(ctx, e); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatal(err)
		}
		e.Subprofile.ID = "after"
		close(back)
		advance(time.Second)
		if d := b.Delivery("1", 1, c); d.Record != "before" || d.State != webhook.DeliveryDelivered {
			t.Errorf("%+v, want it to be about the record that it was about", d)
		}
	})
}

// Dispatch works in every stage of Run's life, and of what it has taken nothing is lost.
func TestAppendBesideRun(t *testing.T) {
	inBubble(t, nil, func(b *bench) {
		store := b.appends(nil)
		b.Network.Answer = func(r *http.Request, _ int) (*http.Response, error) {
			if strings.HasPrefix(r.Header.Get("webhook-id"), "hangs") {
				advance(10 * time.Second)
			}
			return answer(200, ""), nil
		}
		c := b.Callback("hook", webhook.Callback{})
		b.Dispatch("1", 0) // before
		b.Start()
		b.Dispatch("1", 1) // as it begins
		b.Warm()
		b.Dispatch("1", 2)
		b.Dispatch("hangs", 0)
		synctest.Wait()
		if n := store.directly.Load(); n < 2 {
			t.Errorf("%d events were appended directly, want 2 at least", n)
		}
		b.stop()
		began := time.Now()
		b.Dispatch("1", 3) // as it ends
		synctest.Wait()
		b.Dispatch("1", 4, 5) // while it waits for the last request
		if waited := time.Since(began); waited > 0 {
			t.Errorf("while Run ends, Dispatch waits for %v", waited)
		}
		advance(time.Second)
		for age := range 3 {
			if d := b.Delivery("1", age, c); d.State != webhook.DeliveryDelivered {
				t.Errorf("the delivery of change %d is %s", age, d.State)
			}
		}
		b.Stop()
		b.Dispatch("1", 6) // after
		synctest.Wait()
		if got := ages(b.Network.Posts(), "1"); got != "0 1 2" && got != "0 1 2 3" {
			t.Errorf("before it runs again arrived %q", got)
		}
		b.Start()
		advance(time.Second)
		synctest.Wait()
		b.Once("1", 7)
		b.Once("hangs", 1)
	})
}

// Hosts that append all the time do not notice that Run ends and begins again.
func TestAppendBesideRestarts(t *testing.T) {
	inBubble(t, nil, func(b *bench) {
		const records, changes = 5, 100
		store := b.appends(nil)
		store.before = func() error {
			advance(time.Millisecond)
			return nil
		}
		b.Network.Answer = func(_ *http.Request, n int) (*http.Response, error) {
			advance(time.Duration(n%9) * time.Millisecond)
			return answer(200, ""), nil
		}
		b.Callback("hook", webhook.Callback{})
		b.Start()
		b.Warm()
		var hosts sync.WaitGroup
		for record := range records {
			hosts.Go(func() {
				for age := range changes {
					if err := b.Engine.Dispatch(b.Context(), update(strconv.Itoa(record), age)); err != nil {
						t.Error(err)
					}
					advance(time.Duration(record+age%7) * time.Millisecond)
				}
			})
		}
		for i := range 30 {
			advance(time.Duration(5+i) * time.Millisecond)
			b.Stop()
			workers, err := b.Store.Workers(b.Context())
			if err != nil || len(workers) != 0 {
				t.Errorf("when Run has returned: %v, %v", workers, err)
			}
			b.Start()
		}
		hosts.Wait()
		advance(10 * time.Second)
		synctest.Wait()
		for record := range records {
			b.Once(strconv.Itoa(record), changes)
		}
		if n := store.directly.Load() + store.pending.Load(); n < records*changes/4 {
			t.Errorf("%d events went the direct way", n)
		}
	})
}

// A worker that joined as Run ended, because what it appended had failed, has left when Run
// returns.
func TestAppendLateJoin(t *testing.T) {
	inBubble(t, nil, func(b *bench) {
		store := &lateJoin{appendStore: appendStore{Store: b.Store}}
		b.Engine = b.engineOn(store, nil)
		b.Callback("hook", webhook.Callback{})
		b.Start()
		b.Warm()
		store.before = func() error { return errors.New("connection lost") }
		b.Dispatch("1", 1)
		synctest.Wait()
		if n := store.joins.Load(); n != 2 {
			t.Fatalf("%d joins, the test wants the second one to be under way", n)
		}
		b.Stop()
		workers, err := b.Store.Workers(b.Context())
		if err != nil || slices.ContainsFunc(workers, func(w webhook.WorkerBeat) bool { return w.Worker == 2 }) {
			t.Errorf("when Run has returned: %v, %v; want the second worker to have left", workers, err)
		}
	})
}

// lateJoin takes three seconds for the second worker to join, whatever becomes of the
// context meanwhile.
type lateJoin struct {
	appendStore
	joins atomic.Int32
}

func (s *lateJoin) Join(ctx context.Context) (webhook.Worker, error) {
	if s.joins.Add(1) == 2 {
		advance(3 * time.Second)
	}
	return s.Store.Join(context.WithoutCancel(ctx))
}

// What the engine does behind the transaction, before it delivers, nobody who appends waits
// for.
func TestAppendDoesNotWaitForDeliveries(t *testing.T) {
	inBubble(t, nil, func(b *bench) {
		store := &slowBeats{appendStore: appendStore{Store: b.Store}}
		b.Engine = b.engineOn(store, nil)
		b.Callback("hook", webhook.Callback{})
		b.Start()
		b.Warm()
		const takes, beat = 3 * time.Second, time.Second // so slow that the engine shows life
		store.before = func() error {
			store.beat.Store(int64(beat))
			advance(takes)
			return nil
		}
		began := time.Now()
		b.Dispatch("1", 0)
		if waited := time.Since(began); waited != takes {
			t.Errorf("Dispatch took %v, want %v", waited, takes)
		}
		store.beat.Store(0)
		advance(2 * beat)
		synctest.Wait()
		b.Once("1", 1)
	})
}

// slowBeats is a store that takes its time over a beat.
type slowBeats struct {
	appendStore
	beat atomic.Int64
}

func (s *slowBeats) Beat(ctx context.Context, w webhook.Worker) error {
	advance(time.Duration(s.beat.Load()))
	return s.Store.Beat(ctx, w)
}

// While the engine becomes another worker, which may take long, nobody who appends waits
// for that.
func TestAppendDoesNotWaitForJoin(t *testing.T) {
	for name, fenced := range map[string]bool{"fenced": true, "failed": false} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, nil, func(b *bench) {
				store := &lateJoin{appendStore: appendStore{Store: b.Store}}
				b.Engine = b.engineOn(store, nil)
				b.Callback("hook", webhook.Callback{})
				b.Start()
				b.Warm()
				var once sync.Once
				store.before = func() (err error) {
					once.Do(func() {
						if fenced {
							b.retireOnly()
						} else {
							err = errors.New("connection lost")
						}
					})
					return err
				}
				began := time.Now()
				b.Dispatch("1", 0)
				b.Dispatch("1", 1)
				if waited := time.Since(began); waited > 0 {
					t.Errorf("Dispatch waited for %v", waited)
				}
				advance(10 * time.Second)
				calls := store.calls.Load()
				b.Dispatch("1", 2)
				advance(time.Second)
				b.Once("1", 3)
				if store.calls.Load() != calls+1 {
					t.Error("in the end, events are not appended directly")
				}
			})
		})
	}
}

// Two engines on one store append and deliver side by side, in order and once.
func TestAppendWithTwoEngines(t *testing.T) {
	inBubble(t, nil, func(b *bench) {
		const records, changes = 6, 80
		store := b.appends(nil)
		b.Network.Answer = func(_ *http.Request, n int) (*http.Response, error) {
			advance(time.Duration(n%7) * time.Millisecond)
			return answer(200, ""), nil
		}
		b.Callback("a", webhook.Callback{})
		b.Callback("b", webhook.Callback{})
		other := *b
		otherStore := other.appends(nil)
		b.Start()
		other.Start()
		b.Warm()
		if err := other.Engine.Dispatch(b.Context(), update("too", 0)); err != nil {
			t.Fatal(err)
		}
		advance(time.Second)
		var hosts sync.WaitGroup
		for record := range records {
			hosts.Go(func() {
				for age := range changes {
					engine := b.Engine
					if (age+record)%3 == 0 {
						engine = other.Engine
					}
					if err := engine.Dispatch(b.Context(), update(strconv.Itoa(record), age)); err != nil {
						t.Error(err)
					}
					advance(time.Duration(age%4) * time.Millisecond)
				}
			})
		}
		hosts.Wait()
		advance(10 * time.Second)
		other.Stop()
		for record := range records {
			b.Once(strconv.Itoa(record), changes)
		}
		if n := len(b.Network.Posts()); n != 2*(records*changes+2) {
			t.Errorf("%d posts, want %d", n, 2*(records*changes+2))
		}
		if store.directly.Load() == 0 {
			t.Error("the first engine has appended nothing directly")
		}
		t.Logf("directly: %d and %d, pending: %d and %d", store.directly.Load(), otherStore.directly.Load(),
			store.pending.Load(), otherStore.pending.Load())
	})
}
