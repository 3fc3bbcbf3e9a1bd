package storetest

import (
	"strings"

	"github.com/ringback-dev/ringback/webhook"
)

func replaysEndTests() []test {
	return []test{
		{"what is passed over", testReplaysPassOver},
		{"later events", testReplaysLater},
		{"disabled", testReplaysDisabled},
		{"deleted", testReplaysDeleted},
		{"beside first deliveries", testReplaysBeside},
	}
}

func testReplaysPassOver(h *harness) {
	c := h.create("d", "")
	w := h.join()
	h.endedEvents(w, numbered("e", 6)...)
	h.bornDead("silent", "r", c, webhook.MethodXML)
	h.startReplay(webhook.ReplayRequest{Callback: c.ID})
	_, err := h.store.Purge(h.ctx(), webhook.Scope{Database: "d"}, "e0")
	h.must(err)
	open := h.replay("e2", c)
	h.prune(webhook.PruneRequest{Limit: 10, Dead: later()}) // e1, e3, e5 and the silent one
	h.continueReplays(1)
	equal(h, "open", h.open(c), "e2 e4")
	equal(h, "what was open", h.delivery("e2", c), open)

	h.bornDead("silent-again", "r", c, webhook.MethodXML)
	h.startReplay(webhook.ReplayRequest{Callback: c.ID, State: webhook.DeliveryDead})
	h.continueReplays(1)
	equal(h, "open", h.open(c), "e2 e4")
}

// testReplaysLater ends deliveries of events that came after the request: it does not
// ask for these.
func testReplaysLater(h *harness) {
	c := h.create("d", "")
	w := h.join()
	h.endedEvents(w, numbered("e", 2)...)
	h.startReplay(webhook.ReplayRequest{Callback: c.ID})
	h.endedEvents(w, numbered("later", 2)...)
	h.continueReplays(1)
	equal(h, "open", h.open(c), "e0 e1")
}

func testReplaysDisabled(h *harness) {
	c, other := h.create("d", ""), h.create("d", "")
	w := h.join()
	h.endedEvents(w, numbered("e", 4)...)
	h.startReplay(webhook.ReplayRequest{Callback: c.ID})
	h.startReplay(webhook.ReplayRequest{Callback: other.ID})
	_, err := h.store.ContinueReplays(h.ctx(), 2)
	h.must(err)
	h.disable(c.ID, "disabled")
	_, err = h.store.StartReplay(h.ctx(), webhook.ReplayRequest{Callback: c.ID})
	h.wantErr("StartReplay", err, webhook.ErrDisabled)
	h.enable(c.ID)
	h.continueReplays(1)
	equal(h, "open once it is enabled again", h.open(c), "")
	equal(h, "open at another callback", h.open(other), "e0 e1 e2 e3")

	// It may be disabled by what is settled, too.
	h.startReplay(webhook.ReplayRequest{Callback: c.ID})
	_, err = h.store.ContinueReplays(h.ctx(), 1)
	h.must(err)
	for _, claimed := range h.claim(claimAll(w)) {
		if claimed.Callback == c.ID {
			h.record(w, disabling(claimed))
		}
	}
	equal(h, "state", h.callback(c.ID).State, webhook.StateDisabled)
	h.enable(c.ID)
	h.continueReplays(1)
	equal(h, "open once it is enabled again", h.open(c), "")
}

func testReplaysDeleted(h *harness) {
	c, other := h.create("d", ""), h.create("d", "")
	w := h.join()
	h.endedEvents(w, numbered("e", 3)...)
	h.startReplay(webhook.ReplayRequest{Callback: c.ID})
	h.startReplay(webhook.ReplayRequest{Callback: other.ID})
	h.must(h.store.DeleteCallback(h.ctx(), c.ID))
	h.continueReplays(1)
	equal(h, "open at another callback", h.open(other), "e0 e1 e2")
}

// testReplaysBeside replays all about a record, in order, while first deliveries about
// it go on, in order.
func testReplaysBeside(h *harness) {
	c := h.create("d", "")
	w := h.join()
	for _, id := range numbered("old", 4) {
		h.dispatch(profile(id, "r"))
	}
	h.fanOut()
	h.deliverAll(w, webhook.DeliveryDead)
	for _, id := range numbered("new", 4) {
		h.dispatch(profile(id, "r"))
	}
	h.fanOut()
	h.startReplay(webhook.ReplayRequest{Callback: c.ID})
	var old, young []string
	for range 100 {
		_, err := h.store.ContinueReplays(h.ctx(), 1)
		h.must(err)
		claimed := h.claim(claimAll(w))
		if len(claimed) > 2 {
			h.t.Fatalf("claimed %s at once", eventIDs(claimed))
		}
		for _, c := range claimed {
			switch {
			case !c.Replayed:
				young = append(young, c.EventID)
			case strings.HasPrefix(c.EventID, "old"): // what ends meanwhile may be replayed, too
				old = append(old, c.EventID)
			}
		}
		h.settle(w, webhook.DeliveryDelivered, claimed...)
	}
	equalList(h, "replayed", old, numbered("old", 4))
	equalList(h, "delivered first", young, numbered("new", 4))
}
