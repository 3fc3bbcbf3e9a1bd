package storetest

import (
	"time"

	"github.com/ringback-dev/ringback/webhook"
)

func failureTests() []test {
	return []test{
		{"counted and kept", testFailures},
		{"once per event", testFailuresOnce},
		{"callback that is gone", testFailureGone},
		{"new expression", testFailuresReset},
		{"of another version", testFailureVersion},
	}
}

// fail fans an event out to nobody: the callback's condition failed on it.
func (h *harness) fail(e webhook.Event, c webhook.Callback, message string) {
	h.must(h.store.FanOut(h.ctx(), []webhook.Expansion{{
		Sequence: e.Sequence,
		Failures: []webhook.ExpressionFailure{{Callback: c.ID, Version: c.Version, Message: message}},
	}}))
}

func testFailures(h *harness) {
	c, other := h.create("d", ""), h.create("d", "")
	h.dispatch(profile("e1", "r"), profile("e2", "r"))
	pending, err := h.store.Pending(h.ctx(), webhook.PendingRequest{Limit: 10, LimitBytes: 1 << 20})
	h.must(err)
	before := time.Now().Truncate(time.Millisecond)
	h.fail(pending.Events[0], c, "first")
	h.fail(pending.Events[1], c, "line 1, column 2: '\u2028€𝄞")
	got := h.callback(c.ID)
	if at := got.ExpressionError.Time; at.Before(before) || at.After(time.Now()) {
		h.t.Errorf("failed at %v, it is %v", at, before)
	}
	want := c
	want.ExpressionFailures = 2
	want.ExpressionError = webhook.ExpressionError{
		Message: "line 1, column 2: '\u2028€𝄞", Event: "e2", Time: got.ExpressionError.Time,
	}
	equal(h, "callback", got, want)
	equal(h, "another callback", h.callback(other.ID), other)
	after, err := h.store.Pending(h.ctx(), webhook.PendingRequest{Limit: 10, LimitBytes: 1 << 20})
	h.must(err)
	equal(h, "revision", after.Revision, pending.Revision)
}

func testFailuresOnce(h *harness) {
	c := h.create("d", "")
	h.dispatch(profile("e", "r"))
	e := h.pending()[0]
	h.fail(e, c, "failed")
	h.fail(e, c, "failed again")
	got := h.callback(c.ID)
	equal(h, "failures", got.ExpressionFailures, 1)
	equal(h, "message", got.ExpressionError.Message, "failed")
}

func testFailureGone(h *harness) {
	c := h.create("d", "")
	h.dispatch(profile("e", "r"))
	h.must(h.store.DeleteCallback(h.ctx(), c.ID))
	h.fail(h.pending()[0], c, "failed")
	equal(h, "pending", len(h.pending()), 0)
}

func testFailuresReset(h *harness) {
	c := h.create("d", "")
	h.dispatch(profile("e", "r"))
	h.fail(h.pending()[0], c, "failed")
	c.URL = "https://example.com/other"
	c, err := h.store.UpdateCallback(h.ctx(), c)
	h.must(err)
	equal(h, "failures with the old expression", c.ExpressionFailures, 1)
	c.Expression = "age > 17"
	c, err = h.store.UpdateCallback(h.ctx(), c)
	h.must(err)
	equal(h, "failures with a new expression", c.ExpressionFailures, 0)
	equal(h, "error with a new expression", c.ExpressionError, webhook.ExpressionError{})
}

// testFailureVersion is the condition that was changed while an engine tried it.
func testFailureVersion(h *harness) {
	older, other := h.create("d", ""), h.create("d", "")
	changed := older
	changed.Expression = "age > 17"
	changed, err := h.store.UpdateCallback(h.ctx(), changed)
	h.must(err)
	unknown := changed
	unknown.Version++
	h.dispatch(profile("e1", "r"), profile("e2", "r"), profile("e3", "r"))
	for i, e := range h.pending() {
		c := []webhook.Callback{older, unknown, {ID: changed.ID}}[i]
		h.must(h.store.FanOut(h.ctx(), []webhook.Expansion{{
			Sequence: e.Sequence,
			Messages: expand(e, other).Messages,
			Targets:  expand(e, other).Targets,
			Failures: []webhook.ExpressionFailure{
				{Callback: c.ID, Version: c.Version, Message: "failed"},
				{Callback: other.ID, Version: other.Version, Message: e.ID},
			},
		}}))
	}
	equal(h, "callback", h.callback(changed.ID), changed)
	got := h.callback(other.ID) // what is passed over takes nothing else with it
	equal(h, "failures of the other", got.ExpressionFailures, 3)
	equal(h, "last failure of the other", got.ExpressionError.Message, "e3")
	equal(h, "states", h.states(other, "e1", "e2", "e3"), "ready waiting waiting")

	h.dispatch(profile("e4", "r"))
	h.fail(h.pending()[0], changed, "failed")
	equal(h, "failures of the version stored", h.callback(changed.ID).ExpressionFailures, 1)
}
