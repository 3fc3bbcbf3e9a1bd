package storetest

import (
	"slices"
	"strings"

	"github.com/ringback-dev/ringback/webhook"
)

// appendClaimTests check what a store does that claims what it appends; for others they
// have nothing to check.
func appendClaimTests(store webhook.Store) []test {
	if _, ok := store.(webhook.AppendClaimer); !ok {
		return nil
	}
	return slices.Concat([]test{
		{"gives everything", testAppendClaimGives},
		{"callback as it is now", testAppendClaimCallbackNow},
		{"order", testAppendClaimOrder},
		{"behind an open one", testAppendClaimBehind},
		{"several targets", testAppendClaimTargets},
		{"without targets", testAppendClaimNothing},
		{"callback that is gone", testAppendClaimGone},
		{"born dead", testAppendClaimDead},
		{"failures", testAppendClaimFailures},
	}, appendClaimEventTests(), appendClaimLimitTests())
}

// expanded returns prepared events that fan out to callbacks.
func (h *harness) expanded(callbacks []webhook.Callback, events ...webhook.Event) []webhook.ExpandedEvent {
	h.t.Helper()
	var expanded []webhook.ExpandedEvent
	for _, e := range events {
		expanded = append(expanded, Expanded(h.t, e, func(e webhook.Event) webhook.Expansion {
			return expand(e, callbacks...)
		}))
	}
	return expanded
}

// expandedTo returns a prepared event and what it fans out to, given its sequence.
func (h *harness) expandedTo(e webhook.Event, x webhook.Expansion) webhook.ExpandedEvent {
	h.t.Helper()
	return Expanded(h.t, e, func(e webhook.Event) webhook.Expansion {
		x.Sequence = e.Sequence
		return x
	})
}

// appendAndClaim appends events, as of the registry's revision, and claims.
func (h *harness) appendAndClaim(r webhook.ClaimRequest, events ...webhook.ExpandedEvent) []webhook.Claimed {
	h.t.Helper()
	claimed, pending, err := h.store.(webhook.AppendClaimer).AppendAndClaim(h.ctx(), events, h.revision(), r)
	h.must(err)
	equal(h, "left pending", pending, false)
	equal(h, "pending", len(h.pending()), 0)
	return claimed
}

// appendPending appends events that are to be left pending.
func (h *harness) appendPending(revision int64, r webhook.ClaimRequest, events ...webhook.ExpandedEvent) {
	h.t.Helper()
	claimed, pending, err := h.store.(webhook.AppendClaimer).AppendAndClaim(h.ctx(), events, revision, r)
	h.must(err)
	equal(h, "left pending", pending, true)
	equal(h, "claimed", len(claimed), 0)
}

func testAppendClaimGives(h *harness) {
	c := h.create("", "c")
	e := subprofile("e", "d", "c", "r")
	e.Action = webhook.ActionCreate
	claimed := h.appendAndClaim(claimAll(h.join()), h.expandedTo(e, webhook.Expansion{
		Messages: webhook.Messages{JSON: []byte("e"), XML: []byte("<e/>")},
		Targets:  []webhook.Target{{Callback: c.ID, Method: webhook.MethodXML, Encoding: webhook.EncodingForm}},
	}))
	equal(h, "claimed", len(claimed), 1)
	got := h.delivery("e", c)
	equal(h, "delivery as others see it", got, webhook.Delivery{
		ID: webhook.DeliveryID("e", c.ID), EventID: "e", Sequence: got.Sequence, Callback: c.ID,
		Database: "d", Collection: "c", Record: "r", Action: webhook.ActionCreate,
		Method: webhook.MethodXML, Encoding: webhook.EncodingForm,
		State: webhook.DeliveryClaimed, Created: got.Created,
	})
	equal(h, "delivery", claimed[0].Delivery, got)
	equal(h, "callback", *claimed[0].To, c)
	equal(h, "message", string(claimed[0].Message), "<e/>")
	equal(h, "claimed of a profile", h.purge("d", "", "parent"), 1) // it is known whose subprofile it is
}

func testAppendClaimCallbackNow(h *harness) {
	c := h.create("d", "")
	w := h.join()
	claimed := h.appendAndClaim(claimAll(w), h.expanded([]webhook.Callback{c}, profile("e1", "r1"))...)
	h.settle(w, webhook.DeliveryReady, claimed...)
	c = h.update(c.ID, func(c *webhook.Callback) { c.Expression = "true" })
	claimed = h.appendAndClaim(claimAll(w), h.expanded([]webhook.Callback{c}, profile("e2", "r2"))...)
	equal(h, "callback, with its failures", *claimed[0].To, c)
	equal(h, "failures", claimed[0].To.Health.Failures, 1)
}

func testAppendClaimOrder(h *harness) {
	c := h.create("d", "")
	w := h.join()
	claimed := h.appendAndClaim(claimAll(w), h.expanded([]webhook.Callback{c},
		profile("e1", "r"), profile("e2", "r"), profile("e3", "s"), profile("e4", "r"))...)
	equal(h, "claimed", eventIDs(claimed), "e1 e3")
	equal(h, "states", h.states(c, "e1", "e2", "e3", "e4"), "claimed waiting claimed waiting")
	watch := h.watch()
	for _, want := range []string{"e2", "e4"} {
		h.settle(w, webhook.DeliveryDelivered, claimed...)
		watch.until("the end of the one before", func() bool {
			claimed = h.claim(claimAll(w))
			return len(claimed) > 0
		})
		equal(h, "claimed", eventIDs(claimed), want)
	}
}

func testAppendClaimBehind(h *harness) {
	c, other := h.create("d", ""), h.create("d", "")
	all := []webhook.Callback{c, other}
	w := h.join()
	claimed := h.appendAndClaim(claimAll(w), h.expanded(all, profile("e1", "r"))...)
	equal(h, "claimed", len(claimed), 2)
	for _, delivery := range claimed {
		if delivery.Callback == other.ID {
			h.settle(w, webhook.DeliveryDelivered, delivery)
		}
	}
	claimed = h.appendAndClaim(claimAll(w), h.expanded(all, profile("e2", "r"), profile("e3", "s"))...)
	equal(h, "states behind an open one", h.states(c, "e1", "e2", "e3"), "claimed waiting claimed")
	equal(h, "states behind one that has ended", h.states(other, "e1", "e2", "e3"), "delivered claimed claimed")
	equal(h, "claimed", len(claimed), 3)
}

func testAppendClaimTargets(h *harness) {
	first, second, third := h.create("d", ""), h.create("d", ""), h.create("d", "")
	x := expand(profile("e", "r"), third, first, second, first)
	x.Messages.XML = []byte("<e/>")
	x.Targets[1].Method = webhook.MethodXML
	claimed := h.appendAndClaim(claimAll(h.join()), h.expandedTo(profile("e", "r"), x))
	messages := make(map[string]string)
	for _, c := range claimed {
		equal(h, "delivery", c.Delivery, h.delivery("e", *c.To))
		messages[c.Callback] = string(c.Message)
	}
	equal(h, "claimed", len(claimed), 3)
	for id, want := range map[string]string{first.ID: "<e/>", second.ID: "e", third.ID: "e"} {
		equal(h, "message", messages[id], want)
	}
	var listed []string
	for _, d := range h.deliveries(webhook.DeliveryQuery{}) {
		listed = append(listed, d.Callback)
	}
	slices.Sort(listed)
	equal(h, "deliveries", strings.Join(listed, " "), strings.Join([]string{first.ID, second.ID, third.ID}, " "))
}

func testAppendClaimNothing(h *harness) {
	w := h.join()
	equal(h, "claimed of no event", len(h.appendAndClaim(claimAll(w))), 0)
	claimed := h.appendAndClaim(claimAll(w), h.expandedTo(profile("e1", "r"), webhook.Expansion{}))
	equal(h, "claimed", len(claimed), 0)
	h.create("d", "")
	h.deliver(profile("e1", "r"))
	equal(h, "deliveries of what is known", len(h.deliveries(webhook.DeliveryQuery{})), 0)
}

func testAppendClaimGone(h *harness) {
	c := h.create("d", "")
	x := expand(profile("e", "r"), c)
	for _, id := range h.absentIDs() {
		x.Targets = append([]webhook.Target{{
			Callback: id, Method: webhook.MethodJSON, Encoding: webhook.EncodingBody,
		}}, x.Targets...)
	}
	claimed := h.appendAndClaim(claimAll(h.join()), h.expandedTo(profile("e", "r"), x))
	equal(h, "claimed", len(claimed), 1)
	equal(h, "deliveries", len(h.deliveries(webhook.DeliveryQuery{})), 1)
}

func testAppendClaimDead(h *harness) {
	c := h.create("d", "")
	dead := expand(profile("e1", "r"), c)
	dead.Targets[0].Dead = "could not be made"
	dead.Messages = webhook.Messages{}
	w := h.join()
	events := append([]webhook.ExpandedEvent{h.expandedTo(profile("e1", "r"), dead)},
		h.expanded([]webhook.Callback{c}, profile("e2", "r"), profile("e3", "r"))...)
	claimed := h.appendAndClaim(claimAll(w), events...)
	equal(h, "claimed", eventIDs(claimed), "e2")
	equal(h, "states", h.states(c, "e1", "e2", "e3"), "dead claimed waiting")
	d := h.delivery("e1", c)
	equal(h, "reason", d.Reason, "could not be made")
	equal(h, "ended", d.Ended, d.Created)
	_, err := h.store.Replay(h.ctx(), d.ID)
	h.wantErr("replay without a message", err, webhook.ErrInvalid)
}

func testAppendClaimFailures(h *harness) {
	c, other := h.create("d", ""), h.create("d", "")
	x := expand(profile("e1", "r"), other)
	x.Failures = []webhook.ExpressionFailure{
		{Callback: c.ID, Version: c.Version, Message: "failed"},
		{Callback: other.ID, Version: other.Version + 1, Message: "of another version"},
		{Callback: h.absentIDs()[0], Version: 1, Message: "gone"},
	}
	w := h.join()
	equal(h, "claimed", eventIDs(h.appendAndClaim(claimAll(w), h.expandedTo(profile("e1", "r"), x))), "e1")
	equal(h, "claimed again", len(h.appendAndClaim(claimAll(w), h.expandedTo(profile("e1", "r"), x))), 0)
	got := h.callback(c.ID)
	equal(h, "failures", got.ExpressionFailures, 1)
	equal(h, "last failure", got.ExpressionError, webhook.ExpressionError{
		Message: "failed", Event: "e1", Time: got.ExpressionError.Time,
	})
	h.checkTime(got.ExpressionError.Time)
	equal(h, "the other callback", h.callback(other.ID), other)
}
