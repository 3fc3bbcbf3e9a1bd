package storetest

import (
	"fmt"
	"time"

	"github.com/ringback-dev/ringback/webhook"
)

// appendClaimLimitTests check how much is claimed of what is appended, and by whom.
func appendClaimLimitTests() []test {
	return []test{
		{"only what is new", testAppendClaimNew},
		{"limit", testAppendClaimLimit},
		{"limit of bytes", testAppendClaimLimitBytes},
		{"room", testAppendClaimRoom},
		{"room of several events", testAppendClaimRoomTogether},
		{"paused", testAppendClaimPaused},
		{"disabled", testAppendClaimDisabled},
		{"beat", testAppendClaimBeat},
		{"fenced", testAppendClaimFenced},
		{"left behind by its worker", testAppendClaimTakenOver},
	}
}

func testAppendClaimNew(h *harness) {
	c := h.create("d", "")
	h.deliver(profile("e1", "r"))
	w := h.join()
	claimed := h.appendAndClaim(claimAll(w), h.expanded([]webhook.Callback{c}, profile("e2", "s"))...)
	equal(h, "claimed", eventIDs(claimed), "e2")
	equal(h, "claimed later", eventIDs(h.claim(claimAll(w))), "e1")
}

func testAppendClaimLimit(h *harness) {
	c := h.create("d", "")
	w := h.join()
	r := claimAll(w)
	r.Limit = 2
	watch := h.watch()
	claimed := h.appendAndClaim(r, h.expanded([]webhook.Callback{c},
		profile("e1", "r"), profile("e2", "s"), profile("e3", "t"), profile("e4", "r"))...)
	equal(h, "claimed", eventIDs(claimed), "e1 e2")
	equal(h, "states", h.states(c, "e1", "e2", "e3", "e4"), "claimed claimed ready waiting")
	watch.until("something was left", func() bool {
		claimed = h.claim(claimAll(w))
		return len(claimed) > 0
	})
	equal(h, "claimed later", eventIDs(claimed), "e3")
}

func testAppendClaimLimitBytes(h *harness) {
	c := h.create("d", "")
	r := claimAll(h.join())
	r.LimitBytes = 5 // a message is its event's ID
	all := []webhook.Callback{c}
	claimed := h.appendAndClaim(r, h.expanded(all, profile("e1", "r"), profile("e2", "s"), profile("e3", "t"))...)
	equal(h, "claimed", eventIDs(claimed), "e1 e2")
	r.LimitBytes = 1
	equal(h, "claimed whatever its size", eventIDs(h.appendAndClaim(r, h.expanded(all, profile("e4", "u"))...)), "e4")
}

func testAppendClaimRoom(h *harness) {
	var callbacks []webhook.Callback
	room := make(map[string]int)
	for i := range 4 {
		c := h.create("d", "")
		callbacks = append(callbacks, c)
		room[c.ID] = []int{2, 0, 100, -1}[i]
	}
	var events []webhook.Event
	for i, id := range numbered("e", 5) {
		events = append(events, profile(id, fmt.Sprint("r", i)))
	}
	asked := make(map[string]int)
	r := claimAll(h.join())
	r.Room = func(callback string, _ webhook.Health) int {
		asked[callback]++
		return room[callback]
	}
	counts := perCallback(h.appendAndClaim(r, h.expanded(callbacks, events...)...))
	for i, want := range []int{2, 0, 5, 0} {
		id := callbacks[i].ID
		equal(h, fmt.Sprint("claimed with room for ", room[id]), counts[id], want)
		equal(h, "times that room was asked for", asked[id], 1)
	}
}

// testAppendClaimRoomTogether asks anew each time, with the health as it is.
func testAppendClaimRoomTogether(h *harness) {
	c := h.create("d", "")
	w := h.join()
	r := claimAll(w)
	var seen webhook.Health
	r.Room = func(_ string, health webhook.Health) int {
		seen = health
		return 1
	}
	all := []webhook.Callback{c}
	for _, record := range []string{"r", "s"} {
		claimed := h.appendAndClaim(r, h.expanded(all, profile("1"+record, "1"+record), profile("2"+record, "2"+record))...)
		equal(h, "claimed", eventIDs(claimed), "1"+record)
		equal(h, "health", seen, claimed[0].To.Health)
		h.settle(w, webhook.DeliveryReady, claimed...)
	}
	equal(h, "failures that were seen", seen.Failures, 1)
}

func testAppendClaimPaused(h *harness) {
	paused, c := h.create("d", ""), h.create("d", "")
	all := []webhook.Callback{paused, c}
	w := h.join()
	r := claimAll(w)
	until := r.Now.Add(time.Hour).Truncate(time.Millisecond)
	for _, claimed := range h.appendAndClaim(r, h.expanded(all, profile("e1", "r"))...) {
		o := givenBack(claimed)
		if claimed.Callback == paused.ID {
			o.Pause = until
		}
		h.record(w, o)
	}
	claimed := h.appendAndClaim(r, h.expanded(all, profile("e2", "s"))...)
	equal(h, "claimed", len(claimed), 1)
	equal(h, "callback", claimed[0].Callback, c.ID)
	equal(h, "state at the paused one", h.states(paused, "e2"), "ready")
	r.Now = until
	equal(h, "claimed after the pause", len(h.appendAndClaim(r, h.expanded(all, profile("e3", "t"))...)), 2)
}

func testAppendClaimDisabled(h *harness) {
	disabled, c := h.create("d", ""), h.create("d", "")
	h.disable(disabled.ID, "not wanted")
	claimed := h.appendAndClaim(claimAll(h.join()), h.expanded([]webhook.Callback{disabled, c}, profile("e", "r"))...)
	equal(h, "claimed", len(claimed), 1)
	equal(h, "callback", claimed[0].Callback, c.ID)
	equal(h, "deliveries", len(h.deliveries(webhook.DeliveryQuery{})), 1)
}

func testAppendClaimBeat(h *harness) {
	c := h.create("d", "")
	w := h.join()
	before := h.beats()[w]
	h.appendAndClaim(claimAll(w), h.expanded(nil, profile("e1", "r"))...)
	equal(h, "counter after nothing", h.beats()[w], before)
	h.appendPending(h.revision()+1, claimAll(w), h.expanded([]webhook.Callback{c}, profile("e2", "r"))...)
	equal(h, "counter after what is pending", h.beats()[w], before)
	equal(h, "workers that hold claims", len(h.holders()), 0)
	h.fanOut()
	h.appendAndClaim(claimAll(w), h.expanded([]webhook.Callback{c}, profile("e3", "s"))...)
	if h.beats()[w] == before {
		h.t.Error("the worker's counter stands still")
	}
	equalList(h, "workers that hold claims", h.holders(), []webhook.Worker{w})
}

func testAppendClaimFenced(h *harness) {
	c := h.create("d", "")
	w, other := h.join(), h.join()
	beats := h.beats()[other]
	h.retire(w)
	for _, revision := range []int64{h.revision(), h.revision() + 1} {
		for _, fenced := range []webhook.Worker{w, 0, 99} {
			claimed, _, err := h.store.(webhook.AppendClaimer).AppendAndClaim(
				h.ctx(), h.expanded([]webhook.Callback{c}, profile("e", "r")), revision, claimAll(fenced))
			h.wantErr("append and claim", err, webhook.ErrFenced)
			equal(h, "claimed", len(claimed), 0)
		}
	}
	h.checkUnwritten(other, beats)
}

// testAppendClaimTakenOver is the worker that is lost with what it has appended.
func testAppendClaimTakenOver(h *harness) {
	c := h.create("d", "")
	lost := h.join()
	claimed := h.appendAndClaim(claimAll(lost), h.expanded([]webhook.Callback{c}, profile("e1", "r"), profile("e2", "r"))...)
	equal(h, "claimed", eventIDs(claimed), "e1")
	h.retire(lost)
	h.checkFenced(lost, outcome(claimed[0], webhook.DeliveryDelivered))
	equal(h, "states", h.states(c, "e1", "e2"), "ready waiting")
	w := h.join()
	taken := h.claim(claimAll(w))
	equal(h, "taken over", eventIDs(taken), "e1")
	equal(h, "message", string(taken[0].Message), "e1")
	h.settle(w, webhook.DeliveryDelivered, taken...)
	equal(h, "claimed", eventIDs(h.claim(claimAll(w))), "e2")
}
