// Package storetest checks that a store keeps the contract of [webhook.Store]. It
// knows no driver: a store's own test is
//
//	func TestStore(t *testing.T) {
//		storetest.Run(t, func(t *testing.T) webhook.Store { return open(t, t.TempDir()) })
//	}
//
// and one that outlives its process runs [RunDurable] as well, one whose hosts dispatch
// in transactions of their own [RunTransactions]. Whatever a test does, when it ends
// the store's invariants are checked and its work is drained, to show that nothing is
// stuck.
package storetest

import (
	"testing"

	"github.com/ringback-dev/ringback/webhook"
)

// Run checks the contract. newStore returns an empty store each time, and takes care
// of its end with t.Cleanup.
func Run(t *testing.T, newStore func(t *testing.T) webhook.Store) {
	for _, group := range []struct {
		name  string
		tests []test
	}{
		{"registry", registryTests()},
		{"limit", limitTests()},
		{"listeners", listenersTests()},
		{"dispatch", dispatchTests()},
		{"after", afterTests()},
		{"values", valuesTests()},
		{"fan-out", fanOutTests()},
		{"fan-out and claim", newClaimTests(newStore(t))},
		{"append and claim", appendClaimTests(newStore(t))},
		{"expression failures", failureTests()},
		{"order", orderTests()},
		{"claim", claimTests()},
		{"fairness", fairnessTests()},
		{"settle", settleTests()},
		{"health", healthTests()},
		{"pause", pauseTests()},
		{"skip", skipTests()},
		{"disable", disableTests()},
		{"disabling", disablingTests()},
		{"repeated settle", repeatTests()},
		{"worker", workerTests()},
		{"holds", holdsTests()},
		{"watch", watchTests()},
		{"reschedule", rescheduleTests()},
		{"history", historyTests()},
		{"replay", replayTests()},
		{"replay in order", replayOrderTests()},
		{"replays", replaysTests()},
		{"replays and what comes between", replaysEndTests()},
		{"listing", listingTests()},
		{"prune", pruneTests()},
		{"purge", purgeTests()},
		{"context", contextTests()},
		{"simulation", simulationTests()},
	} {
		t.Run(group.name, func(t *testing.T) {
			for _, test := range group.tests {
				t.Run(test.name, func(t *testing.T) { test.run(newHarness(t, newStore(t))) })
			}
		})
	}
	t.Run("pagination", func(t *testing.T) {
		t.Run("callbacks", func(t *testing.T) {
			RunPagination(t, func(t *testing.T) Pager { return callbackPager(newHarness(t, newStore(t))) })
		})
		t.Run("deliveries", func(t *testing.T) {
			RunPagination(t, func(t *testing.T) Pager { return deliveryPager(newHarness(t, newStore(t))) })
		})
	})
}

// RunDurable checks what a store promises that outlives its process and is shared
// between processes. newOpener stands for one such store, empty at first; the
// function that it returns opens it, the first time and every time after, as another
// process would, and takes care of its end with t.Cleanup.
func RunDurable(t *testing.T, newOpener func(t *testing.T) func(t *testing.T) webhook.Store) {
	for _, test := range durableTests() {
		t.Run(test.name, func(t *testing.T) {
			open := newOpener(t)
			test.run(newHarness(t, open(t)), func() *harness { return &harness{t: t, store: open(t)} })
		})
	}
}

// A test is one test of the contract.
type test struct {
	name string
	run  func(h *harness)
}
