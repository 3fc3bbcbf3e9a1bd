package load_test

import (
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ringback-dev/ringback/webhook"
)

const (
	// deadSlots is how many requests may be in flight to receivers that answer.
	deadSlots = 8

	// deadEvents is how many records of each dead receiver's have changed: there is
	// always something that it has not been sent yet.
	deadEvents = 12
)

// TestDead has very many receivers that are silent, reset the connection or send a byte
// now and then, and a healthy one. That hears of changes nearly as soon as when it is
// alone, and has all the slots to itself; and the dead ones take little memory.
func TestDead(t *testing.T) {
	dead, changes := sized(60, 1000), sized(20, 1000)
	file := filepath.Join(t.TempDir(), "host.db")
	_, store := newHost(t, file, deadSlots+1)
	r := newReceiver(t)
	burst := newBurst(deadSlots)
	r.before = burst.join
	subscribe(t, store, "healthy", r.URL)
	servers := []*rawServer{serveRaw(t, silent), serveRaw(t, resetting), serveRaw(t, dripping)}
	p := start(t, config{File: file, Concurrency: deadSlots, Timeout: 15 * time.Second})
	pause := sized(10*time.Millisecond, 20*time.Millisecond)

	p.command("touch warm- r0 3 %v", pause)
	waitFor(t, "the healthy receiver to leave probation", func() bool { return r.events() == 3 })
	p.command("touch alone- r0 %d %v", changes, pause)
	alone := latencies(t, p, r, "alone-", changes)

	bury(t, store, dead, servers)
	open := func() int64 { return servers[0].open.Load() + servers[2].open.Load() }
	want := int64(dead - (dead+1)/3) // those that do not reset
	waitFor(t, "the dead receivers to be called", func() bool { return open() >= want && servers[1].took.Load() > 0 })
	p.command("touch beside- r0 %d %v", changes, pause)
	beside := latencies(t, p, r, "beside-", changes)
	waitFor(t, "the dead receivers to be called still", func() bool { return open() >= want/2 })
	// In -full this takes longer than a request may, so that the dead have been through
	// time-outs and pauses.
	const p99 = 0.99
	t.Logf("from commit to POST, p99: %v alone, %v beside %d dead receivers; p50: %v, %v",
		quantile(alone, p99), quantile(beside, p99), dead, quantile(alone, 0.5), quantile(beside, 0.5))
	limit := sized(10*time.Second, max(2*quantile(alone, p99), 50*time.Millisecond))
	if got := quantile(beside, p99); got > limit {
		t.Errorf("from commit to POST: p99 %v beside dead receivers, want %v at most", got, limit)
	}
	burst.test(t, store)

	peak := p.stop()
	t.Logf("the engine's process had %d MB at most; the dead took %d connections",
		peak>>20, servers[0].took.Load()+servers[1].took.Load()+servers[2].took.Load())
	if limit := sized(int64(1500), 300) << 20; peak > limit {
		t.Errorf("the engine's process had %d MB, want %d at most", peak>>20, limit>>20)
	}
}

// latencies returns how long after their commits the events of a command came.
func latencies(t *testing.T, p *process, r *receiver, prefix string, n int) (took []time.Duration) {
	t.Helper()
	committed := make(map[string]time.Time)
	done := func() bool {
		for _, line := range p.Heard("done") {
			if line == prefix {
				return true
			}
		}
		return false
	}
	waitFor(t, "the child to commit", done)
	for _, line := range p.Heard("committed") {
		event, _, _ := strings.Cut(line, " ")
		if strings.HasPrefix(event, prefix) {
			committed[event] = time.Unix(0, parse(t, line))
		}
	}
	if len(committed) != n {
		t.Fatalf("%d events were committed, want %d", len(committed), n)
	}
	for event, at := range committed {
		waitFor(t, "event "+event, func() bool { _, came := r.came(event); return came })
		came, _ := r.came(event)
		took = append(took, max(came.Sub(at), 0)) // it may come before the commit is noted
	}
	return took
}

// bury creates callbacks of dead receivers, and changes that they are to hear of.
func bury(t *testing.T, store webhook.Store, dead int, servers []*rawServer) {
	t.Helper()
	for i := range dead {
		subscribe(t, store, "dead", fmt.Sprintf("http://%s/%d", servers[i%len(servers)].address, i))
	}
	for i := range deadEvents {
		if err := store.Dispatch(t.Context(), update(fmt.Sprint("dead-", i), "dead", fmt.Sprint("d", i), 1)); err != nil {
			t.Fatal(err)
		}
	}
}

// A burst is so many requests that are answered when all of them are there.
type burst struct {
	size int

	mu      sync.Mutex
	here    int
	most    int           // that were there together
	release chan struct{} // closed when they are
}

func newBurst(size int) *burst { return &burst{size: size, release: make(chan struct{})} }

// join waits for the others, for less time than what answers late would be held back for.
func (b *burst) join(_ *http.Request, event string) {
	if !strings.HasPrefix(event, "burst-") {
		return
	}
	b.mu.Lock()
	b.here++
	b.most = max(b.most, b.here)
	release := b.release
	if b.here == b.size {
		close(b.release)
		b.release = make(chan struct{})
	}
	b.mu.Unlock()
	select {
	case <-release:
	case <-time.After(500 * time.Millisecond):
	}
	b.mu.Lock()
	b.here--
	b.mu.Unlock()
}

// test shows that all the slots are the healthy receiver's: as many requests are in
// flight to it together. A busy machine may need more than one try.
func (b *burst) test(t *testing.T, store webhook.Store) {
	t.Helper()
	most := func() int {
		b.mu.Lock()
		defer b.mu.Unlock()
		return b.most
	}
	try := 0
	waitFor(t, fmt.Sprintf("%d requests to be in flight to the healthy receiver", b.size), func() bool {
		if most() >= b.size {
			return true
		}
		try++
		var events []webhook.Event
		for i := range b.size {
			record := fmt.Sprint("burst-", i)
			events = append(events, update(fmt.Sprintf("%s-%d", record, try), "healthy", record, try))
		}
		if err := store.Dispatch(t.Context(), events...); err != nil {
			t.Fatal(err)
		}
		<-time.After(sized(200*time.Millisecond, 50*time.Millisecond))
		return false
	})
	t.Logf("%d requests were in flight to the healthy receiver at try %d", most(), try)
}
