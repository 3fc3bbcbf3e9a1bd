package storetest

import (
	"math"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ringback-dev/ringback/webhook"
)

func workerTests() []test {
	return []test{
		{"join", testJoin},
		{"beat", testBeat},
		{"claim beats", testClaimBeats},
		{"unknown", testUnknownWorker},
		{"retire", testRetire},
		{"retire who moves on", testRetireMoving},
		{"retire twice", testRetireTwice},
		{"retired is due at once", testRetireDue},
		{"leave", testLeave},
		{"leave is due as it was", testLeaveDue},
		{"fenced", testFenced},
		{"late settle", testLateSettle},
		{"ends with a callback gone", testEndGone},
	}
}

// beats returns the registered workers with their counters.
func (h *harness) beats() map[webhook.Worker]int64 {
	h.t.Helper()
	workers, err := h.store.Workers(h.ctx())
	h.must(err)
	beats := make(map[webhook.Worker]int64)
	for _, w := range workers {
		beats[w.Worker] = w.Beat
	}
	equal(h, "workers", len(beats), len(workers))
	return beats
}

// retire retires a worker whose counter stands still.
func (h *harness) retire(w webhook.Worker) {
	h.t.Helper()
	retired, err := h.store.Retire(h.ctx(), webhook.WorkerBeat{Worker: w, Beat: h.beats()[w]})
	h.must(err)
	equal(h, "retired", retired, true)
}

func testJoin(h *harness) {
	equal(h, "workers", len(h.beats()), 0)
	seen := make(map[webhook.Worker]bool)
	for i := range 6 {
		w := h.join()
		if seen[w] {
			h.t.Fatalf("number %d is given twice", w)
		}
		seen[w] = true
		if _, ok := h.beats()[w]; !ok {
			h.t.Fatalf("worker %d is not among %v", w, h.beats())
		}
		// Neither way to end frees the number.
		if i%2 == 0 {
			h.retire(w)
		} else {
			h.must(h.store.Leave(h.ctx(), w))
		}
	}
	equal(h, "workers", len(h.beats()), 0)
}

func testBeat(h *harness) {
	w, other := h.join(), h.join()
	still := h.beats()[other]
	for range 3 {
		before := h.beats()[w]
		h.must(h.store.Beat(h.ctx(), w))
		if after := h.beats()[w]; after == before {
			h.t.Errorf("counter stands still at %d", after)
		}
	}
	equal(h, "counter of the other", h.beats()[other], still)
}

func testClaimBeats(h *harness) {
	h.create("d", "")
	h.deliver(profile("e", "r"))
	w := h.join()
	idle := webhook.WorkerBeat{Worker: w, Beat: h.beats()[w]}
	equal(h, "claimed", len(h.claim(claimAll(w))), 1)
	if h.beats()[w] == idle.Beat {
		h.t.Error("the counter stands still after a claim")
	}
	retired, err := h.store.Retire(h.ctx(), idle)
	h.must(err)
	equal(h, "retired", retired, false)
}

// checkFenced checks that a worker is refused everywhere.
func (h *harness) checkFenced(w webhook.Worker, outcomes ...webhook.Outcome) {
	h.t.Helper()
	h.wantErr("Beat", h.store.Beat(h.ctx(), w), webhook.ErrFenced)
	h.wantErr("Settle", h.trySettle(h.ctx(), w, outcomes), webhook.ErrFenced)
	h.wantErr("Settle of nothing", h.trySettle(h.ctx(), w, nil), webhook.ErrFenced)
	claimed, err := h.store.Claim(h.ctx(), claimAll(w))
	h.wantErr("Claim", err, webhook.ErrFenced)
	equal(h, "claimed", len(claimed), 0)
}

func testUnknownWorker(h *harness) {
	h.create("d", "")
	for range 2 {
		for _, w := range []webhook.Worker{0, -1, 99, math.MaxInt64} {
			h.checkFenced(w)
			h.must(h.store.Leave(h.ctx(), w))
			retired, err := h.store.Retire(h.ctx(), webhook.WorkerBeat{Worker: w})
			h.must(err)
			equal(h, "retired", retired, false)
		}
		h.deliver(profile("e", "r")) // nor is there a difference when there is work
	}
}

func testRetire(h *harness) {
	w, c, _ := h.claimed()
	h.retire(w)
	equal(h, "workers", len(h.beats()), 0)
	equal(h, "state", h.states(c, "e"), "ready")
	claimed := h.claim(claimAll(h.join()))
	equal(h, "claimed by another", len(claimed), 1)
	equal(h, "attempts", claimed[0].Attempts, 0)
}

func testRetireMoving(h *harness) {
	w, c, claimed := h.claimed()
	seen := webhook.WorkerBeat{Worker: w, Beat: h.beats()[w]}
	h.must(h.store.Beat(h.ctx(), w))
	for _, beat := range []int64{seen.Beat, seen.Beat - 1, h.beats()[w] + 1} {
		seen.Beat = beat
		retired, err := h.store.Retire(h.ctx(), seen)
		h.must(err)
		equal(h, "retired", retired, false)
	}
	equal(h, "state", h.states(c, "e"), "claimed")
	h.settle(w, webhook.DeliveryDelivered, claimed)
	equal(h, "state", h.states(c, "e"), "delivered")
}

func testRetireTwice(h *harness) {
	w := h.join()
	seen := webhook.WorkerBeat{Worker: w, Beat: h.beats()[w]}
	var retired atomic.Int32
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			did, err := h.store.Retire(h.ctx(), seen)
			if err != nil {
				h.t.Error(err)
			}
			if did {
				retired.Add(1)
			}
		})
	}
	group.Wait()
	equal(h, "retired by how many", retired.Load(), 1)
}

// claimRetry claims a delivery at the due time of its second attempt, an hour ahead.
func (h *harness) claimRetry() (webhook.Worker, webhook.ClaimRequest) {
	h.t.Helper()
	w, _, claimed := h.claimed()
	retry := outcome(claimed, webhook.DeliveryReady)
	h.must(h.trySettle(h.ctx(), w, []webhook.Outcome{retry}))
	r := claimAll(w)
	r.Now = retry.Due
	equal(h, "claimed when due", len(h.claim(r)), 1)
	r.Worker = h.join()
	return w, r
}

func testRetireDue(h *harness) {
	w, r := h.claimRetry()
	h.retire(w)
	r.Now = time.Now()
	equal(h, "claimed at once", len(h.claim(r)), 1)
}

func testLeave(h *harness) {
	w, c, claimed := h.claimed()
	for range 2 {
		h.must(h.store.Leave(h.ctx(), w))
		equal(h, "workers", len(h.beats()), 0)
		equal(h, "state", h.states(c, "e"), "ready")
	}
	h.checkFenced(w, outcome(claimed, webhook.DeliveryDelivered))
	equal(h, "claimed by another", len(h.claim(claimAll(h.join()))), 1)
}

func testLeaveDue(h *harness) {
	w, r := h.claimRetry()
	h.must(h.store.Leave(h.ctx(), w))
	due := r.Now
	r.Now = time.Now()
	equal(h, "claimed before it was due", len(h.claim(r)), 0)
	r.Now = due
	equal(h, "claimed when due", len(h.claim(r)), 1)
}

func testFenced(h *harness) {
	w, c, claimed := h.claimed()
	h.retire(w)
	h.checkFenced(w, outcome(claimed, webhook.DeliveryDelivered))
	equal(h, "state", h.states(c, "e"), "ready")
	equal(h, "attempts", h.delivery("e", c).Attempts, 0)
}

// testLateSettle is the worker that wakes up after another has taken over.
func testLateSettle(h *harness) {
	late, c, claimed := h.claimed()
	h.retire(late)
	w := h.join()
	taken := h.claim(claimAll(w))
	equal(h, "taken over", len(taken), 1)
	h.checkFenced(late, outcome(claimed, webhook.DeliveryDead))
	equal(h, "state", h.states(c, "e"), "claimed")
	h.settle(w, webhook.DeliveryDelivered, taken...)
	h.checkFenced(late, outcome(claimed, webhook.DeliveryDead))
	equal(h, "state", h.states(c, "e"), "delivered")
	equal(h, "attempts", h.delivery("e", c).Attempts, 1)
}

func testEndGone(h *harness) {
	for _, end := range []func(webhook.Worker){
		h.retire,
		func(w webhook.Worker) { h.must(h.store.Leave(h.ctx(), w)) },
	} {
		c := h.create("d", "")
		h.deliver(profile("", "r"))
		w := h.join()
		equal(h, "claimed", len(h.claim(claimAll(w))), 1)
		h.must(h.store.DeleteCallback(h.ctx(), c.ID))
		end(w)
		equal(h, "claimed of a callback that is gone", len(h.claim(claimAll(h.join()))), 0)
		equal(h, "deliveries", len(h.deliveries(webhook.DeliveryQuery{})), 0)
	}
}
