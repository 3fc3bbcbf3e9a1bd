package storetest

import (
	"fmt"

	"github.com/ringback-dev/ringback/webhook"
)

// newClaimTests check what a store does that claims new deliveries; for others they
// have nothing to check.
func newClaimTests(store webhook.Store) []test {
	if _, ok := store.(webhook.FanOutClaimer); !ok {
		return nil
	}
	return []test{
		{"gives everything", testNewClaimGives},
		{"callback as it is now", testNewClaimCallbackNow},
		{"only what is ready", testNewClaimReady},
		{"only what is new", testNewClaimNew},
		{"limit", testNewClaimLimit},
		{"limit of bytes", testNewClaimLimitBytes},
		{"room", testNewClaimRoom},
		{"paused and disabled", testNewClaimPaused},
		{"beat", testNewClaimBeat},
		{"fenced", testNewClaimFenced},
	}
}

// fanOutAndClaim fans all pending events out to the callbacks, and claims.
func (h *harness) fanOutAndClaim(r webhook.ClaimRequest, callbacks ...webhook.Callback) []webhook.Claimed {
	h.t.Helper()
	var expansions []webhook.Expansion
	for _, e := range h.pending() {
		expansions = append(expansions, expand(e, callbacks...))
	}
	claimed, err := h.store.(webhook.FanOutClaimer).FanOutAndClaim(h.ctx(), expansions, r)
	h.must(err)
	return claimed
}

func testNewClaimGives(h *harness) {
	c := h.create("", "c")
	e := subprofile("e", "d", "c", "r")
	e.Action = webhook.ActionCreate
	h.dispatch(e)
	x := expand(h.pending()[0])
	x.Messages.XML = []byte("<e/>")
	x.Targets = []webhook.Target{{Callback: c.ID, Method: webhook.MethodXML, Encoding: webhook.EncodingForm}}
	claimed, err := h.store.(webhook.FanOutClaimer).FanOutAndClaim(h.ctx(), []webhook.Expansion{x}, claimAll(h.join()))
	h.must(err)
	equal(h, "claimed", len(claimed), 1)
	want := h.delivery("e", c)
	equal(h, "state", want.State, webhook.DeliveryClaimed)
	equal(h, "delivery", claimed[0].Delivery, want)
	equal(h, "callback", *claimed[0].To, c)
	equal(h, "message", string(claimed[0].Message), "<e/>")
}

func testNewClaimCallbackNow(h *harness) {
	c := h.create("d", "")
	w := h.join()
	h.dispatch(profile("e1", "r1"))
	h.settle(w, webhook.DeliveryReady, h.fanOutAndClaim(claimAll(w), c)...)
	c.URL = "https://example.com/now"
	c, err := h.store.UpdateCallback(h.ctx(), c)
	h.must(err)
	h.dispatch(profile("e2", "r2"))
	claimed := h.fanOutAndClaim(claimAll(w), c)
	equal(h, "callback", *claimed[0].To, c)
	h.settle(w, webhook.DeliveryReady, claimed...)
	h.dispatch(profile("e3", "r3"))
	equal(h, "failures, as they are now", h.fanOutAndClaim(claimAll(w), c)[0].To.Health, h.callback(c.ID).Health)
}

func testNewClaimReady(h *harness) {
	c := h.create("d", "")
	h.dispatch(profile("e1", "r"), profile("e2", "s"), profile("e3", "r"), profile("e4", "t"))
	var expansions []webhook.Expansion
	for _, e := range h.pending() {
		expansions = append(expansions, expand(e, c))
	}
	expansions[3].Targets[0].Dead = "could not be sent"
	w := h.join()
	claimed, err := h.store.(webhook.FanOutClaimer).FanOutAndClaim(h.ctx(), expansions, claimAll(w))
	h.must(err)
	equal(h, "claimed", eventIDs(claimed), "e1 e2")
	equal(h, "states", h.states(c, "e1", "e2", "e3", "e4"), "claimed claimed waiting dead")
	h.settle(w, webhook.DeliveryDelivered, claimed...)
	equal(h, "states", h.states(c, "e1", "e2", "e3", "e4"), "delivered delivered ready dead")
}

func testNewClaimNew(h *harness) {
	c := h.create("d", "")
	h.deliver(profile("e1", "r"))
	h.dispatch(profile("e2", "s"))
	pending := h.pending()
	w := h.join()
	equal(h, "claimed", eventIDs(h.fanOutAndClaim(claimAll(w), c)), "e2")
	again, err := h.store.(webhook.FanOutClaimer).FanOutAndClaim(h.ctx(), []webhook.Expansion{expand(pending[0], c)}, claimAll(w))
	h.must(err)
	equal(h, "claimed of what was fanned out before", len(again), 0)
	equal(h, "claimed later", eventIDs(h.claim(claimAll(w))), "e1")
}

func testNewClaimLimit(h *harness) {
	c := h.create("d", "")
	h.dispatch(profile("e1", "r"), profile("e2", "s"), profile("e3", "t"))
	w := h.join()
	r := claimAll(w)
	r.Limit = 2
	equal(h, "claimed", eventIDs(h.fanOutAndClaim(r, c)), "e1 e2")
	equal(h, "claimed later", eventIDs(h.claim(claimAll(w))), "e3")
}

func testNewClaimLimitBytes(h *harness) {
	c := h.create("d", "")
	h.dispatch(profile("e1", "r"), profile("e2", "s"), profile("e3", "t"))
	w := h.join()
	r := claimAll(w)
	r.LimitBytes = 5 // a message is its event's ID
	equal(h, "claimed", eventIDs(h.fanOutAndClaim(r, c)), "e1 e2")
	h.dispatch(profile("e4", "u"))
	r.LimitBytes = 1
	equal(h, "claimed whatever its size", eventIDs(h.fanOutAndClaim(r, c)), "e4")
}

func testNewClaimRoom(h *harness) {
	var callbacks []webhook.Callback
	room := make(map[string]int)
	for i := range 4 {
		c := h.create("d", "")
		callbacks = append(callbacks, c)
		room[c.ID] = []int{2, 0, 100, -1}[i]
	}
	for i, id := range numbered("e", 5) {
		h.dispatch(profile(id, fmt.Sprint("r", i)))
	}
	asked := make(map[string]int)
	r := claimAll(h.join())
	r.Room = func(callback string, _ webhook.Health) int {
		asked[callback]++
		return room[callback]
	}
	counts := perCallback(h.fanOutAndClaim(r, callbacks...))
	for i, want := range []int{2, 0, 5, 0} {
		id := callbacks[i].ID
		equal(h, fmt.Sprint("claimed with room for ", room[id]), counts[id], want)
		equal(h, "times that room was asked for", asked[id], 1)
	}
}

func testNewClaimPaused(h *harness) {
	paused, disabled, c := h.create("d", ""), h.create("d", ""), h.create("d", "")
	h.deliver(profile("e1", "r"))
	w := h.join()
	r := claimAll(w)
	until := r.Now.Add(1e12)
	o := givenBack(h.claim(r)[0])
	equal(h, "claimed first", o.Callback, paused.ID)
	o.Pause = until
	h.record(w, o)
	disabled.State, disabled.Reason = webhook.StateDisabled, "not wanted"
	_, err := h.store.UpdateCallback(h.ctx(), disabled)
	h.must(err)
	h.dispatch(profile("e2", "s"))
	claimed := h.fanOutAndClaim(r, paused, disabled, c)
	equal(h, "claimed", len(claimed), 1)
	equal(h, "callback", claimed[0].Callback, c.ID)
	equal(h, "state at the paused one", h.states(paused, "e2"), "ready")
	h.dispatch(profile("e3", "t"))
	r.Now = until
	equal(h, "claimed after the pause", len(h.fanOutAndClaim(r, paused)), 1)
}

func testNewClaimBeat(h *harness) {
	c := h.create("d", "")
	w := h.join()
	before := h.beats()[w]
	r := claimAll(w)
	equal(h, "claimed of nothing", len(h.fanOutAndClaim(r, c)), 0)
	equal(h, "counter after nothing", h.beats()[w], before)
	h.dispatch(profile("e", "r"))
	equal(h, "claimed", len(h.fanOutAndClaim(r, c)), 1)
	if h.beats()[w] == before {
		h.t.Error("the worker's counter stands still")
	}
	equalList(h, "workers that hold claims", h.holders(), []webhook.Worker{w})
}

func testNewClaimFenced(h *harness) {
	c := h.create("d", "")
	h.dispatch(profile("e", "r"))
	w := h.join()
	h.retire(w)
	_, err := h.store.(webhook.FanOutClaimer).FanOutAndClaim(h.ctx(), []webhook.Expansion{expand(h.pending()[0], c)}, claimAll(w))
	h.wantErr("fan out and claim", err, webhook.ErrFenced)
	equalList(h, "pending", h.pendingIDs(), []string{"e"})
}
