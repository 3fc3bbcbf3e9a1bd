package memory_test

import (
	"bytes"
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/ringback-dev/ringback/store/memory"
	"github.com/ringback-dev/ringback/store/storetest"
	"github.com/ringback-dev/ringback/webhook"
)

// BenchmarkAppendAndClaim appends events, claims their deliveries and settles these.
func BenchmarkAppendAndClaim(b *testing.B) {
	for _, n := range []int{1, 32} {
		b.Run(fmt.Sprint(n, " events"), func(b *testing.B) {
			w := newWorkload(b)
			for range b.N {
				claimed, pending, err := w.store.AppendAndClaim(b.Context(), w.next(n), w.revision, w.request)
				if err != nil || pending || len(claimed) != n {
					b.Fatalf("claimed %d, pending %t, %v", len(claimed), pending, err)
				}
				w.settle(claimed)
			}
			w.report(n)
		})
	}
}

// BenchmarkClaim appends events, fans them out, claims their deliveries and settles
// these, each for itself, beside callbacks that have no work.
func BenchmarkClaim(b *testing.B) {
	for _, idle := range []int{0, 100_000} {
		b.Run(fmt.Sprint("32 events, idle callbacks ", idle), func(b *testing.B) {
			const n = 32
			w := newWorkload(b)
			for i := range idle {
				c := webhook.Callback{Database: fmt.Sprint("idle", i), URL: "https://example.com/"}
				if _, err := w.store.CreateCallback(b.Context(), c, 0); err != nil {
					b.Fatal(err)
				}
			}
			expansions := make([]webhook.Expansion, n)
			b.ResetTimer()
			for range b.N {
				for i, e := range w.next(n) {
					if err := w.store.Dispatch(b.Context(), *e.Event()); err != nil {
						b.Fatal(err)
					}
					w.sequence++
					expansions[i] = e.Expand(w.sequence)
				}
				if err := w.store.FanOut(b.Context(), expansions); err != nil {
					b.Fatal(err)
				}
				claimed, err := w.store.Claim(b.Context(), w.request)
				if err != nil || len(claimed) != n {
					b.Fatalf("claimed %d, %v", len(claimed), err)
				}
				w.settle(claimed)
			}
			w.report(n)
		})
	}
}

// BenchmarkListeners reads the listeners of a scope beside callbacks of other ones.
func BenchmarkListeners(b *testing.B) {
	for _, others := range []int{0, 100_000} {
		b.Run(fmt.Sprint("other callbacks ", others), func(b *testing.B) {
			store := memory.New()
			for i := range others + 1 {
				c := webhook.Callback{Database: fmt.Sprint("d", i), URL: "https://example.com/"}
				if _, err := store.CreateCallback(b.Context(), c, 0); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportAllocs()
			for b.Loop() {
				listeners, err := store.Listeners(b.Context(), webhook.Scope{Database: "d0"})
				if err != nil || len(listeners.Callbacks) != 1 {
					b.Fatalf("%d listeners, %v", len(listeners.Callbacks), err)
				}
			}
		})
	}
}

// A workload does with a store what an engine does, and allocates little itself: the
// ID of each event.
type workload struct {
	*testing.B
	store    *memory.Store
	revision int64
	request  webhook.ClaimRequest
	events   []webhook.ExpandedEvent
	outcomes []webhook.Outcome
	attempt  webhook.Attempt
	serial   int
	sequence int64
}

func newWorkload(b *testing.B) *workload {
	w := &workload{
		B: b, store: memory.New(),
		attempt: webhook.Attempt{Number: 1, Time: time.Now(), Duration: time.Millisecond, Status: 200},
	}
	c, err := w.store.CreateCallback(b.Context(), webhook.Callback{Database: "d", URL: "https://example.com/"}, 0)
	if err != nil {
		b.Fatal(err)
	}
	listeners, err := w.store.Listeners(b.Context(), webhook.Scope{Database: "d"})
	if err != nil {
		b.Fatal(err)
	}
	w.revision = listeners.Revision
	number, err := w.store.Join(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	w.request = webhook.ClaimRequest{
		Worker: number, Now: time.Now(), Limit: 1000, LimitBytes: 1 << 20,
		Room: func(string, webhook.Health) int { return 100 },
	}
	x := webhook.Expansion{
		Messages: webhook.Messages{JSON: bytes.Repeat([]byte("m"), 500)},
		Targets:  []webhook.Target{{Callback: c.ID, Method: webhook.MethodJSON, Encoding: webhook.EncodingBody}},
	}
	expand := func(e webhook.Event) webhook.Expansion {
		made := x
		made.Sequence = e.Sequence
		return made
	}
	for i := range 32 {
		w.events = append(w.events, storetest.Expanded(b, webhook.Event{
			ID: "e", Action: webhook.ActionUpdate, Database: "d",
			Profile: webhook.Record{ID: fmt.Sprint("r", i), Fields: map[string]any{"name": "Ada", "age": 36}},
		}, expand))
	}
	b.ReportAllocs()
	b.ResetTimer()
	return w
}

// next returns so many new events.
func (w *workload) next(n int) []webhook.ExpandedEvent {
	for i := range n {
		w.serial++
		w.events[i].Event().ID = strconv.Itoa(w.serial)
	}
	return w.events[:n]
}

// settle records that deliveries were delivered.
func (w *workload) settle(claimed []webhook.Claimed) {
	w.outcomes = w.outcomes[:0]
	for i := range claimed {
		w.outcomes = append(w.outcomes, webhook.Outcome{
			Sequence: claimed[i].Sequence, Callback: claimed[i].Callback,
			State: webhook.DeliveryDelivered, Attempt: &w.attempt,
		})
	}
	if _, err := w.store.Settle(w.Context(), w.request.Worker, w.outcomes); err != nil {
		w.Fatal(err)
	}
}

func (w *workload) report(events int) {
	w.ReportMetric(float64(w.Elapsed().Nanoseconds())/float64(w.N*events), "ns/event")
}
