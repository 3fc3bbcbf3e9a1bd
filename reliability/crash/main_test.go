//go:build unix

package crash_test

import (
	"flag"
	"math/rand/v2"
	"os"
	"testing"
	"time"
)

var (
	full = flag.Bool("full", false, "run at full size, with limits on time for a machine that does nothing else")
	seed = flag.Uint64("seed", 0, "seed of the random choices; 0 takes one from the clock")
)

// patience bounds every wait. Nothing takes that long unless it is broken.
const patience = time.Minute

func TestMain(m *testing.M) {
	if encoded := os.Getenv(childVariable); encoded != "" {
		os.Exit(runChild(encoded))
	}
	os.Exit(m.Run())
}

// newRand returns the source of a test's random choices.
func newRand(t *testing.T) *rand.Rand {
	t.Helper()
	from := *seed
	if from == 0 {
		from = uint64(time.Now().UnixNano())
	}
	t.Logf("seed %d", from)
	return rand.New(rand.NewPCG(from, 0))
}

// waitFor waits until a condition holds, for so long at most.
func waitFor(t *testing.T, limit time.Duration, what string, holds func() bool) {
	t.Helper()
	deadline := time.After(limit)
	look := time.NewTicker(5 * time.Millisecond)
	defer look.Stop()
	for !holds() {
		select {
		case <-deadline:
			t.Fatalf("after %v still waiting for %s", limit, what)
		case <-look.C:
		}
	}
}
