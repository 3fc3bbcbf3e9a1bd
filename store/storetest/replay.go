package storetest

import (
	"time"

	"github.com/ringback-dev/ringback/webhook"
)

func replayTests() []test {
	return []test{
		{"what has ended", testReplay},
		{"what is open", testReplayOpen},
		{"what is not there", testReplayAbsent},
		{"of a disabled callback", testReplayDisabled},
		{"without a message", testReplayNoMessage},
		{"born dead", testReplayBornDead},
		{"twice", testReplayTwice},
		{"prune", testReplayPrune},
		{"wakes", testReplayWakes},
	}
}

// deliverAll claims and settles until nothing is due any more.
func (h *harness) deliverAll(w webhook.Worker, state webhook.DeliveryState) {
	h.t.Helper()
	for range 100_000 {
		claimed := h.claim(claimAll(w))
		if len(claimed) == 0 {
			return
		}
		h.settle(w, state, claimed...)
	}
	h.t.Fatal("the deliveries have no end")
}

func testReplay(h *harness) {
	c := h.ended()
	w := h.join()
	for i, id := range []string{"delivered", "dead"} {
		before := h.delivery(id, c)
		want := before
		want.State, want.Reason, want.Ended = webhook.DeliveryReady, "", time.Time{}
		want.Replayed, want.Earlier = true, 1
		replayed := h.replay(id, c)
		equal(h, "replayed", replayed, want)
		equal(h, "stored", h.delivery(id, c), want)

		health := h.callback(c.ID).Health
		claimed := h.claim(claimAll(w))
		equal(h, "claimed", eventIDs(claimed), id)
		want.State = webhook.DeliveryClaimed
		equal(h, "delivery as claimed", claimed[0].Delivery, want)
		equal(h, "message", string(claimed[0].Message), id)
		h.settle(w, webhook.DeliveryDelivered, claimed[0])
		d := h.delivery(id, c)
		equal(h, "state", d.State, webhook.DeliveryDelivered)
		equal(h, "attempts", d.Attempts, 2)
		equal(h, "earlier attempts", d.Earlier, 1)
		equal(h, "replayed in the end", d.Replayed, true)
		equal(h, "successes", h.callback(c.ID).Health.Successes, health.Successes+1)
		attempts, err := h.store.Attempts(h.ctx(), d.ID)
		h.must(err)
		equal(h, "attempts kept", len(attempts), 2)
		equal(h, "dead deliveries", len(h.deliveries(webhook.DeliveryQuery{State: webhook.DeliveryDead})), 1-i)
	}
}

func testReplayOpen(h *harness) {
	c := h.create("d", "")
	h.deliver(profile("claimed", "r"), profile("retry", "s"), profile("waiting", "r"), profile("passed", "t"))
	w := h.join()
	claimed := h.claim(claimAll(w))
	late := passed(claimed[2])
	late.Due = later()
	h.record(w, outcome(claimed[1], webhook.DeliveryReady), late)
	check := func(ids ...string) {
		h.t.Helper()
		for _, id := range ids {
			before := h.delivery(id, c)
			equal(h, "replayed", h.replay(id, c), before)
			equal(h, "stored", h.delivery(id, c), before)
		}
	}
	check("claimed", "retry", "waiting", "passed")
	h.settle(w, webhook.DeliveryDelivered, claimed[0])
	h.replay("claimed", c)
	check("claimed")
}

func testReplayAbsent(h *harness) {
	c := h.ended()
	for _, id := range []string{
		"", "_", "dead", "dead_", "_" + c.ID, webhook.DeliveryID("x", c.ID), "dead_" + c.ID + "0",
	} {
		_, err := h.store.Replay(h.ctx(), id)
		h.wantErr("Replay "+id, err, webhook.ErrNotFound)
	}
}

func testReplayDisabled(h *harness) {
	c := h.ended()
	before := h.delivery("dead", c)
	h.disable(c.ID, "disabled")
	_, err := h.store.Replay(h.ctx(), webhook.DeliveryID("dead", c.ID))
	h.wantErr("Replay", err, webhook.ErrDisabled)
	equal(h, "delivery", h.delivery("dead", c), before)
	h.enable(c.ID)
	equal(h, "state once it is enabled", h.replay("dead", c).State, webhook.DeliveryReady)
}

// bornDead fans an event out to a callback, to be dead at once. It has a message in
// JSON only.
func (h *harness) bornDead(eventID, record string, c webhook.Callback, method webhook.Method) {
	h.t.Helper()
	h.dispatch(profile(eventID, record))
	x := expand(h.pending()[0], c)
	x.Targets[0].Method = method
	x.Targets[0].Dead = "could not be sent"
	h.must(h.store.FanOut(h.ctx(), []webhook.Expansion{x}))
}

func testReplayNoMessage(h *harness) {
	c := h.create("d", "")
	h.bornDead("e", "r", c, webhook.MethodXML)
	before := h.delivery("e", c)
	_, err := h.store.Replay(h.ctx(), before.ID)
	h.wantErr("Replay", err, webhook.ErrInvalid)
	equal(h, "delivery", h.delivery("e", c), before)
}

func testReplayBornDead(h *harness) {
	c := h.create("d", "")
	h.bornDead("e", "r", c, webhook.MethodJSON)
	d := h.replay("e", c)
	equal(h, "state", d.State, webhook.DeliveryReady)
	equal(h, "earlier attempts", d.Earlier, 0)
	claimed := h.claim(claimAll(h.join()))
	equal(h, "claimed", eventIDs(claimed), "e")
	equal(h, "message", string(claimed[0].Message), "e")
}

func testReplayTwice(h *harness) {
	c := h.create("d", "")
	h.deliver(profile("e", "r"))
	w := h.join()
	h.deliverAll(w, webhook.DeliveryDead)
	for round := 1; round <= 3; round++ {
		d := h.replay("e", c)
		equal(h, "earlier attempts", d.Earlier, 2*round-1)
		retry := outcome(h.claim(claimAll(w))[0], webhook.DeliveryReady)
		retry.Due = time.Time{}
		h.record(w, retry)
		h.deliverAll(w, webhook.DeliveryDead)
		d = h.delivery("e", c)
		equal(h, "attempts", d.Attempts, 2*round+1)
		equal(h, "earlier attempts", d.Earlier, 2*round-1)
		equal(h, "reason", d.Reason, "given up")
	}
}

func testReplayPrune(h *harness) {
	c := h.create("d", "")
	h.deliver(profile("e", "r"))
	w := h.join()
	h.deliverAll(w, webhook.DeliveryDead)
	h.replay("e", c)
	equal(h, "removed", h.pruneAll(), webhook.PruneResult{})
	h.deliverAll(w, webhook.DeliveryDelivered)
	equal(h, "removed in the end", h.pruneAll(), webhook.PruneResult{Events: 1, Deliveries: 1})
	_, err := h.store.Replay(h.ctx(), webhook.DeliveryID("e", c.ID))
	h.wantErr("Replay", err, webhook.ErrNotFound)
}

func testReplayWakes(h *harness) {
	c := h.create("d", "")
	h.deliver(profile("e", "r"))
	w := h.join()
	h.deliverAll(w, webhook.DeliveryDead)
	watch := h.watch()
	ready := func() bool { return len(h.claim(claimAll(w))) == 1 }
	h.replay("e", c)
	watch.until("a replay", ready)
	h.must(h.store.Leave(h.ctx(), w))
	w = h.join()
	watch.until("the worker left", ready)
	h.settle(w, webhook.DeliveryDead, webhook.Claimed{Delivery: h.delivery("e", c)})
	_, err := h.store.StartReplay(h.ctx(), webhook.ReplayRequest{Callback: c.ID})
	h.must(err)
	h.continueReplays(1)
	watch.until("a replay that was asked for", ready)
}
