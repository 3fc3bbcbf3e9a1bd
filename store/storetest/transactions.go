package storetest

import (
	"testing"

	"github.com/ringback-dev/ringback/webhook"
)

// DispatchInTx dispatches events in a transaction of a host's, which it then commits or
// rolls back.
type DispatchInTx func(commit bool, events ...webhook.Event) error

// RunTransactions checks what a store promises whose hosts dispatch in transactions of
// their own: it takes in what they commit and nothing else. newStore returns an empty
// store each time, and takes care of its end with t.Cleanup.
func RunTransactions(t *testing.T, newStore func(t *testing.T) (webhook.Store, DispatchInTx)) {
	for name, run := range map[string]func(h *harness, inTx DispatchInTx){
		"commit":     testCommit,
		"rollback":   testRollback,
		"simulation": func(h *harness, inTx DispatchInTx) { simulate(h, 3, simulationSteps/2, inTx) },
	} {
		t.Run(name, func(t *testing.T) {
			store, inTx := newStore(t)
			run(newHarness(t, store), inTx)
		})
	}
}

func testCommit(h *harness, inTx DispatchInTx) {
	h.must(inTx(true, profile("e2", "r"), profile("e1", "r")))
	h.must(inTx(true, profile("e1", "r"), profile("e3", "r")))
	equalList(h, "pending", h.pendingIDs(), []string{"e2", "e1", "e3"})
	h.wantErr("dispatch", inTx(true, profile("e4", "r"), profile("not valid", "r")), webhook.ErrInvalid)
	equal(h, "pending", len(h.pendingIDs()), 3)
}

func testRollback(h *harness, inTx DispatchInTx) {
	c := h.create("d", "")
	h.must(inTx(false, profile("e1", "r"), profile("e2", "r")))
	equal(h, "pending", len(h.pending()), 0)
	h.dispatch(profile("e0", "r"))
	h.must(inTx(true, profile("e1", "s")))
	equalList(h, "pending", h.pendingIDs(), []string{"e0", "e1"})
	h.fanOut()
	equal(h, "states", h.states(c, "e0", "e1"), "ready ready")
}
