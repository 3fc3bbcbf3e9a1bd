package load_test

import (
	"bytes"
	"flag"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/ringback-dev/ringback/dispatch"
)

var hostileFor = flag.Duration("hostile", 0, "for how long hostile receivers are called; 0 is 5 s, with -full 10 min")

// TestHostile calls receivers that do harm in all kinds of ways, again and again, and a
// healthy one beside them: that gets everything in order, and nothing of the others is
// left, on the heap, in goroutines, in descriptors or on the standard logger.
func TestHostile(t *testing.T) {
	// The first connection of a process opens what stays open.
	serveRaw(t, silent).close()
	goroutines, descriptors := runtime.NumGoroutine(), descriptors(t)
	var logged buffer
	log.SetOutput(&logged)
	t.Cleanup(func() { log.SetOutput(os.Stderr) })

	t.Run("calls", callHostile)

	waitFor(t, "the goroutines to end", func() bool { return runtime.NumGoroutine() <= goroutines })
	if got := descriptorsDown(t, descriptors); got > descriptors {
		t.Errorf("%d descriptors are open, %d were before", got, descriptors)
	}
	if text := logged.String(); text != "" {
		t.Errorf("on the standard logger is %q", text)
	}
}

func callHostile(t *testing.T) {
	duration := sized(5*time.Second, 10*time.Minute)
	if *hostileFor > 0 {
		duration = *hostileFor
	}
	db, store := newHost(t, filepath.Join(t.TempDir(), "host.db"), 10)
	r := newReceiver(t)
	r.forgetful = true // its memory is part of what is measured
	subscribe(t, store, "healthy", r.URL)
	trap := newReceiver(t) // where redirects lead
	h := newHostiles(t, store, trap.URL)
	pauses := []time.Duration{100 * time.Millisecond, 200 * time.Millisecond}
	// What is not heard of any more is removed soon.
	stop := run(t, store, dispatch.Options{
		Timeout: 400 * time.Millisecond, Retry: dispatch.Retry{Pauses: pauses}, DisableAfter: -1,
		KeepDelivered: 10 * time.Second, KeepDead: 10 * time.Second,
	}, nil)

	var heap []uint64
	healthy := 0
	change := time.NewTicker(20 * time.Millisecond)
	defer change.Stop()
	const measures = 20
	for began := time.Now(); time.Since(began) < duration || len(heap) < measures; <-change.C {
		if err := touch(db, store, fmt.Sprint("healthy-", healthy), "healthy", fmt.Sprint("r", healthy%10)); err != nil {
			t.Fatal(err)
		}
		healthy++
		h.provoke(healthy)
		if time.Since(began) > duration/measures*time.Duration(len(heap)) {
			heap = append(heap, liveHeap())
		}
	}
	waitFor(t, "the healthy receiver to hear of everything", func() bool { return r.events() == healthy })
	stop()
	t.Logf("within %v the healthy receiver has got %d events, %d twice", duration, healthy, r.repeated())
	if n := trap.events(); n > 0 {
		t.Errorf("redirects were followed %d times", n)
	}
	h.check()
	checkFlat(t, heap)
}

// checkFlat compares the heap's size in the second fifth of the time with that in the
// last one.
func checkFlat(t *testing.T, heap []uint64) {
	t.Helper()
	fifth := len(heap) / 5
	var before, after uint64
	for i := range fifth {
		before = max(before, heap[fifth+i])
		after = max(after, heap[len(heap)-1-i])
	}
	t.Logf("live heap: %d KiB after the warm-up, %d KiB at the end", before>>10, after>>10)
	if limit := before + before/4 + sized[uint64](16<<20, 4<<20); after > limit {
		t.Errorf("the live heap has grown from %d KiB to %d KiB: %v", before>>10, after>>10, heap)
	}
}

// liveHeap returns how much of the heap is in use, in bytes.
func liveHeap() uint64 {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}

// descriptors returns how many files this process has open.
func descriptors(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}

// descriptorsDown waits for a moment for descriptors to be closed, and returns how many
// there are.
func descriptorsDown(t *testing.T, to int) (open int) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); <-time.After(20 * time.Millisecond) {
		if open = descriptors(t); open <= to {
			break
		}
	}
	return open
}

// A buffer is safe for concurrent use.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}
