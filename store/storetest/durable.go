package storetest

import (
	"fmt"
	"slices"
	"sync"

	"github.com/ringback-dev/ringback/webhook"
)

// A durableTest is a test of a store that can be opened again.
type durableTest struct {
	name string
	run  func(h *harness, open func() *harness)
}

func durableTests() []durableTest {
	return []durableTest{
		{"opened again", testReopen},
		{"numbers go on", testReopenNumbers},
		{"health goes on", testReopenHealth},
		{"order goes on", testReopenTracks},
		{"replays go on", testReopenReplays},
		{"replays by two", testTwoReplays},
		{"disabled by two", testTwoDisable},
		{"fan-out by two", testTwoFanOut},
		{"claims by two", testTwoClaim},
		{"appended and claimed", testReopenAppendClaim},
		{"fenced everywhere", testTwoFenced},
		{"watch the other", testTwoWatch},
	}
}

func testReopen(h *harness, open func() *harness) {
	c := h.create("d", "")
	h.deliver(profile("delivered", "r"), profile("retried", "s"), profile("held", "t"), profile("waiting", "r"),
		profile("behind", "r"))
	w := h.join()
	h.must(h.store.Beat(h.ctx(), w))
	claimed := h.claim(claimAll(w))
	h.settle(w, webhook.DeliveryDelivered, claimed[0])
	h.settle(w, webhook.DeliveryReady, claimed[1])
	h.dispatch(profile("pending", "r"))
	revision := h.revision()

	again := open()
	page, err := again.store.Callbacks(again.ctx(), webhook.CallbackQuery{Limit: 10})
	h.must(err)
	equalList(h, "callbacks", page.Callbacks, []webhook.Callback{h.callback(c.ID)})
	equalList(h, "pending", again.pendingIDs(), []string{"pending"})
	equal(h, "revision", again.revision(), revision)
	equal(h, "counter of the worker", again.beats()[w], h.beats()[w])
	all := webhook.DeliveryQuery{}
	equalList(h, "deliveries", again.deliveries(all), h.deliveries(all))
	equal(h, "states", again.states(c, "delivered", "retried", "held", "waiting", "behind"),
		"delivered ready claimed ready waiting")
	attempts, err := again.store.Attempts(again.ctx(), webhook.DeliveryID("retried", c.ID))
	h.must(err)
	before, err := h.store.Attempts(h.ctx(), webhook.DeliveryID("retried", c.ID))
	h.must(err)
	equalList(h, "attempts", attempts, before)
	again.settle(w, webhook.DeliveryDead, claimed[2])
	equal(h, "state after the worker went on there", h.states(c, "held"), "dead")
}

func (h *harness) revision() int64 {
	h.t.Helper()
	pending, err := h.store.Pending(h.ctx(), webhook.PendingRequest{Limit: 1, LimitBytes: 1 << 30})
	h.must(err)
	return pending.Revision
}

func testReopenNumbers(h *harness, open func() *harness) {
	c := h.create("d", "")
	h.deliver(profile("e1", "r"))
	w := h.join()
	h.settle(w, webhook.DeliveryDelivered, h.claim(claimAll(w))...)
	last := h.delivery("e1", c).Sequence
	h.must(h.store.Leave(h.ctx(), w))
	h.must(h.store.DeleteCallback(h.ctx(), c.ID))
	h.pruneAll()

	again := open()
	created := again.create("d", "")
	if created.ID == c.ID || created.After < last {
		h.t.Errorf("callback %s, after %d, comes after %s and event %d", created.ID, created.After, c.ID, last)
	}
	if joined := again.join(); joined == w {
		h.t.Errorf("worker number %d is given twice", w)
	}
	again.dispatch(profile("e2", "r"))
	if sequence := again.pending()[0].Sequence; sequence <= created.After {
		h.t.Errorf("event %d was appended after %d", sequence, created.After)
	}
}

func testTwoFanOut(h *harness, open func() *harness) {
	c := h.create("d", "")
	ids := numbered("e", 40)
	var group sync.WaitGroup
	for i, side := range []*harness{h, open()} {
		group.Go(func() {
			for _, id := range ids[i*20 : i*20+20] {
				if err := side.store.Dispatch(side.ctx(), profile(id, fmt.Sprint("r", i))); err != nil {
					h.t.Error(err)
				}
				pending, err := side.store.Pending(side.ctx(), webhook.PendingRequest{Limit: 3, LimitBytes: 1 << 30})
				if err != nil {
					h.t.Error(err)
				}
				var expansions []webhook.Expansion
				for _, e := range pending.Events {
					expansions = append(expansions, expand(e, c))
				}
				if err := side.store.FanOut(side.ctx(), expansions); err != nil {
					h.t.Error(err)
				}
			}
		})
	}
	group.Wait()
	h.fanOut()
	var heard []string
	for _, d := range h.deliveries(webhook.DeliveryQuery{}) {
		heard = append(heard, d.EventID)
	}
	slices.Sort(heard)
	slices.Sort(ids)
	equalList(h, "events delivered", heard, ids)
}

func testTwoClaim(h *harness, open func() *harness) {
	h.create("d", "")
	ids := numbered("e", 40)
	for i, id := range ids {
		h.dispatch(profile(id, fmt.Sprint("r", i%8)))
	}
	h.fanOut()
	var mu sync.Mutex
	var delivered []string
	var group sync.WaitGroup
	for _, side := range []*harness{h, open()} {
		w := side.join()
		group.Go(func() {
			for len(h.deliveries(webhook.DeliveryQuery{State: webhook.DeliveryDelivered})) < len(ids) && !h.t.Failed() {
				r := claimAll(w)
				r.Limit = 2
				claimed, err := side.store.Claim(side.ctx(), r)
				if err != nil {
					h.t.Error(err)
				}
				var outcomes []webhook.Outcome
				for _, c := range claimed {
					mu.Lock()
					delivered = append(delivered, c.EventID)
					mu.Unlock()
					outcomes = append(outcomes, outcome(c, webhook.DeliveryDelivered))
				}
				if err := side.trySettle(side.ctx(), w, outcomes); err != nil {
					h.t.Error(err)
				}
			}
		})
	}
	group.Wait()
	slices.Sort(delivered)
	slices.Sort(ids)
	equalList(h, "events delivered by the two together", delivered, ids)
}

func testTwoFenced(h *harness, open func() *harness) {
	w, c, claimed := h.claimed()
	other := open()
	other.retire(w)
	h.checkFenced(w, outcome(claimed, webhook.DeliveryDelivered))
	taken := other.claim(claimAll(other.join()))
	equal(h, "taken over by the other", len(taken), 1)
	equal(h, "state", h.states(c, "e"), "claimed")
}

func testTwoWatch(h *harness, open func() *harness) {
	h.create("d", "")
	other := open()
	watch := other.watch()
	h.dispatch(profile("e", "r"))
	watch.until("an append elsewhere", func() bool { return len(other.pending()) == 1 })
	h.fanOut()
	watch.until("a fan-out elsewhere", func() bool { return len(other.claim(claimAll(other.join()))) == 1 })
}
