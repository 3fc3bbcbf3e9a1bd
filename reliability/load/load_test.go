package load_test

import (
	"flag"
	"slices"
	"testing"
	"time"
)

var full = flag.Bool("full", false, "run at full size, with limits for a machine that does nothing else")

// patience bounds every wait. Nothing takes that long unless it is broken.
const patience = 2 * time.Minute

// sized returns the first, or the second with -full.
func sized[T any](small, large T) T {
	if *full {
		return large
	}
	return small
}

// waitFor waits until a condition holds.
func waitFor(t *testing.T, what string, holds func() bool) {
	t.Helper()
	deadline := time.After(sized(patience, 10*patience))
	look := time.NewTicker(5 * time.Millisecond)
	defer look.Stop()
	for !holds() {
		select {
		case <-deadline:
			t.Fatalf("still waiting for %s", what)
		case <-look.C:
		}
	}
}

// quantile returns what a share of the durations, of which there is one at least, does
// not exceed.
func quantile(durations []time.Duration, share float64) time.Duration {
	sorted := slices.Sorted(slices.Values(durations))
	return sorted[min(int(share*float64(len(sorted))), len(sorted)-1)]
}
