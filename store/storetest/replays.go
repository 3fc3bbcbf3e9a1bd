package storetest

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ringback-dev/ringback/webhook"
)

func replaysTests() []test {
	return []test{
		{"none", testReplaysNone},
		{"select", testReplaysSelect},
		{"since", testReplaysSince},
		{"in steps", testReplaysSteps},
		{"the oldest request first, in turns", testReplaysOldest},
		{"as many as there may be", testReplaysLimit},
		{"once", testReplaysOnce},
	}
}

// startReplay asks for replays and returns how many are selected.
func (h *harness) startReplay(r webhook.ReplayRequest) int {
	h.t.Helper()
	selected, err := h.store.StartReplay(h.ctx(), r)
	h.must(err)
	return selected
}

// open returns the events whose deliveries to a callback are open, in order, in one
// line.
func (h *harness) open(c webhook.Callback) string {
	h.t.Helper()
	var ids []string
	for _, d := range slices.Backward(h.deliveries(webhook.DeliveryQuery{Callback: c.ID})) {
		if !d.State.Ended() {
			ids = append(ids, d.EventID)
		}
	}
	return strings.Join(ids, " ")
}

// endedEvents fans out events, each about a record of its own, and ends them: those of
// odd numbers are dead, the others delivered.
func (h *harness) endedEvents(w webhook.Worker, ids ...string) {
	h.t.Helper()
	for _, id := range ids {
		h.dispatch(profile(id, id))
	}
	h.fanOut()
	for _, claimed := range h.claim(claimAll(w)) {
		state := webhook.DeliveryDelivered
		if slices.Index(ids, claimed.EventID)%2 == 1 {
			state = webhook.DeliveryDead
		}
		h.settle(w, state, claimed)
	}
}

func testReplaysNone(h *harness) {
	more, err := h.store.ContinueReplays(h.ctx(), 10)
	h.must(err)
	equal(h, "more", more, false)
	c := h.create("d", "")
	h.deliver(profile("e", "r")) // is open
	equal(h, "selected", h.startReplay(webhook.ReplayRequest{Callback: c.ID}), 0)
	h.continueReplays(10)
	equal(h, "replayed", h.delivery("e", c).Replayed, false)
	for _, id := range h.absentIDs() {
		_, err := h.store.StartReplay(h.ctx(), webhook.ReplayRequest{Callback: id})
		h.wantErr("StartReplay "+id, err, webhook.ErrNotFound)
	}
}

func testReplaysSelect(h *harness) {
	w := h.join()
	for state, want := range map[webhook.DeliveryState]string{
		"": "e0 e1 e2 e3", webhook.DeliveryDelivered: "e0 e2", webhook.DeliveryDead: "e1 e3",
	} {
		c, other := h.create("d", ""), h.create("d", "")
		h.endedEvents(w, numbered("e", 4)...)
		selected := h.startReplay(webhook.ReplayRequest{Callback: c.ID, State: state})
		equal(h, "selected", selected, len(strings.Fields(want)))
		equal(h, "open before the replay", h.open(c), "")
		h.continueReplays(10)
		equal(h, "open", h.open(c), want)
		equal(h, "open at another callback", h.open(other), "")
		for _, id := range strings.Fields(want) {
			d := h.delivery(id, c)
			equal(h, "state", d.State, webhook.DeliveryReady)
			equal(h, "replayed", d.Replayed, true)
			equal(h, "earlier attempts", d.Earlier, 1)
			equal(h, "reason", d.Reason, "")
		}
		h.must(h.store.DeleteCallback(h.ctx(), c.ID))
		h.must(h.store.DeleteCallback(h.ctx(), other.ID))
		h.pruneAll()
	}
}

func testReplaysSince(h *harness) {
	c := h.create("d", "")
	w := h.join()
	ids := numbered("e", 4)
	for _, id := range ids {
		h.endedEvents(w, id)
		h.tick()
	}
	second := h.delivery("e1", c).Created
	for _, r := range []struct {
		since time.Time
		want  string
	}{{later(), ""}, {second.Add(time.Millisecond), "e2 e3"}, {second, "e1 e2 e3"}, {time.Time{}, "e0 e1 e2 e3"}} {
		selected := h.startReplay(webhook.ReplayRequest{Callback: c.ID, Since: r.since})
		equal(h, "selected", selected, len(strings.Fields(r.want)))
		h.continueReplays(10)
		equal(h, "open", h.open(c), r.want)
		h.deliverAll(w, webhook.DeliveryDead)
	}
}

// testReplaysSteps replays a few at a time: those of earlier events come first.
func testReplaysSteps(h *harness) {
	c := h.create("d", "")
	w := h.join()
	ids := numbered("e", 7)
	h.endedEvents(w, ids...)
	equal(h, "selected", h.startReplay(webhook.ReplayRequest{Callback: c.ID}), len(ids))
	open := ""
	for range 100 {
		more, err := h.store.ContinueReplays(h.ctx(), 2)
		h.must(err)
		before := len(strings.Fields(open))
		open = h.open(c)
		after := len(strings.Fields(open))
		equal(h, "open", open, strings.Join(ids[:after], " "))
		if after-before > 2 {
			h.t.Fatalf("replayed %d, want at most 2", after-before)
		}
		if !more {
			equal(h, "replayed", after, len(ids))
			return
		}
	}
	h.t.Fatal("the replays have no end")
}

func testReplaysOldest(h *harness) {
	w := h.join()
	first, second := h.create("d", ""), h.create("d", "")
	ids := numbered("e", 4)
	h.endedEvents(w, ids...)
	// The second callback's request is the older one.
	h.startReplay(webhook.ReplayRequest{Callback: second.ID, State: webhook.DeliveryDead})
	h.startReplay(webhook.ReplayRequest{Callback: first.ID})
	h.startReplay(webhook.ReplayRequest{Callback: second.ID, State: webhook.DeliveryDelivered})
	var order []string
	seen := make(map[string]bool)
	for more := true; more; {
		var err error
		more, err = h.store.ContinueReplays(h.ctx(), 1)
		h.must(err)
		for _, d := range h.deliveries(webhook.DeliveryQuery{State: webhook.DeliveryReady}) {
			if !seen[d.ID] {
				seen[d.ID] = true
				order = append(order, d.ID)
			}
		}
	}
	for c, events := range map[webhook.Callback][]int{first: {0, 1, 2, 3}, second: {1, 3, 0, 2}} {
		var got, want []string
		for at, id := range order {
			if _, callback, _ := webhook.SplitDeliveryID(id); callback == c.ID {
				got = append(got, id)
				if wait := at - 2*len(got); wait > 0 {
					h.t.Errorf("%s came %d steps after its turn", id, wait)
				}
			}
		}
		for _, i := range events {
			want = append(want, webhook.DeliveryID(ids[i], c.ID))
		}
		equalList(h, "replayed", got, want)
	}
}

func testReplaysLimit(h *harness) {
	c, other := h.create("d", ""), h.create("d", "")
	h.endedEvents(h.join(), "e")
	for range webhook.MaxReplays {
		equal(h, "selected", h.startReplay(webhook.ReplayRequest{Callback: c.ID}), 1)
	}
	_, err := h.store.StartReplay(h.ctx(), webhook.ReplayRequest{Callback: c.ID})
	h.wantErr("one more", err, webhook.ErrLimit)
	equal(h, "selected of another callback", h.startReplay(webhook.ReplayRequest{Callback: other.ID}), 1)
	for more := true; more; {
		more, err = h.store.ContinueReplays(h.ctx(), 10)
		h.must(err)
	}
	equal(h, "states", h.states(c, "e")+" "+h.states(other, "e"), "ready ready")
	h.startReplay(webhook.ReplayRequest{Callback: c.ID})
}

// testReplaysOnce ends what was replayed before the next step: it is not replayed
// again.
func testReplaysOnce(h *harness) {
	c := h.create("d", "")
	w := h.join()
	ids := numbered("e", 5)
	h.endedEvents(w, ids...)
	h.startReplay(webhook.ReplayRequest{Callback: c.ID})
	for more := true; more; {
		var err error
		more, err = h.store.ContinueReplays(h.ctx(), 1)
		h.must(err)
		h.deliverAll(w, webhook.DeliveryDead)
	}
	for _, id := range ids {
		d := h.delivery(id, c)
		equal(h, "attempts of "+id, fmt.Sprint(d.Attempts, d.Earlier), "2 1")
	}
	h.startReplay(webhook.ReplayRequest{Callback: c.ID})
	h.continueReplays(2)
	equal(h, "open after another request", h.open(c), strings.Join(ids, " "))
}
