package storetest

import (
	"time"

	"github.com/ringback-dev/ringback/webhook"
)

func rescheduleTests() []test {
	return []test{
		{"attempt of the future", testReschedule},
		{"a minute", testRescheduleMinute},
		{"what stays", testRescheduleStays},
		{"again", testRescheduleAgain},
		{"order", testRescheduleOrder},
		{"pause", testReschedulePause},
	}
}

// retry settles a delivery to be tried again some time after an attempt.
func (h *harness) retry(w webhook.Worker, c webhook.Claimed, attempt time.Time, after time.Duration) {
	h.t.Helper()
	o := attemptedAt(c, webhook.DeliveryReady, attempt)
	o.Due = attempt.Add(after)
	h.record(w, o)
}

func testReschedule(h *harness) {
	w, c, claimed := h.claimed()
	now := time.Now().UTC().Truncate(time.Millisecond)
	h.retry(w, claimed, now.AddDate(1, 0, 0), 10*time.Second)
	want := h.delivery("e", c)
	health := h.callback(c.ID).Health
	h.must(h.store.Reschedule(h.ctx(), now))
	want.Due = now.Add(10 * time.Second)
	equal(h, "delivery", h.delivery("e", c), want)
	health.FailingSince = now
	equal(h, "health", h.callback(c.ID).Health, health)
	r := claimAll(w)
	r.Now = want.Due.Add(-time.Millisecond)
	equal(h, "claimed too early", len(h.claim(r)), 0)
	r.Now = want.Due
	equal(h, "claimed when due", eventIDs(h.claim(r)), "e")
}

func testRescheduleMinute(h *harness) {
	c := h.create("d", "")
	h.deliver(profile("past", "r"), profile("near", "s"), profile("far", "t"))
	w := h.join()
	now := time.Now().UTC().Truncate(time.Millisecond)
	for i, claimed := range h.claim(claimAll(w)) {
		ahead := []time.Duration{-time.Hour, time.Minute, time.Minute + time.Millisecond}[i]
		h.retry(w, claimed, now.Add(ahead), time.Hour)
	}
	h.must(h.store.Reschedule(h.ctx(), now))
	equal(h, "due after an attempt of the past", h.delivery("past", c).Due, now)
	equal(h, "due after an attempt a minute ahead", h.delivery("near", c).Due, now.Add(time.Hour+time.Minute))
	equal(h, "due after an attempt further ahead", h.delivery("far", c).Due, now.Add(time.Hour))
}

// testRescheduleStays has attempts of the future where nothing is to be mended.
func testRescheduleStays(h *harness) {
	c := h.create("d", "")
	h.deliver(profile("delivered", "r"), profile("dead", "s"), profile("at-once", "t"), profile("claimed", "u"),
		profile("waiting", "u"), profile("never", "v"))
	w := h.join()
	future := time.Now().AddDate(1, 0, 0)
	claimed := h.claim(claimAll(w))
	h.record(w, attemptedAt(claimed[0], webhook.DeliveryDelivered, future),
		attemptedAt(claimed[1], webhook.DeliveryDead, future), attemptedAt(claimed[2], webhook.DeliveryReady, future),
		attemptedAt(claimed[3], webhook.DeliveryReady, future), givenBack(claimed[4]))
	r := claimAll(w)
	r.After = c.ID
	for _, c := range h.claim(r) {
		if c.EventID != "claimed" {
			h.record(w, givenBack(c))
		}
	}
	before := h.deliveries(webhook.DeliveryQuery{})
	h.must(h.store.Reschedule(h.ctx(), time.Now()))
	equalList(h, "deliveries", h.deliveries(webhook.DeliveryQuery{}), before)
}

// testRescheduleAgain mends what was mended already: that does not delay it, nor does it
// come sooner.
func testRescheduleAgain(h *harness) {
	w, c, claimed := h.claimed()
	now := time.Now().UTC().Truncate(time.Millisecond)
	h.retry(w, claimed, now.AddDate(1, 0, 0), 10*time.Second)
	h.must(h.store.Reschedule(h.ctx(), now))
	h.must(h.store.Reschedule(h.ctx(), now))
	equal(h, "due", h.delivery("e", c).Due, now.Add(10*time.Second))
	r := claimAll(w)
	r.Now = now.Add(10 * time.Second)
	h.retry(w, h.claim(r)[0], r.Now, time.Minute)
	h.must(h.store.Reschedule(h.ctx(), r.Now))
	equal(h, "due after an attempt by a clock that is right", h.delivery("e", c).Due, r.Now.Add(time.Minute))
}

// testRescheduleOrder mends one of several that are scheduled.
func testRescheduleOrder(h *harness) {
	h.create("d", "")
	h.deliver(profile("right", "r"), profile("wrong", "s"), profile("passed", "t"))
	w := h.join()
	now := time.Now().UTC().Truncate(time.Millisecond)
	claimed := h.claim(claimAll(w))
	h.retry(w, claimed[0], now, time.Hour)
	h.retry(w, claimed[1], now.AddDate(1, 0, 0), time.Minute)
	o := passed(claimed[2])
	o.Attempt.Time = now.AddDate(2, 0, 0)
	o.Due = o.Attempt.Time.Add(2 * time.Minute)
	h.record(w, o)
	h.must(h.store.Reschedule(h.ctx(), now))
	r := claimAll(w)
	for _, want := range []struct {
		after  time.Duration
		events string
	}{{time.Second, ""}, {time.Minute, "wrong"}, {2 * time.Minute, "passed"}, {time.Hour, "right"}} {
		r.Now = now.Add(want.after)
		equal(h, "claimed", eventIDs(h.claim(r)), want.events)
	}
}

// testReschedulePause mends the pauses that were noted by a clock that was ahead.
func testReschedulePause(h *harness) {
	now := time.Now().UTC().Truncate(time.Millisecond)
	w := h.join()
	for name, test := range map[string]struct {
		attempt time.Time // zero for none
		until   time.Duration
		want    time.Duration
	}{
		"ahead":           {now.Add(10 * time.Hour), 11 * time.Hour, time.Hour},
		"not ahead":       {now.Add(time.Minute), time.Hour, time.Hour},
		"over":            {now.Add(-2 * time.Hour), -time.Hour, -time.Hour},
		"not by attempts": {time.Time{}, 11 * time.Hour, 11 * time.Hour},
	} {
		c := h.create("d", "")
		h.deliver(profile(name[:3]+"-"+name[len(name)-1:], "r"))
		var claimed webhook.Claimed
		for _, x := range h.claim(claimAll(w)) {
			if x.Callback == c.ID {
				claimed = x
			}
		}
		o := givenBack(claimed)
		if !test.attempt.IsZero() {
			o = attemptedAt(claimed, webhook.DeliveryReady, test.attempt)
		}
		o.Due = now.Add(1000 * time.Hour)
		o.Pause = now.Add(test.until)
		h.record(w, o)
		for range 2 {
			h.must(h.store.Reschedule(h.ctx(), now))
			equal(h, name+": paused until", h.callback(c.ID).Health.PausedUntil, now.Add(test.want))
		}
	}
}
