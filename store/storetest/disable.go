package storetest

import (
	"fmt"

	"github.com/ringback-dev/ringback/webhook"
)

func disableTests() []test {
	return []test{
		{"ends what is open", testDisableEnds},
		{"what is claimed", testDisableClaimed},
		{"worker that ends", testDisableWorker},
		{"hears nothing", testDisableHears},
		{"reason", testDisableReason},
		{"from the first", testDisabledFirst},
		{"enabled again", testEnable},
		{"enabled while claimed", testEnableClaimed},
	}
}

func testDisableEnds(h *harness) {
	c := h.create("d", "")
	h.deliver(profile("delivered", "r"), profile("dead", "s"), profile("retry", "t"), profile("passed", "u"),
		profile("claimed", "v"), profile("waiting", "t"), profile("ready", "u"), profile("behind", "u"))
	other := h.create("d", "")
	h.deliver(profile("both", "w"))
	w := h.join()
	r := claimAll(w)
	r.After, r.Limit = other.ID, 5
	claimed := h.claim(r)
	equal(h, "claimed", eventIDs(claimed), "delivered dead retry passed claimed")
	h.record(w, outcome(claimed[0], webhook.DeliveryDelivered), outcome(claimed[1], webhook.DeliveryDead),
		outcome(claimed[2], webhook.DeliveryReady), passed(claimed[3]))
	equal(h, "states", h.states(c, "retry", "passed", "claimed", "waiting", "ready", "behind", "both"),
		"ready ready claimed waiting ready waiting ready")
	before, revision := h.callback(c.ID), h.revision()
	ended := []string{"retry", "passed", "waiting", "ready", "behind", "both"}

	disabled := h.disable(c.ID, "moved away ☎")
	equal(h, "stored", h.callback(c.ID), disabled)
	if disabled.Version == before.Version || h.revision() <= revision {
		h.t.Errorf("version went from %d to %d, revision from %d to %d",
			before.Version, disabled.Version, revision, h.revision())
	}
	before.State, before.Reason = webhook.StateDisabled, "moved away ☎"
	before.Version, before.Updated = disabled.Version, disabled.Updated
	equal(h, "callback", disabled, before)
	for _, id := range ended {
		d := h.delivery(id, c)
		equal(h, "state of "+id, d.State, webhook.DeliveryDead)
		equal(h, "reason of "+id, d.Reason, "moved away ☎")
		if d.Ended.Before(d.Created) {
			h.t.Errorf("%s was created at %v and ended at %v", id, d.Created, d.Ended)
		}
	}
	equal(h, "attempts of what was retried", h.delivery("retry", c).Attempts, 1)
	equal(h, "states", h.states(c, "delivered", "dead", "claimed"), "delivered dead claimed")
	equal(h, "reason of what was dead", h.delivery("dead", c).Reason, "given up")
	equal(h, "state at another callback", h.states(other, "both"), "ready")
	for _, claimed := range h.claim(claimAll(w)) {
		equal(h, "claimed for", claimed.Callback, other.ID)
	}
}

// testDisableClaimed disables a callback whose deliveries are under way.
func testDisableClaimed(h *harness) {
	c := h.create("d", "")
	ids := numbered("e", 6)
	for i, id := range ids {
		h.dispatch(profile(id, fmt.Sprint("r", i)), profile("behind"+id, fmt.Sprint("r", i)))
	}
	h.fanOut()
	w := h.join()
	claimed := h.claim(claimAll(w))
	equal(h, "claimed", len(claimed), len(ids))
	h.disable(c.ID, "disabled")
	h.record(w, outcome(claimed[0], webhook.DeliveryDelivered), outcome(claimed[1], webhook.DeliveryReady),
		outcome(claimed[2], webhook.DeliveryDead), givenBack(claimed[3]), passed(claimed[4]))
	for i, want := range []struct {
		state    webhook.DeliveryState
		reason   string
		attempts int
	}{
		{webhook.DeliveryDelivered, "", 1}, {webhook.DeliveryDead, "disabled", 1},
		{webhook.DeliveryDead, "given up", 1}, {webhook.DeliveryDead, "disabled", 0},
		{webhook.DeliveryDead, "disabled", 1}, {webhook.DeliveryClaimed, "", 0},
	} {
		d := h.delivery(ids[i], c)
		equal(h, "state of "+ids[i], d.State, want.state)
		equal(h, "reason of "+ids[i], d.Reason, want.reason)
		equal(h, "attempts of "+ids[i], d.Attempts, want.attempts)
		equal(h, "state of the one behind", h.states(c, "behind"+ids[i]), "dead")
	}
	equal(h, "attempts counted", h.callback(c.ID).Health.Failures, 3)
	equal(h, "claimed", len(h.claim(claimAll(w))), 0)
	equalList(h, "holders", h.holders(), []webhook.Worker{w})
}

func testDisableWorker(h *harness) {
	for name, end := range map[string]func(webhook.Worker){
		"retired": h.retire,
		"left":    func(w webhook.Worker) { h.must(h.store.Leave(h.ctx(), w)) },
	} {
		c, other := h.create("d", ""), h.create("d", "")
		id := "e" + c.ID
		h.deliver(profile(id, "r"))
		w := h.join()
		equal(h, "claimed", len(h.claim(claimAll(w))), 2)
		h.disable(c.ID, "disabled")
		end(w)
		d := h.delivery(id, c)
		equal(h, "state once the worker has "+name, d.State, webhook.DeliveryDead)
		equal(h, "reason", d.Reason, "disabled")
		equal(h, "state at another callback", h.states(other, id), "ready")
		h.must(h.store.DeleteCallback(h.ctx(), c.ID))
		h.must(h.store.DeleteCallback(h.ctx(), other.ID))
	}
}

func testDisableHears(h *harness) {
	c, other := h.create("d", ""), h.create("d", "")
	h.disable(c.ID, "disabled")
	listeners, err := h.store.Listeners(h.ctx(), webhook.Scope{Database: "d"})
	h.must(err)
	equalList(h, "listeners", listeners.Callbacks, []webhook.Callback{other})
	equal(h, "revision of the listeners", listeners.Revision, h.revision())

	// An engine may have read the listeners before.
	h.dispatch(profile("e1", "r"), profile("e2", "r"))
	late := expand(h.pending()[0], c, other)
	dead := expand(h.pending()[1], c, other)
	dead.Targets[0].Dead = "no message"
	h.must(h.store.FanOut(h.ctx(), []webhook.Expansion{late, dead}))
	equal(h, "deliveries", len(h.deliveries(webhook.DeliveryQuery{Callback: c.ID})), 0)
	equal(h, "states at another callback", h.states(other, "e1", "e2"), "ready waiting")
	equal(h, "pending", len(h.pending()), 0)
}

func testDisableReason(h *harness) {
	c := bound("d", "")
	c.Reason = "none"
	c, err := h.store.CreateCallback(h.ctx(), c, 0)
	h.must(err)
	equal(h, "reason of an active callback", c.Reason, "")
	c = h.update(c.ID, func(c *webhook.Callback) { c.Reason = "none" })
	equal(h, "reason after an update", c.Reason, "")
	h.deliver(profile("e1", "r"), profile("e2", "s"))
	w := h.join()
	claimed := h.claim(claimAll(w))
	h.disable(c.ID, "first")
	h.record(w, givenBack(claimed[0]))
	h.disable(c.ID, "second")
	h.record(w, givenBack(claimed[1]))
	equal(h, "reasons", h.delivery("e1", c).Reason+" "+h.delivery("e2", c).Reason, "first second")
	enabled := h.enable(c.ID)
	equal(h, "reason once it is enabled", enabled.Reason, "")
	equal(h, "stored", h.callback(c.ID), enabled)
}

func testDisabledFirst(h *harness) {
	c := bound("d", "")
	c.State, c.Reason = webhook.StateDisabled, "not yet"
	c, err := h.store.CreateCallback(h.ctx(), c, 0)
	h.must(err)
	equal(h, "state", c.State, webhook.StateDisabled)
	equal(h, "reason", c.Reason, "not yet")
	equal(h, "stored", h.callback(c.ID), c)
	h.deliver(profile("e1", "r"))
	equal(h, "deliveries", len(h.deliveries(webhook.DeliveryQuery{})), 0)
	h.enable(c.ID)
	h.deliver(profile("e2", "r"))
	equal(h, "states", h.states(c, "e2"), "ready")
}

func testEnable(h *harness) {
	c := h.create("d", "")
	h.deliver(profile("e1", "r"), profile("e2", "r"), profile("e3", "s"))
	w := h.join()
	claimed := h.claim(claimAll(w))
	retry := outcome(claimed[1], webhook.DeliveryReady)
	retry.Pause = retry.Due
	h.record(w, outcome(claimed[0], webhook.DeliveryDelivered), retry)
	h.disable(c.ID, "disabled")
	equal(h, "failures of a disabled callback", h.callback(c.ID).Health.Failures, 1)
	enabled := h.enable(c.ID)
	equal(h, "state", enabled.State, webhook.StateActive)
	equal(h, "health", enabled.Health, webhook.Health{Successes: 1})
	equal(h, "stored", h.callback(c.ID), enabled)
	equal(h, "states", h.states(c, "e1", "e2", "e3"), "delivered dead dead")
	h.deliver(profile("e4", "r"))
	h.replay("e2", c)
	equal(h, "states", h.states(c, "e2", "e4"), "ready ready")
	equal(h, "claimed", eventIDs(h.claim(claimAll(w))), "e2 e4")
}

// testEnableClaimed disables a callback and enables it again, all while a worker has a
// delivery in hand: later ones wait for that.
func testEnableClaimed(h *harness) {
	w, c, claimed := h.claimed()
	h.disable(c.ID, "disabled")
	h.enable(c.ID)
	h.deliver(profile("e2", "r"), profile("e3", "r"))
	equal(h, "states", h.states(c, "e", "e2", "e3"), "claimed waiting waiting")
	retry := outcome(claimed, webhook.DeliveryReady)
	retry.Due = claimed.Created
	h.record(w, retry)
	equal(h, "states", h.states(c, "e", "e2", "e3"), "ready waiting waiting")
	h.settle(w, webhook.DeliveryDelivered, h.claim(claimAll(w))...)
	equal(h, "states", h.states(c, "e", "e2", "e3"), "delivered ready waiting")
}
