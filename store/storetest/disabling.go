package storetest

import (
	"time"

	"github.com/ringback-dev/ringback/webhook"
)

func disablingTests() []test {
	return []test{
		{"disables", testDisabling},
		{"without an attempt", testDisablingGivenBack},
		{"once", testDisablingOnce},
		{"in one settle", testDisablingTogether},
		{"several callbacks", testDisablingSeveral},
		{"another version", testDisablingVersion},
		{"failing since", testDisablingSince},
		{"has answered meanwhile", testDisablingAnswered},
		{"passed over", testDisablingPassedOver},
	}
}

// disabling returns the outcome of an attempt that failed and disables the callback.
func disabling(c webhook.Claimed) webhook.Outcome {
	o := attemptedAt(c, webhook.DeliveryDead, time.Now())
	o.Disable = &webhook.Disabling{Reason: "410 Gone ☎", Version: c.To.Version}
	return o
}

func testDisabling(h *harness) {
	w, c, claimed := h.claimed()
	h.deliver(profile("behind", "r"), profile("ready", "s"))
	revision := h.revision()
	o := disabling(claimed)
	disabled := h.record(w, o)
	stored := h.callback(c.ID)
	equalList(h, "disabled", disabled, []webhook.Callback{stored})
	want := c
	want.State, want.Reason = webhook.StateDisabled, "410 Gone ☎"
	want.Health = webhook.Health{Failures: 1, FailingSince: o.Attempt.Time.UTC().Truncate(time.Millisecond)}
	want.Version, want.Updated = stored.Version, stored.Updated
	equal(h, "callback", stored, want)
	if stored.Version == c.Version || stored.Updated.Before(c.Updated) || h.revision() <= revision {
		h.t.Errorf("version went from %d to %d, updated from %v to %v, revision from %d to %d",
			c.Version, stored.Version, c.Updated, stored.Updated, revision, h.revision())
	}
	equal(h, "states", h.states(c, "e", "behind", "ready"), "dead dead dead")
	equal(h, "reason of its own", h.delivery("e", c).Reason, "given up")
	equal(h, "reason", h.delivery("behind", c).Reason, "410 Gone ☎")
	_, err := h.store.UpdateCallback(h.ctx(), c)
	h.wantErr("update of what was read before", err, webhook.ErrConflict)
}

// testDisablingGivenBack disables with a delivery that is to be tried again: it becomes
// dead.
func testDisablingGivenBack(h *harness) {
	w, c, claimed := h.claimed()
	o := givenBack(claimed)
	o.Disable = &webhook.Disabling{Reason: "not allowed", Version: c.Version}
	equal(h, "disabled", len(h.record(w, o)), 1)
	equal(h, "health", h.callback(c.ID).Health, webhook.Health{})
	d := h.delivery("e", c)
	equal(h, "state", d.State, webhook.DeliveryDead)
	equal(h, "reason", d.Reason, "not allowed")
}

func testDisablingOnce(h *harness) {
	w, c, claimed := h.claimed()
	o := disabling(claimed)
	equal(h, "disabled", len(h.record(w, o, o)), 1)
	stored := h.callback(c.ID)
	equal(h, "disabled again", len(h.record(w, o)), 0)
	equal(h, "callback", h.callback(c.ID), stored)
}

// testDisablingTogether settles several deliveries of one callback, of which one
// disables it, whatever their order.
func testDisablingTogether(h *harness) {
	for position := range 3 {
		c := h.create("d", "")
		ids := []string{"1e" + c.ID, "2e" + c.ID, "3e" + c.ID, "4e" + c.ID, "5e" + c.ID}
		h.deliver(profile(ids[0], "r"), profile(ids[1], "s"), profile(ids[2], "t"), profile(ids[3], "u"),
			profile(ids[4], "r"))
		w := h.join()
		claimed := h.claim(claimAll(w))
		equal(h, "claimed", len(claimed), 4)
		outcomes := []webhook.Outcome{
			outcome(claimed[0], webhook.DeliveryReady), outcome(claimed[1], webhook.DeliveryReady),
			outcome(claimed[2], webhook.DeliveryReady),
		}
		outcomes[position] = disabling(claimed[position])
		last := disabling(claimed[3]) // finds it disabled
		last.State, last.Reason = webhook.DeliveryReady, ""
		disabled := h.record(w, append(outcomes, last)...)
		equalList(h, "disabled", disabled, []webhook.Callback{h.callback(c.ID)})
		equal(h, "states", h.states(c, ids...), "dead dead dead dead dead")
		for i, id := range ids {
			want := "410 Gone ☎"
			if i == position {
				want = "given up"
			}
			equal(h, "reason of "+id, h.delivery(id, c).Reason, want)
		}
		equal(h, "failures", h.callback(c.ID).Health.Failures, 4)
		h.must(h.store.DeleteCallback(h.ctx(), c.ID))
	}
}

func testDisablingSeveral(h *harness) {
	for range 3 {
		h.create("d", "")
	}
	h.deliver(profile("e", "r"))
	w := h.join()
	claimed := h.claim(claimAll(w))
	equal(h, "claimed", len(claimed), 3)
	disabled := h.record(w,
		disabling(claimed[0]), outcome(claimed[1], webhook.DeliveryDelivered), disabling(claimed[2]))
	equal(h, "disabled", len(disabled), 2)
	for _, c := range disabled {
		if c.ID == claimed[1].Callback {
			h.t.Errorf("callback %s was disabled", c.ID)
		}
		equal(h, "disabled", c, h.callback(c.ID))
		equal(h, "state", c.State, webhook.StateDisabled)
	}
	equal(h, "state of the other", h.callback(claimed[1].Callback).State, webhook.StateActive)
}

func testDisablingVersion(h *harness) {
	c := h.create("d", "")
	h.deliver(profile("e1", "r"), profile("e2", "s"), profile("e3", "r"))
	w := h.join()
	claimed := h.claim(claimAll(w))
	changed := h.update(c.ID, func(c *webhook.Callback) { c.Expression = "true" })
	unknown := disabling(claimed[1])
	unknown.Disable.Version = changed.Version + 1
	unknown.State, unknown.Reason = webhook.DeliveryReady, ""
	equal(h, "disabled", len(h.record(w, disabling(claimed[0]), unknown)), 0)
	got := h.callback(c.ID)
	equal(h, "state", got.State, webhook.StateActive)
	equal(h, "version", got.Version, changed.Version)
	equal(h, "failures", got.Health.Failures, 2)
	equal(h, "states", h.states(c, "e1", "e2", "e3"), "dead ready ready")
}

// testDisablingSince disables what has been failing since the time that was seen at
// the claim, and passes over what has been failing since another.
func testDisablingSince(h *harness) {
	c := h.create("d", "")
	h.deliver(profile("e", "r"))
	w := h.join()
	at := time.Now().Add(-time.Hour)
	h.record(w, attemptedAt(h.claim(claimAll(w))[0], webhook.DeliveryReady, at))
	for _, seen := range []time.Time{at.Add(-time.Millisecond), at.Add(time.Millisecond), at.AddDate(-1, 0, 0)} {
		o := disabling(h.claim(claimAll(w))[0])
		o.State, o.Reason = webhook.DeliveryReady, ""
		o.Disable.FailingSince = seen
		equal(h, "disabled", len(h.record(w, o)), 0)
		equal(h, "states", h.states(c, "e"), "ready")
	}
	claimed := h.claim(claimAll(w))[0]
	o := disabling(claimed)
	o.Disable.FailingSince = claimed.To.Health.FailingSince
	equal(h, "failing since", o.Disable.FailingSince, at.UTC().Truncate(time.Millisecond))
	equal(h, "disabled", len(h.record(w, o)), 1)
	equal(h, "failures", h.callback(c.ID).Health.Failures, 5)
}

// testDisablingAnswered is the receiver that answers one request while others fail.
func testDisablingAnswered(h *harness) {
	for _, together := range []bool{true, false} {
		c := h.create("d", "")
		h.deliver(profile("1e"+c.ID, "r"), profile("2e"+c.ID, "s"))
		w := h.join()
		at := time.Now().Add(-time.Hour)
		for _, claimed := range h.claim(claimAll(w)) {
			h.record(w, attemptedAt(claimed, webhook.DeliveryReady, at))
		}
		claimed := h.claim(claimAll(w))
		failed := disabling(claimed[1])
		failed.Disable.FailingSince = claimed[1].To.Health.FailingSince
		outcomes := []webhook.Outcome{outcome(claimed[0], webhook.DeliveryDelivered), failed}
		var disabled []webhook.Callback
		if together {
			disabled = h.record(w, outcomes...)
		} else {
			h.record(w, outcomes[0])
			disabled = h.record(w, outcomes[1])
		}
		equal(h, "disabled", len(disabled), 0)
		got := h.callback(c.ID)
		equal(h, "state", got.State, webhook.StateActive)
		equal(h, "health", got.Health, webhook.Health{
			Successes: 1, Failures: 1, FailingSince: failed.Attempt.Time.UTC().Truncate(time.Millisecond),
		})
		h.must(h.store.DeleteCallback(h.ctx(), c.ID))
	}
}

func testDisablingPassedOver(h *harness) {
	w, c, claimed := h.claimed()
	o := disabling(claimed)
	equal(h, "disabled by another worker", len(h.record(h.join(), o)), 0)
	o.Attempt.Number = 2
	equal(h, "disabled by another number", len(h.record(w, o)), 0)
	o.Attempt.Number = 1
	o.Sequence += 99
	equal(h, "disabled by what is not there", len(h.record(w, o)), 0)
	equal(h, "callback", h.callback(c.ID), c)
	equal(h, "states", h.states(c, "e"), "claimed")
}
