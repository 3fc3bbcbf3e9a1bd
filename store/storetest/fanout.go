package storetest

import (
	"slices"
	"sync"
	"time"

	"github.com/ringback-dev/ringback/webhook"
)

func fanOutTests() []test {
	return []test{
		{"writes deliveries", func(h *harness) { testFanOut(h, false) }},
		{"writes deliveries, given the event", func(h *harness) { testFanOut(h, true) }},
		{"without targets", testFanOutNothing},
		{"once", testFanOutOnce},
		{"once by two", testFanOutOnceByTwo},
		{"repeated", testFanOutRepeated},
		{"repeated out of order", testFanOutRepeatedOrder},
		{"repeated and kept", testFanOutRepeatedKept},
		{"repeated and purged", testFanOutRepeatedPurged},
		{"in part", testFanOutPart},
		{"unknown event", testFanOutUnknown},
		{"callback that is gone", testFanOutGone},
		{"formats", testFormats},
		{"born dead", testBornDead},
		{"messages copied in", testMessagesCopied},
	}
}

func testFanOut(h *harness, given bool) {
	c := h.create("d", "c")
	h.dispatch(subprofile("e_1", "d", "c", "r"))
	before := time.Now().Truncate(time.Millisecond)
	e := h.pending()[0]
	x := expand(e, c)
	if x.Event = nil; given {
		x.Event = &e
	}
	x.Targets[0].Encoding = webhook.EncodingForm
	h.must(h.store.FanOut(h.ctx(), []webhook.Expansion{x}))
	equal(h, "pending", len(h.pending()), 0)
	d := h.delivery("e_1", c)
	if d.Created.Before(before) || d.Created.After(time.Now()) {
		h.t.Errorf("created at %v, it is %v", d.Created, before)
	}
	want := webhook.Delivery{
		ID: webhook.DeliveryID("e_1", c.ID), EventID: "e_1", Sequence: e.Sequence, Callback: c.ID,
		Database: "d", Collection: "c", Record: "r", Action: webhook.ActionUpdate,
		Method: webhook.MethodJSON, Encoding: webhook.EncodingForm,
		State: webhook.DeliveryReady, Created: d.Created,
	}
	equal(h, "delivery", d, want)
	purged, err := h.store.Purge(h.ctx(), webhook.Scope{Database: "d"}, "parent")
	h.must(err)
	equal(h, "events purged with the profile that it is a part of", purged, 1)
}

func testFanOutNothing(h *harness) {
	h.must(h.store.FanOut(h.ctx(), nil))
	h.dispatch(profile("e1", "r"), profile("e2", "r"))
	h.must(h.store.FanOut(h.ctx(), []webhook.Expansion{{Sequence: h.pending()[0].Sequence}}))
	equalList(h, "pending", h.pendingIDs(), []string{"e2"})
	equal(h, "deliveries", len(h.deliveries(webhook.DeliveryQuery{})), 0)
}

func testFanOutOnce(h *harness) {
	first, second := h.create("d", ""), h.create("d", "")
	h.dispatch(profile("e", "r"))
	e := h.pending()[0]
	h.must(h.store.FanOut(h.ctx(), []webhook.Expansion{expand(e, first, first), expand(e, second)}))
	h.must(h.store.FanOut(h.ctx(), []webhook.Expansion{expand(e, first, second)}))
	equal(h, "deliveries", len(h.deliveries(webhook.DeliveryQuery{})), 1)
	w := h.join()
	h.settle(w, webhook.DeliveryDelivered, h.claim(claimAll(w))...)
	h.must(h.store.FanOut(h.ctx(), []webhook.Expansion{expand(e, first, second)}))
	equal(h, "deliveries", len(h.deliveries(webhook.DeliveryQuery{})), 1)
	equal(h, "state", h.states(first, "e"), "delivered")

	h.dispatch(profile("e1", "r1"), profile("e2", "r2"), profile("e3", "r3"))
	p := h.pending()
	h.must(h.store.FanOut(h.ctx(), []webhook.Expansion{expand(p[1], first), expand(p[0], first), expand(p[1], second)}))
	equal(h, "deliveries of one that comes again behind an earlier one", len(h.deliveries(webhook.DeliveryQuery{Callback: second.ID})), 0)
	equal(h, "states", h.states(first, "e1", "e2"), "ready ready")
	equalList(h, "pending", h.pendingIDs(), []string{"e3"})
}

func testFanOutOnceByTwo(h *harness) {
	callbacks := []webhook.Callback{h.create("d", ""), h.create("d", "")}
	var events []webhook.Event
	for i, id := range numbered("e", 30) {
		events = append(events, profile(id, numbered("r", 30)[i%3]))
	}
	h.dispatch(events...)
	pending := h.pending()
	var group sync.WaitGroup
	for _, c := range callbacks {
		group.Go(func() {
			for batch := range slices.Chunk(pending, 4) {
				var expansions []webhook.Expansion
				for _, e := range batch {
					expansions = append(expansions, expand(e, c))
				}
				if err := h.store.FanOut(h.ctx(), expansions); err != nil {
					h.t.Error(err)
				}
			}
		})
	}
	group.Wait()
	seen := make(map[string]bool)
	for _, d := range h.deliveries(webhook.DeliveryQuery{}) {
		if seen[d.EventID] {
			h.t.Errorf("event %s was fanned out by both", d.EventID)
		}
		seen[d.EventID] = true
	}
	equal(h, "events fanned out", len(seen), len(events))
}

// again returns an event that repeats one, about another record.
func again(id string) webhook.Event {
	e := profile(id, "other")
	e.Action = webhook.ActionDelete
	return e
}

// testFanOutRepeated fans out events of which some repeat others, of the same call and of one
// before: nothing comes of them.
func testFanOutRepeated(h *harness) {
	c := h.create("d", "")
	fan := func() {
		var expansions []webhook.Expansion
		for _, e := range h.pending() {
			x := expand(e, c)
			x.Failures = []webhook.ExpressionFailure{{Callback: c.ID, Version: c.Version, Message: e.Profile.ID}}
			expansions = append(expansions, x)
		}
		h.must(h.store.FanOut(h.ctx(), expansions))
		equal(h, "pending", len(h.pending()), 0)
	}
	h.dispatch(profile("e1", "r"), again("e1"), profile("e2", "s"))
	h.dispatch(again("e2"), again("e1"))
	fan()
	h.dispatch(again("e1"), profile("e3", "r"), again("e3"))
	fan()
	equal(h, "states", h.states(c, "e1", "e2", "e3"), "ready ready waiting")
	equal(h, "deliveries", len(h.deliveries(webhook.DeliveryQuery{})), 3)
	got := h.callback(c.ID)
	equal(h, "failures", got.ExpressionFailures, 3)
	equal(h, "last failure", got.ExpressionError.Event+" "+got.ExpressionError.Message, "e3 r")
}

func testFanOutRepeatedOrder(h *harness) {
	c := h.create("d", "")
	h.dispatch(profile("e1", "r"), again("e1"), profile("e2", "s"))
	var expansions []webhook.Expansion
	for _, e := range slices.Backward(h.pending()) {
		expansions = append(expansions, expand(e, c))
	}
	h.must(h.store.FanOut(h.ctx(), expansions))
	equal(h, "record of the first", h.delivery("e1", c).Record, "r")
	equal(h, "deliveries", len(h.deliveries(webhook.DeliveryQuery{})), 2)
}

// testFanOutRepeatedKept prunes an event while it may be that another is pending which repeats
// it.
func testFanOutRepeatedKept(h *harness) {
	c := h.create("d", "")
	h.deliver(profile("e", "r"))
	w := h.join()
	h.settle(w, webhook.DeliveryDelivered, h.claim(claimAll(w))...)
	h.dispatch(again("e"))
	h.pruneAll()
	h.fanOut()
	equal(h, "deliveries", len(h.deliveries(webhook.DeliveryQuery{Callback: c.ID})), 0)
}

// testFanOutRepeatedPurged purges an event that is pending, or is fanned out, and is repeated.
func testFanOutRepeatedPurged(h *harness) {
	h.create("d", "")
	for _, fan := range []func(){func() {}, h.fanOut} {
		h.dispatch(profile("e", "r"), profile("kept", "s"))
		fan()
		h.dispatch(again("e"))
		equal(h, "removed about the other record", h.purge("d", "", "other"), 0)
		h.dispatch(again("e"))
		equal(h, "removed", h.purge("d", "", "r"), 1)
		h.fanOut()
		equal(h, "deliveries", len(h.deliveries(webhook.DeliveryQuery{})), 1)
		equal(h, "removed of the others", h.purge("d", "", "s"), 1)
	}
}

func testFanOutPart(h *harness) {
	c := h.create("d", "")
	h.dispatch(profile("e1", "r"), profile("e2", "s"), profile("e3", "r"))
	h.must(h.store.FanOut(h.ctx(), []webhook.Expansion{expand(h.pending()[1], c)}))
	equalList(h, "pending", h.pendingIDs(), []string{"e1", "e3"})
	h.fanOut()
	equal(h, "states", h.states(c, "e1", "e2", "e3"), "ready ready waiting")
}

func testFanOutUnknown(h *harness) {
	c := h.create("d", "")
	h.dispatch(profile("e", "r"))
	e := h.pending()[0]
	var expansions []webhook.Expansion
	for _, sequence := range []int64{e.Sequence, 0, -1, e.Sequence + 1} {
		x := expand(e, c)
		x.Sequence = sequence
		expansions = append(expansions, x)
	}
	h.must(h.store.FanOut(h.ctx(), expansions))
	equal(h, "deliveries", len(h.deliveries(webhook.DeliveryQuery{})), 1)
}

func testFanOutGone(h *harness) {
	c := h.create("d", "")
	h.dispatch(profile("e", "r"))
	x := expand(h.pending()[0], c)
	for _, id := range h.absentIDs() {
		x.Targets = append(x.Targets, webhook.Target{
			Callback: id, Method: webhook.MethodJSON, Encoding: webhook.EncodingBody,
		})
	}
	h.must(h.store.FanOut(h.ctx(), []webhook.Expansion{x}))
	deliveries := h.deliveries(webhook.DeliveryQuery{})
	equal(h, "deliveries", len(deliveries), 1)
	equal(h, "delivery", deliveries[0].Callback, c.ID)
}

func testFormats(h *harness) {
	inJSON, inXML := h.create("d", ""), h.create("d", "")
	h.dispatch(profile("e", "r"))
	x := expand(h.pending()[0], inJSON, inXML)
	x.Messages = webhook.Messages{JSON: []byte("{\"json\":\"\x00☎\"}"), XML: []byte{}}
	x.Targets[1].Method, x.Targets[1].Encoding = webhook.MethodXML, webhook.EncodingForm
	h.must(h.store.FanOut(h.ctx(), []webhook.Expansion{x}))
	claimed := h.claim(claimAll(h.join()))
	equal(h, "claimed", len(claimed), 2)
	for _, c := range claimed {
		if c.Callback == inJSON.ID {
			equal(h, "method", c.Method, webhook.MethodJSON)
			equal(h, "encoding", c.Encoding, webhook.EncodingBody)
		} else {
			equal(h, "method", c.Method, webhook.MethodXML)
			equal(h, "encoding", c.Encoding, webhook.EncodingForm)
		}
		equal(h, "message", string(c.Message), string(x.Messages.In(c.Method)))
	}
}

func testBornDead(h *harness) {
	c := h.create("d", "")
	h.dispatch(profile("e1", "r"), profile("e2", "r"), profile("e3", "r"))
	pending := h.pending()
	var expansions []webhook.Expansion
	for _, e := range pending {
		expansions = append(expansions, expand(e, c))
	}
	// Neither the first nor one in the middle holds the others up.
	expansions[0].Targets[0].Dead = "could not be made"
	expansions[0].Messages = webhook.Messages{}
	h.must(h.store.FanOut(h.ctx(), expansions))
	equal(h, "states", h.states(c, "e1", "e2", "e3"), "dead ready waiting")
	d := h.delivery("e1", c)
	equal(h, "reason", d.Reason, "could not be made")
	equal(h, "ended", d.Ended, d.Created)
	equal(h, "attempts", d.Attempts, 0)
	equal(h, "claimed", eventIDs(h.claim(claimAll(h.join()))), "e2")
}

func testMessagesCopied(h *harness) {
	c := h.create("d", "")
	h.dispatch(profile("e", "r"))
	x := expand(h.pending()[0], c)
	h.must(h.store.FanOut(h.ctx(), []webhook.Expansion{x}))
	x.Messages.JSON[0] = 'X'
	equal(h, "message", string(h.claim(claimAll(h.join()))[0].Message), "e")
}
