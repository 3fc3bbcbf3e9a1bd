package storetest

import (
	"context"
	"sync"

	"github.com/ringback-dev/ringback/webhook"
)

// appendClaimEventTests check which events are appended, and how they are kept.
func appendClaimEventTests() []test {
	return []test{
		{"sequences", testAppendClaimSequences},
		{"known ID", testAppendClaimKnown},
		{"another revision", testAppendClaimRevision},
		{"something pending", testAppendClaimPending},
		{"messages copied in", testAppendClaimCopied},
		{"ended context", testAppendClaimContext},
		{"concurrent", testAppendClaimConcurrent},
	}
}

func testAppendClaimSequences(h *harness) {
	c := h.create("d", "")
	w := h.join()
	var given []int64
	events := func(ids ...string) (events []webhook.ExpandedEvent) {
		for _, id := range ids {
			events = append(events, Expanded(h.t, profile(id, id), func(e webhook.Event) webhook.Expansion {
				given = append(given, e.Sequence)
				return expand(e, c)
			}))
		}
		return events
	}
	h.deliver(profile("e0", "e0"))
	h.appendAndClaim(claimAll(w), events("e1", "e2")...)
	h.deliver(profile("e3", "e3"))
	h.appendAndClaim(claimAll(w), events("e4")...)
	h.dispatch(profile("e5", "e5"))
	var sequences []int64
	for _, id := range numbered("e", 5) {
		sequences = append(sequences, h.delivery(id, c).Sequence)
	}
	sequences = append(sequences, h.pending()[0].Sequence)
	for i := 1; i < len(sequences); i++ {
		if sequences[i] <= sequences[i-1] {
			h.t.Fatalf("sequences of the events, in their order, are %v", sequences)
		}
	}
	equalList(h, "sequences given", given, []int64{sequences[1], sequences[2], sequences[4]})
	h.fanOut()
}

func testAppendClaimKnown(h *harness) {
	c := h.create("d", "")
	all := []webhook.Callback{c}
	w := h.join()
	h.deliver(profile("e1", "r"))
	claimed := h.appendAndClaim(claimAll(w), h.expanded(all,
		profile("e1", "other"), profile("e2", "s"), profile("e2", "other"), profile("e3", "t"))...)
	equal(h, "claimed", eventIDs(claimed), "e2 e3")
	equal(h, "the record of the first", claimed[0].Record, "s")
	equal(h, "claimed again", len(h.appendAndClaim(claimAll(w), h.expanded(all, profile("e2", "s"))...)), 0)
	h.deliver(profile("e3", "t"))
	equal(h, "pending", len(h.pending()), 0)
	equal(h, "deliveries", len(h.deliveries(webhook.DeliveryQuery{})), 3)
	h.settle(w, webhook.DeliveryDelivered, claimed...)
	equal(h, "claimed after the end", len(h.appendAndClaim(claimAll(w), h.expanded(all, profile("e2", "s"))...)), 0)
	equal(h, "states", h.states(c, "e1", "e2", "e3"), "ready delivered delivered")
}

func testAppendClaimRevision(h *harness) {
	c := h.create("d", "")
	revision := h.revision()
	h.update(c.ID, func(c *webhook.Callback) { c.Expression = "true" })
	w := h.join()
	events := h.expanded([]webhook.Callback{c}, profile("e1", "r"), profile("e2", "s"), profile("e1", "t"))
	watch := h.watch()
	h.appendPending(revision, claimAll(w), events...)
	watch.until("what is pending", func() bool { return len(h.pendingIDs()) == 2 })
	equalList(h, "pending", h.pendingIDs(), []string{"e1", "e2"})
	for i, e := range h.pending() {
		e.Sequence = 0
		equal(h, "event that is pending", string(webhook.EncodeEvent(&e)), string(events[i].Encode()))
	}
	equal(h, "deliveries", len(h.deliveries(webhook.DeliveryQuery{})), 0)
	h.fanOut()
	equal(h, "claimed after the fan-out", eventIDs(h.claim(claimAll(w))), "e1 e2")
	h.appendPending(h.revision()+1, claimAll(w), h.expanded(nil, profile("e3", "r"))...)
	equalList(h, "pending", h.pendingIDs(), []string{"e3"})
}

func testAppendClaimPending(h *harness) {
	c := h.create("d", "")
	all := []webhook.Callback{c}
	w := h.join()
	h.dispatch(profile("e1", "r"), profile("e2", "s"))
	h.appendPending(h.revision(), claimAll(w), h.expanded(all, profile("e3", "r"), profile("e1", "r"))...)
	equalList(h, "pending", h.pendingIDs(), []string{"e1", "e2", "e3"})
	h.must(h.store.FanOut(h.ctx(), []webhook.Expansion{expand(h.pending()[0], c), expand(h.pending()[2], c)}))
	h.appendPending(h.revision(), claimAll(w), h.expanded(all, profile("e4", "s"))...)
	h.fanOut()
	equal(h, "states", h.states(c, "e1", "e2", "e3", "e4"), "ready ready waiting waiting")
	claimed := h.appendAndClaim(claimAll(w), h.expanded(all, profile("e5", "t"))...)
	equal(h, "claimed when nothing is pending any more", eventIDs(claimed), "e5")
}

// testAppendClaimCopied changes what was given, which is the caller's again.
func testAppendClaimCopied(h *harness) {
	c := h.create("d", "")
	w := h.join()
	x := expand(profile("e1", "r"), c)
	message := x.Messages.JSON
	claimed := h.appendAndClaim(claimAll(w), h.expandedTo(profile("e1", "r"), x))
	message[0] = 'X'
	x.Targets[0].Callback = "changed"
	h.settle(w, webhook.DeliveryDelivered, claimed...)
	h.replay("e1", c)
	equal(h, "message", string(h.claim(claimAll(w))[0].Message), "e1")

	e := profile("e2", "s")
	made := h.expanded(nil, e)[0]
	want := string(made.Encode())
	h.appendPending(h.revision()+1, claimAll(w), made)
	e.Profile.Fields["name"] = "changed"
	clear(made.Encode())
	stored := h.pending()[0]
	equal(h, "event that is pending", string(webhook.EncodeEvent(&stored)), want)
}

func testAppendClaimContext(h *harness) {
	c := h.create("d", "")
	w := h.join()
	beats := h.beats()[w]
	ctx, cancel := context.WithCancel(h.ctx())
	cancel()
	for _, revision := range []int64{h.revision(), h.revision() + 1} {
		claimed, _, err := h.store.(webhook.AppendClaimer).AppendAndClaim(
			ctx, h.expanded([]webhook.Callback{c}, profile("e", "r")), revision, claimAll(w))
		h.wantErr("append and claim", err, context.Canceled)
		equal(h, "claimed", len(claimed), 0)
	}
	h.checkUnwritten(w, beats)
}

// checkUnwritten checks that no event "e" was appended and nothing claimed.
func (h *harness) checkUnwritten(w webhook.Worker, beats int64) {
	h.t.Helper()
	equal(h, "pending", len(h.pending()), 0)
	equal(h, "deliveries", len(h.deliveries(webhook.DeliveryQuery{})), 0)
	equal(h, "counter", h.beats()[w], beats)
	h.dispatch(profile("e", "r"))
	equalList(h, "pending", h.pendingIDs(), []string{"e"})
}

// testAppendClaimConcurrent appends in both ways at once: each event is there once, those
// about one record are in their order, and each delivery is in one hand.
func testAppendClaimConcurrent(h *harness) {
	c := h.create("d", "")
	revision := h.revision()
	const events = 15
	var mu sync.Mutex
	hands := make(map[string]int)
	var group sync.WaitGroup
	for i, record := range numbered("r", 4) {
		w := h.join()
		group.Go(func() {
			for _, id := range numbered(record+"e", events) {
				if i == 0 {
					if err := h.store.Dispatch(h.ctx(), profile(id, record)); err != nil {
						h.t.Error(err)
					}
					continue
				}
				for range 2 { // the second time as a caller would who got no answer
					claimed, _, err := h.store.(webhook.AppendClaimer).AppendAndClaim(
						h.ctx(), h.expanded([]webhook.Callback{c}, profile(id, record)), revision, claimAll(w))
					if err != nil {
						h.t.Error(err)
					}
					mu.Lock()
					for _, c := range claimed {
						hands[c.ID]++
					}
					mu.Unlock()
				}
			}
		})
		group.Go(func() {
			pending, err := h.store.Pending(h.ctx(), webhook.PendingRequest{Limit: 100, LimitBytes: 1 << 20})
			if err != nil {
				h.t.Error(err)
			}
			var expansions []webhook.Expansion
			for _, e := range pending.Events {
				expansions = append(expansions, expand(e, c))
			}
			if err := h.store.FanOut(h.ctx(), expansions); err != nil {
				h.t.Error(err)
			}
		})
	}
	group.Wait()
	h.fanOut()
	for id, n := range hands {
		equal(h, "times that "+id+" was claimed", n, 1)
	}
	last := make(map[string]int64)
	for record, ids := range map[string][]string{
		"r0": numbered("r0e", events), "r1": numbered("r1e", events),
		"r2": numbered("r2e", events), "r3": numbered("r3e", events),
	} {
		for _, id := range ids {
			d := h.delivery(id, c)
			if d.Sequence <= last[record] {
				h.t.Errorf("event %s is out of order", id)
			}
			last[record] = d.Sequence
		}
	}
	equal(h, "deliveries", len(h.deliveries(webhook.DeliveryQuery{})), 4*events)
}
