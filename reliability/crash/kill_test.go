//go:build unix

package crash_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
)

// TestKill kills hosts with SIGKILL at random moments, now and then two on one file,
// and starts them anew. What was committed is received, or dead; nothing else is; in
// the order of each record; and repeated is at most what a dead process had in hand.
func TestKill(t *testing.T) {
	t.Parallel()
	kills, limit := 15, patience
	if *full {
		kills, limit = 1000, 10*time.Minute
	}
	random := newRand(t)
	r := newReceiver(t, moody(t, rand.New(rand.NewPCG(random.Uint64(), 0))))
	file, subscriptions := newFile(t, r.URL)
	l := newLedger(t, file, subscriptions)
	began := time.Now()
	for killed := 0; killed < kills; {
		children := 1
		if random.IntN(4) == 0 {
			children = 2
		}
		var running []*process
		for range children {
			c := config{File: file, Name: fmt.Sprint("k", killed), Seed: random.Uint64(), Writers: 2}
			running = append(running, start(t, c))
			killed++
		}
		random.Shuffle(children, func(i, j int) { running[i], running[j] = running[j], running[i] })
		for _, p := range running {
			if random.IntN(4) > 0 { // otherwise it may be just beginning
				p.await("ready", 1)
			}
			p.kill(time.Duration(random.IntN(500)) * time.Millisecond)
			l.enter(p)
		}
		// What is not buried here stays in the way of the next, and is left to its
		// engine's own means in the end.
		if killed < kills && random.IntN(3) > 0 {
			l.bury()
		}
	}
	t.Logf("%d kills in %v", kills, time.Since(began))
	store := l.open()
	l.count(store)
	store.Close()
	t.Logf("drained in %v", l.drain(limit))
	r.Close()
	l.check(r)
}
