package dispatch_test

import (
	"bytes"
	"context"
	"net/http"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ringback-dev/ringback/store/memory"
	"github.com/ringback-dev/ringback/webhook"
)

// A receiver that hangs keeps its own message in memory, and not those that were claimed
// beside it.
func TestAheadLetsMessagesGo(t *testing.T) {
	const size, events = 200 << 10, 64
	inBubble(t, nil, func(b *bench) {
		store := &copies{Store: b.Store}
		b.Engine = b.engineOn(store, nil)
		var posts atomic.Int32
		b.Engine.SetTransport(transport(func(r *http.Request) (*http.Response, error) {
			posts.Add(1) // the bench's own would keep what it gets
			if strings.HasSuffix(r.URL.Path, "/well") {
				return answer(200, ""), nil
			}
			<-r.Context().Done()
			return nil, r.Context().Err()
		}))
		b.Callback("well", webhook.Callback{})
		for i := range events / 8 {
			b.Callback(strconv.Itoa(i), webhook.Callback{Expression: "age == " + strconv.Itoa(8*i+1)})
		}
		b.Start()
		b.Warm()
		inUse := func() int {
			var stats runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&stats)
			return int(stats.HeapAlloc)
		}
		before := inUse()
		store.size.Store(size)
		for first := 0; first < events; first += 8 {
			var some []webhook.Event
			for i := range 8 {
				some = append(some, update(strconv.Itoa(first+i), first+i+1))
			}
			if err := b.Store.Dispatch(b.Context(), some...); err != nil {
				t.Fatal(err)
			}
			advance(10 * time.Millisecond)
		}
		if n := int(posts.Load()); n != 1+events+events/8 {
			t.Fatalf("%d posts, want %d", n, 1+events+events/8)
		}
		if grown := inUse() - before; grown > (events/8+events/4)*size {
			t.Errorf("%d MB in use beyond what was before; in hand are %d MB", grown>>20, events/8*size>>20)
		}
	})
}

// A transport is a function that makes requests.
type transport func(*http.Request) (*http.Response, error)

func (t transport) RoundTrip(r *http.Request) (*http.Response, error) { return t(r) }

// copies claims messages of a given size in memory of their own.
type copies struct {
	*memory.Store
	size atomic.Int64
}

func (s *copies) FanOutAndClaim(
	ctx context.Context, expansions []webhook.Expansion, r webhook.ClaimRequest,
) ([]webhook.Claimed, error) {
	claimed, err := s.Store.FanOutAndClaim(ctx, expansions, r)
	for i := range claimed {
		if size := int(s.size.Load()); size > 0 {
			claimed[i].Message = append(bytes.Clone(claimed[i].Message), bytes.Repeat([]byte(" "), size)...)
		}
	}
	return claimed, err
}
