//go:build unix

package crash_test

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

// TestFull leaves a host with writers and an engine no room on its disk, and then gives
// it back: within 10 s both go on, and nothing that was committed is lost, repeated or
// out of order.
func TestFull(t *testing.T) {
	t.Parallel()
	starved := time.Second
	if *full {
		starved = 20 * time.Second
	}
	random := newRand(t)
	r := newReceiver(t, moody(t, rand.New(rand.NewPCG(random.Uint64(), 0))))
	file, subscriptions := newFile(t, r.URL)
	l := newLedger(t, file, subscriptions)
	p := start(t, config{File: file, Name: "host", Seed: random.Uint64(), Writers: 2, Tolerant: true})
	p.await("committed", 10)
	p.tell("full")
	p.await("failed", 1)
	failed := time.After(starved)
	for going := true; going; {
		failures := len(p.Heard("failed"))
		p.await("failed", failures+2) // writers and engine alike run into it, again and again
		select {
		case <-failed:
			going = false
		default:
		}
	}
	committed, received := len(p.Heard("committed")), len(r.times())
	p.tell("space")
	began := time.Now()
	waitFor(t, 10*time.Second, "the writers and the engine to go on", func() bool {
		p.Running(p.t)
		return len(p.Heard("committed")) > committed+5 && len(r.times()) > received+5
	})
	t.Logf("%d writes failed; went on %v after there was space again", len(p.Heard("failed")), time.Since(began))
	p.tell("finish")
	p.await("finished", 1)
	store := l.open()
	l.awaitDrained(store, patience, func() { p.Running(p.t) })
	store.Close()
	p.stop()
	for _, failure := range p.Heard("failed") {
		if !strings.Contains(failure, "disk") {
			t.Errorf("a write failed for another reason: %s", failure)
		}
	}
	l.enter(p)
	r.Close()
	l.check(r)
}
