package storetest

import (
	"time"

	"github.com/ringback-dev/ringback/webhook"
)

func pauseTests() []test {
	return []test{
		{"until then", testPause},
		{"the longer one", testPauseLonger},
		{"without an attempt", testPauseNoAttempt},
		{"noted by a wrong clock", testPauseWrongClock},
	}
}

// pause pauses a callback that has a delivery to be claimed, and gives that back.
func (h *harness) pause(w webhook.Worker, until time.Time) {
	h.t.Helper()
	r := claimAll(w)
	r.Now = time.Now().AddDate(100, 0, 0) // whatever pauses there are
	r.Limit = 1
	o := givenBack(h.claim(r)[0])
	o.Pause = until
	h.record(w, o)
}

func testPause(h *harness) {
	c := h.create("d", "")
	h.deliver(profile("e1", "r"), profile("e2", "s"), profile("e3", "t"))
	other := h.create("d", "")
	h.deliver(profile("e4", "u"))
	w := h.join()
	r := claimAll(w)
	r.Limit = 1
	r.After = other.ID
	now := time.Now().UTC().Truncate(time.Millisecond)
	revision := h.revision()
	o := outcome(h.claim(r)[0], webhook.DeliveryReady)
	o.Due = time.Time{}
	o.Pause = now.Add(time.Hour + 999*time.Microsecond)
	h.record(w, o)
	stored := h.callback(c.ID)
	want := c
	want.Health = webhook.Health{
		Failures: 1, FailingSince: o.Attempt.Time.UTC().Truncate(time.Millisecond), PausedUntil: now.Add(time.Hour),
	}
	equal(h, "callback", stored, want)
	equal(h, "revision", h.revision(), revision)

	r = claimAll(w)
	r.Now = now.Add(time.Hour - time.Millisecond)
	equal(h, "claimed while the first is paused", eventIDs(h.claim(r)), "e4")
	equal(h, "states", h.states(c, "e1", "e2", "e3", "e4"), "ready ready ready ready")
	r.Now = now.Add(time.Hour)
	equal(h, "claimed after the pause", eventIDs(h.claim(r)), "e1 e2 e3 e4")
}

func testPauseLonger(h *harness) {
	c := h.create("d", "")
	h.deliver(profile("e", "r"))
	w := h.join()
	now := time.Now().UTC().Truncate(time.Millisecond)
	for _, step := range []struct{ pause, want time.Duration }{
		{2 * time.Hour, 2 * time.Hour}, {time.Hour, 2 * time.Hour}, {3 * time.Hour, 3 * time.Hour},
		{webhook.MaxPause, webhook.MaxPause}, {2 * time.Hour, webhook.MaxPause},
	} {
		h.pause(w, now.Add(step.pause))
		equal(h, "paused until", h.callback(c.ID).Health.PausedUntil, now.Add(step.want))
	}
	r := claimAll(w)
	r.Now = now
	equal(h, "claimed within the longest pause", len(h.claim(r)), 0)
	h.pause(w, time.Time{})
	equal(h, "paused until, after none", h.callback(c.ID).Health.PausedUntil, now.Add(webhook.MaxPause))
}

// testPauseNoAttempt pauses with what is given back, and with what ends.
func testPauseNoAttempt(h *harness) {
	for _, state := range []webhook.DeliveryState{
		webhook.DeliveryReady, webhook.DeliveryDelivered, webhook.DeliveryDead,
	} {
		c := h.create("d", "")
		h.deliver(profile("", "r"))
		w := h.join()
		o := givenBack(h.claim(claimAll(w))[0])
		o.State, o.Reason = state, "given up"
		o.Pause = time.Now().Add(time.Hour).UTC().Truncate(time.Millisecond)
		h.record(w, o)
		equal(h, "health", h.callback(c.ID).Health, webhook.Health{PausedUntil: o.Pause})
		h.deliver(profile("", "s"))
		equal(h, "claimed", len(h.claim(claimAll(w))), 0)
		h.must(h.store.DeleteCallback(h.ctx(), c.ID))
	}
}

// testPauseWrongClock notes a pause that is too long to be one. It neither pauses nor
// stands in the way of one that does.
func testPauseWrongClock(h *harness) {
	c := h.create("d", "")
	h.deliver(profile("e", "r"))
	w := h.join()
	now := time.Now().UTC().Truncate(time.Millisecond)
	r := claimAll(w)
	r.Now = now
	for _, ahead := range []time.Duration{
		10 * 365 * 24 * time.Hour, webhook.MaxPause + time.Hour + time.Millisecond,
	} {
		h.pause(w, now.Add(ahead))
		claimed := h.claim(r)
		equal(h, "claimed while a clock that is right sees no pause", eventIDs(claimed), "e")
		o := givenBack(claimed[0])
		o.Pause = now.Add(time.Hour)
		h.record(w, o)
		equal(h, "paused until", h.callback(c.ID).Health.PausedUntil, o.Pause)
		equal(h, "claimed during a pause", len(h.claim(r)), 0)
	}
}
