package storetest

import (
	"time"

	"github.com/ringback-dev/ringback/webhook"
)

func healthTests() []test {
	return []test{
		{"counts", testHealthCounts},
		{"without an attempt", testHealthNoAttempt},
		{"in one settle", testHealthTogether},
		{"passed over", testHealthPassedOver},
		{"with a claim", testHealthClaimed},
		{"the store's own", testHealthOwn},
		{"another URL", testHealthURL},
	}
}

// attemptedAt returns the outcome of an attempt that was made at a time. A retry is due
// at once.
func attemptedAt(c webhook.Claimed, state webhook.DeliveryState, at time.Time) webhook.Outcome {
	o := outcome(c, state)
	o.Due = time.Time{}
	o.Attempt.Time = at
	return o
}

func testHealthCounts(h *harness) {
	other := h.create("other", "")
	w, c, _ := h.claimed()
	h.must(h.store.Leave(h.ctx(), w))
	w = h.join()
	revision := h.revision()
	at := time.Date(2026, 11, 23, 10, 33, 0, 999_999_999, time.UTC)
	first, third := at.Truncate(time.Millisecond), at.Add(3*time.Minute).Truncate(time.Millisecond)
	for i, step := range []struct {
		state webhook.DeliveryState
		want  webhook.Health
	}{
		{webhook.DeliveryReady, webhook.Health{Failures: 1, FailingSince: first}},
		{webhook.DeliveryReady, webhook.Health{Failures: 2, FailingSince: first}},
		{webhook.DeliveryDelivered, webhook.Health{Successes: 1}},
		{webhook.DeliveryDead, webhook.Health{Successes: 1, Failures: 1, FailingSince: third}},
		{webhook.DeliveryReady, webhook.Health{Successes: 1, Failures: 2, FailingSince: third}},
		{webhook.DeliveryDelivered, webhook.Health{Successes: 2}},
		{webhook.DeliveryDelivered, webhook.Health{Successes: 3}},
	} {
		claimed := h.claim(claimAll(w))
		if len(claimed) == 0 {
			h.deliver(profile("", "r"))
			claimed = h.claim(claimAll(w))
		}
		h.record(w, attemptedAt(claimed[0], step.state, at.Add(time.Duration(i)*time.Minute)))
		want := c
		want.Health = step.want
		equal(h, "callback", h.callback(c.ID), want)
	}
	equal(h, "revision", h.revision(), revision)
	equal(h, "another callback", h.callback(other.ID), other)
}

func testHealthNoAttempt(h *harness) {
	c := h.create("d", "")
	h.deliver(profile("e1", "r"), profile("e2", "s"))
	w := h.join()
	claimed := h.claim(claimAll(w))
	dead := givenBack(claimed[1])
	dead.State, dead.Reason = webhook.DeliveryDead, "not allowed"
	h.record(w, givenBack(claimed[0]), dead)
	equal(h, "callback", h.callback(c.ID), c)
}

func testHealthTogether(h *harness) {
	c := h.create("d", "")
	h.deliver(profile("e1", "r"), profile("e2", "s"), profile("e3", "t"), profile("e4", "u"))
	w := h.join()
	claimed := h.claim(claimAll(w))
	at := time.Now().UTC().Truncate(time.Millisecond)
	h.record(w,
		attemptedAt(claimed[0], webhook.DeliveryDead, at),
		attemptedAt(claimed[1], webhook.DeliveryDelivered, at.Add(time.Second)),
		attemptedAt(claimed[2], webhook.DeliveryReady, at.Add(2*time.Second)),
		attemptedAt(claimed[3], webhook.DeliveryDead, at.Add(3*time.Second)))
	equal(h, "health", h.callback(c.ID).Health,
		webhook.Health{Successes: 1, Failures: 2, FailingSince: at.Add(2 * time.Second)})
}

func testHealthPassedOver(h *harness) {
	w, c, claimed := h.claimed()
	other := outcome(claimed, webhook.DeliveryDead)
	other.Attempt.Number = 2
	other.Pause = time.Now().Add(time.Hour)
	h.record(w, other)
	h.record(h.join(), outcome(claimed, webhook.DeliveryDelivered))
	equal(h, "callback", h.callback(c.ID), c)
	h.settle(w, webhook.DeliveryDelivered, claimed, claimed)
	h.settle(w, webhook.DeliveryDead, claimed)
	equal(h, "health", h.callback(c.ID).Health, webhook.Health{Successes: 1})
}

func testHealthClaimed(h *harness) {
	w, c, claimed := h.claimed()
	retry := outcome(claimed, webhook.DeliveryReady)
	retry.Due = time.Time{}
	h.record(w, retry)
	stored := h.callback(c.ID)
	equal(h, "failures", stored.Health.Failures, 1)
	r := claimAll(w)
	var asked webhook.Health
	r.Room = func(_ string, health webhook.Health) int {
		asked = health
		return 1
	}
	equal(h, "callback claimed for", *h.claim(r)[0].To, stored)
	equal(h, "health that room was asked for", asked, stored.Health)
}

// testHealthOwn checks that nobody but the store decides about the health.
func testHealthOwn(h *harness) {
	chosen := webhook.Health{
		Successes: 7, Failures: 7, FailingSince: time.Unix(7, 0).UTC(), PausedUntil: time.Unix(7, 0).UTC(),
	}
	c := bound("d", "")
	c.Health = chosen
	c, err := h.store.CreateCallback(h.ctx(), c, 0)
	h.must(err)
	equal(h, "health of a new callback", c.Health, webhook.Health{})
	updated := h.update(c.ID, func(c *webhook.Callback) { c.Health = chosen })
	equal(h, "health after an update", updated.Health, webhook.Health{})
	equal(h, "stored", h.callback(c.ID), updated)
}

func testHealthURL(h *harness) {
	c := h.create("d", "")
	h.deliver(profile("e1", "r"), profile("e2", "s"))
	w := h.join()
	claimed := h.claim(claimAll(w))
	failed := outcome(claimed[1], webhook.DeliveryReady)
	failed.Pause = time.Now().Add(time.Hour)
	h.record(w, outcome(claimed[0], webhook.DeliveryDelivered), failed)
	health := h.callback(c.ID).Health
	equal(h, "health", health, webhook.Health{
		Successes: 1, Failures: 1, FailingSince: failed.Attempt.Time.UTC().Truncate(time.Millisecond),
		PausedUntil: failed.Pause.UTC().Truncate(time.Millisecond),
	})
	same := h.update(c.ID, func(c *webhook.Callback) { c.Expression, c.Ordering = "true", webhook.OrderingSkip })
	equal(h, "health with the same URL", same.Health, health)
	other := h.update(c.ID, func(c *webhook.Callback) { c.URL = "https://example.com/other" })
	equal(h, "health with another URL", other.Health, webhook.Health{Successes: 1})
	equal(h, "stored", h.callback(c.ID), other)
}
