package storetest

import (
	"time"

	"github.com/ringback-dev/ringback/webhook"
)

func settleTests() []test {
	return []test{
		{"nothing", testSettleNothing},
		{"delivered", testSettleDelivered},
		{"dead", testSettleDead},
		{"retry", testSettleRetry},
		{"given back", testSettleGivenBack},
		{"attempts", testAttempts},
		{"more attempts than are kept", testAttemptsKept},
		{"several at once", testSettleSeveral},
		{"what is not claimed", testSettleNotClaimed},
		{"by another worker", testSettleByAnother},
		{"callback that is gone", testSettleGone},
		{"state that cannot be", testSettleState},
	}
}

// claimed returns the only delivery of an event to a new callback, claimed.
func (h *harness) claimed() (webhook.Worker, webhook.Callback, webhook.Claimed) {
	h.t.Helper()
	c := h.create("d", "")
	h.deliver(profile("e", "r"))
	w := h.join()
	claimed := h.claim(claimAll(w))
	equal(h, "claimed", len(claimed), 1)
	return w, c, claimed[0]
}

func testSettleNothing(h *harness) {
	h.must(h.trySettle(h.ctx(), h.join(), nil))
}

func testSettleDelivered(h *harness) {
	w, c, claimed := h.claimed()
	before := time.Now().Truncate(time.Millisecond)
	o := outcome(claimed, webhook.DeliveryDelivered)
	o.Reason = "not told of" // only a dead delivery has one
	h.must(h.trySettle(h.ctx(), w, []webhook.Outcome{o}))
	d := h.delivery("e", c)
	equal(h, "state", d.State, webhook.DeliveryDelivered)
	equal(h, "reason", d.Reason, "")
	equal(h, "attempts", d.Attempts, 1)
	if d.Ended.Before(before) || d.Ended.After(time.Now()) {
		h.t.Errorf("ended at %v, it is %v", d.Ended, before)
	}
}

func testSettleDead(h *harness) {
	w, c, claimed := h.claimed()
	o := outcome(claimed, webhook.DeliveryDead)
	o.Reason, o.Attempt = "callback disabled ☎", nil
	h.must(h.trySettle(h.ctx(), w, []webhook.Outcome{o}))
	d := h.delivery("e", c)
	equal(h, "state", d.State, webhook.DeliveryDead)
	equal(h, "reason", d.Reason, o.Reason)
	equal(h, "attempts", d.Attempts, 0)
}

func testSettleRetry(h *harness) {
	w, c, claimed := h.claimed()
	o := outcome(claimed, webhook.DeliveryReady)
	o.Reason = "not told of" // only a dead delivery has one
	h.must(h.trySettle(h.ctx(), w, []webhook.Outcome{o}))
	d := h.delivery("e", c)
	equal(h, "state", d.State, webhook.DeliveryReady)
	equal(h, "due", d.Due, o.Due.UTC().Truncate(time.Millisecond))
	equal(h, "attempts", d.Attempts, 1)
	r := claimAll(w)
	r.Now = o.Due
	h.settle(w, webhook.DeliveryDelivered, h.claim(r)...)
	equal(h, "attempts in the end", h.delivery("e", c).Attempts, 2)
}

func testSettleGivenBack(h *harness) {
	w, c, claimed := h.claimed()
	h.must(h.trySettle(h.ctx(), w, []webhook.Outcome{{
		Sequence: claimed.Sequence, Callback: claimed.Callback, State: webhook.DeliveryReady,
	}}))
	equal(h, "state", h.states(c, "e"), "ready")
	equal(h, "attempts", h.delivery("e", c).Attempts, 0)
	equal(h, "claimed by another", len(h.claim(claimAll(h.join()))), 1)
}

func testAttemptsKept(h *harness) {
	w, c, claimed := h.claimed()
	const made = webhook.MaxAttempts + 3
	for i := range made {
		o := outcome(claimed, webhook.DeliveryReady)
		o.Due = time.Time{}
		o.Attempt.Number = i + 1
		h.must(h.trySettle(h.ctx(), w, []webhook.Outcome{o}))
		h.claim(claimAll(w))
	}
	attempts, err := h.store.Attempts(h.ctx(), claimed.ID)
	h.must(err)
	equal(h, "kept", len(attempts), webhook.MaxAttempts)
	for i, a := range attempts {
		equal(h, "number", a.Number, made-webhook.MaxAttempts+1+i)
	}
	equal(h, "attempts of the delivery", h.delivery("e", c).Attempts, made)
}

func testAttempts(h *harness) {
	w, c, claimed := h.claimed()
	id := claimed.ID
	none, err := h.store.Attempts(h.ctx(), id)
	h.must(err)
	equal(h, "attempts at first", len(none), 0)

	began := time.Date(2026, 11, 23, 10, 33, 0, 123_456_789, time.FixedZone("", 3600))
	want := []webhook.Attempt{
		{Duration: 15 * time.Second, Error: "no answer in time"},
		{Status: 503, Duration: time.Millisecond, Error: "answered 503", Answer: "\x00<busy> ☎ \xff\xfe"},
		{Status: 200, Answer: "ok"},
	}
	for i, a := range want {
		o := outcome(claimed, webhook.DeliveryReady)
		if i == len(want)-1 {
			o = outcome(claimed, webhook.DeliveryDelivered)
		}
		o.Due = time.Time{}
		a.Number = i + 1
		a.Time = began.Add(time.Duration(i) * time.Minute)
		o.Attempt = &a
		h.must(h.trySettle(h.ctx(), w, []webhook.Outcome{o}))
		a.Error = "changed after it was put in"
		want[i].Number = i + 1
		want[i].Time = o.Attempt.Time.UTC().Truncate(time.Millisecond)
		h.claim(claimAll(w))
	}
	for range 2 {
		got, err := h.store.Attempts(h.ctx(), id)
		h.must(err)
		equalList(h, "attempts", got, want)
		got[0].Error = "changed after it was got out"
	}
	equal(h, "attempts counted", h.delivery("e", c).Attempts, len(want))
}

func testSettleSeveral(h *harness) {
	c := h.create("d", "")
	h.deliver(profile("e1", "r"), profile("e2", "s"), profile("e3", "t"), profile("e4", "r"), profile("e5", "s"))
	w := h.join()
	claimed := h.claim(claimAll(w))
	equal(h, "claimed", eventIDs(claimed), "e1 e2 e3")
	h.must(h.trySettle(h.ctx(), w, []webhook.Outcome{
		outcome(claimed[0], webhook.DeliveryDelivered),
		outcome(claimed[1], webhook.DeliveryReady),
		outcome(claimed[2], webhook.DeliveryDead),
	}))
	equal(h, "states", h.states(c, "e1", "e2", "e3", "e4", "e5"), "delivered ready dead ready waiting")
}

func testSettleNotClaimed(h *harness) {
	c := h.create("d", "")
	h.deliver(profile("e1", "r"), profile("e2", "r"))
	w := h.join()
	ready, waiting := webhook.Claimed{Delivery: h.delivery("e1", c)}, webhook.Claimed{Delivery: h.delivery("e2", c)}
	unknown := ready
	unknown.Sequence += 99
	h.settle(w, webhook.DeliveryDelivered, ready, waiting, unknown)
	unknown = ready
	unknown.Callback = "unknown"
	h.settle(w, webhook.DeliveryDead, ready, waiting, unknown)
	equal(h, "states", h.states(c, "e1", "e2"), "ready waiting")
	equal(h, "attempts", h.delivery("e1", c).Attempts, 0)
}

func testSettleByAnother(h *harness) {
	_, c, claimed := h.claimed()
	h.settle(h.join(), webhook.DeliveryDelivered, claimed)
	equal(h, "states", h.states(c, "e"), "claimed")
	equal(h, "attempts", h.delivery("e", c).Attempts, 0)
}

func testSettleGone(h *harness) {
	kept, gone := h.create("d", ""), h.create("d", "")
	h.deliver(profile("e1", "r"), profile("e2", "r"))
	w := h.join()
	claimed := h.claim(claimAll(w))
	equal(h, "claimed", len(claimed), 2)
	h.must(h.store.DeleteCallback(h.ctx(), gone.ID))
	h.settle(w, webhook.DeliveryDelivered, claimed...)
	equal(h, "states", h.states(kept, "e1", "e2"), "delivered ready")
	equal(h, "deliveries left", len(h.deliveries(webhook.DeliveryQuery{})), 2)
}

func testSettleState(h *harness) {
	c := h.create("d", "")
	h.deliver(profile("e1", "r"), profile("e2", "s"))
	w := h.join()
	claimed := h.claim(claimAll(w))
	for _, state := range []webhook.DeliveryState{"", webhook.DeliveryClaimed, webhook.DeliveryWaiting, "done"} {
		h.wantErr("settle as "+string(state), h.trySettle(h.ctx(), w, []webhook.Outcome{
			outcome(claimed[0], webhook.DeliveryDelivered), outcome(claimed[1], state),
		}), webhook.ErrInvalid)
	}
	equal(h, "states", h.states(c, "e1", "e2"), "claimed claimed")
}
