package storetest

import (
	"fmt"

	"github.com/ringback-dev/ringback/webhook"
)

func purgeTests() []test {
	return []test{
		{"nothing", testPurgeNothing},
		{"profile", testPurgeProfile},
		{"subprofiles of a profile", testPurgeSubprofiles},
		{"subprofile", testPurgeSubprofile},
		{"claimed", testPurgeClaimed},
		{"passed and replayed", testPurgeTracks},
		{"successor", testPurgeSuccessor},
		{"disabled callback", testPurgeDisabled},
		{"IDs may be used again", testPurgeFreesID},
		{"many", testPurgeMany},
		{"one of similar ones", testPurgeSimilar},
	}
}

// purge purges a record and returns how many events that removed.
func (h *harness) purge(database, collection, record string) int {
	h.t.Helper()
	events, err := h.store.Purge(h.ctx(), webhook.Scope{Database: database, Collection: collection}, record)
	h.must(err)
	return events
}

// child returns an event about a subprofile of a profile.
func child(eventID, database, collection, record, parent string) webhook.Event {
	e := subprofile(eventID, database, collection, record)
	e.Profile.ID = parent
	return e
}

func testPurgeNothing(h *harness) {
	equal(h, "removed", h.purge("d", "", "r"), 0)
	h.deliver(profile("e", "r"))
	for _, c := range [][3]string{
		{"d", "", "R"}, {"d", "", ""}, {"d", "", "r "}, {"D", "", "r"}, {"d", "c", "r"},
	} {
		equal(h, fmt.Sprint("removed of ", c), h.purge(c[0], c[1], c[2]), 0)
	}
	equal(h, "removed", h.purge("d", "", "r"), 1)
	equal(h, "removed again", h.purge("d", "", "r"), 0)
}

// testPurgeProfile purges a profile whose events are in every state.
func testPurgeProfile(h *harness) {
	c := h.create("d", "")
	h.deliver(profile("delivered", "r"))
	w := h.join()
	h.deliverAll(w, webhook.DeliveryDelivered)
	h.deliver(profile("dead", "r"))
	h.deliverAll(w, webhook.DeliveryDead)
	h.deliver(profile("retry", "r"), profile("waiting", "r"), profile("kept", "s"))
	claimed := h.claim(claimAll(w))
	equal(h, "claimed", eventIDs(claimed), "retry kept")
	h.settle(w, webhook.DeliveryReady, claimed[0])
	h.dispatch(profile("pending", "r"), profile("kept-pending", "s"))
	ids := []string{"delivered", "dead", "retry", "waiting"}
	equal(h, "states", h.states(c, ids...), "delivered dead ready waiting")

	equal(h, "removed", h.purge("d", "", "r"), 5)
	for _, id := range ids {
		id = webhook.DeliveryID(id, c.ID)
		_, err := h.store.Delivery(h.ctx(), id)
		h.wantErr("Delivery", err, webhook.ErrNotFound)
		_, err = h.store.Attempts(h.ctx(), id)
		h.wantErr("Attempts", err, webhook.ErrNotFound)
		_, err = h.store.Replay(h.ctx(), id)
		h.wantErr("Replay", err, webhook.ErrNotFound)
	}
	equalList(h, "pending", h.pendingIDs(), []string{"kept-pending"})
	equal(h, "deliveries left", len(h.deliveries(webhook.DeliveryQuery{})), 1)
	equal(h, "states", h.states(c, "kept"), "claimed")
	h.settle(w, webhook.DeliveryDelivered, claimed[1])
	h.fanOut()
	equal(h, "claimed", eventIDs(h.claim(claimAll(w))), "kept-pending")
	h.deliver(profile("new", "r"))
	equal(h, "state of a new event", h.states(c, "new"), "ready")
}

func testPurgeSubprofiles(h *harness) {
	h.deliver(
		profile("1", "r"), child("2", "d", "c", "s", "r"), child("3", "d", "other", "t", "r"),
		// What is kept: of another profile, in another database, of the same ID.
		child("4", "d", "c", "s", "R"), child("5", "D", "c", "s", "r"), child("6", "d", "c", "r", "x"),
	)
	elsewhere := profile("7", "r")
	elsewhere.Database = "D"
	h.dispatch(child("8", "d", "c", "u", "r"), child("9", "d", "c", "u", "x"), elsewhere)
	equal(h, "removed", h.purge("d", "", "r"), 4)
	equalList(h, "pending", h.pendingIDs(), []string{"9", "7"})
	equal(h, "left of subprofile s", h.purge("d", "c", "s"), 1)
	equal(h, "left in the other database", h.purge("D", "", "r"), 2)
	equal(h, "left of subprofile r", h.purge("d", "c", "r"), 1)
	equal(h, "left of profile x", h.purge("d", "", "x"), 1)
	equal(h, "pending", len(h.pending()), 0)
}

func testPurgeSubprofile(h *harness) {
	c, profiles := h.create("", "c"), h.create("d", "")
	h.deliver(child("1", "d", "c", "s", "p"), child("2", "d", "c", "s", "q"), child("3", "d", "c", "t", "s"),
		child("4", "d", "other", "s", "p"), child("5", "D", "c", "s", "p"), profile("6", "s"), profile("7", "p"))
	equal(h, "removed", h.purge("d", "c", "s"), 2)
	equal(h, "deliveries left", len(h.deliveries(webhook.DeliveryQuery{Callback: c.ID})), 2)
	equal(h, "states", h.states(c, "3", "5"), "ready ready")
	equal(h, "states of the profiles", h.states(profiles, "6", "7"), "ready ready")
	equal(h, "left in the other collection", h.purge("d", "other", "s"), 1)
}

func testPurgeClaimed(h *harness) {
	w, c, claimed := h.claimed()
	h.deliver(profile("behind", "r"))
	equal(h, "removed", h.purge("d", "", "r"), 2)
	equalList(h, "holders", h.holders(), nil)
	o := outcome(claimed, webhook.DeliveryDead)
	o.Disable = &webhook.Disabling{Reason: "gone", Version: c.Version}
	o.Pause = later()
	equal(h, "disabled", len(h.record(w, o)), 0)
	equal(h, "callback", h.callback(c.ID), c)
	equal(h, "deliveries left", len(h.deliveries(webhook.DeliveryQuery{})), 0)
	h.retire(w)
	equal(h, "claimed", len(h.claim(claimAll(h.join()))), 0)
}

func testPurgeTracks(h *harness) {
	c := h.create("d", "")
	h.deliver(profile("e1", "r"), profile("e2", "r"))
	w := h.join()
	h.deliverAll(w, webhook.DeliveryDead)
	h.deliver(profile("e3", "r"), profile("e4", "r"), profile("e5", "r"))
	h.replay("e1", c)
	h.replay("e2", c)
	claimed := h.claim(claimAll(w))
	equal(h, "claimed", eventIDs(claimed), "e1 e3")
	h.record(w, passed(claimed[1]))
	h.startReplay(webhook.ReplayRequest{Callback: c.ID})
	equal(h, "removed", h.purge("d", "", "r"), 5)
	equal(h, "deliveries left", len(h.deliveries(webhook.DeliveryQuery{})), 0)
	h.continueReplays(1)
	equal(h, "claimed", len(h.claim(claimAll(w))), 0)
}

// testPurgeSuccessor purges a profile while an event about a subprofile of it is on its
// way, and one about the subprofile of that ID of another profile waits for that.
func testPurgeSuccessor(h *harness) {
	for _, replayed := range []bool{false, true} {
		c := h.create("", "c")
		w := h.join()
		h.deliver(child("1", "d", "c", "s", "p"), child("2", "d", "c", "s", "q"), child("3", "d", "c", "s", "p"),
			child("4", "d", "c", "s", "q"))
		ids := []string{"1", "2", "3", "4"}
		if replayed {
			h.deliverAll(w, webhook.DeliveryDelivered)
			for _, id := range ids {
				h.replay(id, c)
			}
		}
		equal(h, "states", h.states(c, ids...), "ready waiting waiting waiting")
		h.claim(claimAll(w))
		equal(h, "removed", h.purge("d", "", "p"), 2)
		equal(h, "states", h.states(c, "2", "4"), "ready waiting")
		claimed := h.claim(claimAll(w))
		equal(h, "claimed", eventIDs(claimed), "2")
		h.settle(w, webhook.DeliveryDelivered, claimed...)
		equal(h, "states", h.states(c, "2", "4"), "delivered ready")
		equal(h, "removed", h.purge("d", "", "q"), 2)
		h.must(h.store.DeleteCallback(h.ctx(), c.ID))
	}
}

func testPurgeDisabled(h *harness) {
	w, c, claimed := h.claimed()
	h.deliver(profile("behind", "r"))
	h.disable(c.ID, "disabled")
	equal(h, "removed", h.purge("d", "", "r"), 2)
	h.settle(w, webhook.DeliveryDelivered, claimed)
	equal(h, "deliveries left", len(h.deliveries(webhook.DeliveryQuery{})), 0)
}

func testPurgeFreesID(h *harness) {
	c := h.create("d", "")
	h.deliver(profile("e", "r"))
	h.dispatch(profile("pending", "r"))
	late := h.pending()[0]
	h.purge("d", "", "r")
	h.dispatch(profile("e", "r"), profile("pending", "r"))
	equalList(h, "pending", h.pendingIDs(), []string{"e", "pending"})
	h.must(h.store.FanOut(h.ctx(), []webhook.Expansion{expand(late, c)}))
	equalList(h, "pending after a fan-out that was late", h.pendingIDs(), []string{"e", "pending"})
	h.fanOut()
	equal(h, "states", h.states(c, "e", "pending"), "ready waiting")
}

func testPurgeMany(h *harness) {
	c := h.create("d", "")
	h.create("d", "")
	const events = 700
	var all []webhook.Event
	for i, id := range numbered("e", events) {
		all = append(all, profile(id, []string{"r", "s"}[i%2]))
	}
	h.dispatch(all[:events/2]...)
	h.fanOut()
	h.dispatch(all[events/2:]...)
	equal(h, "removed", h.purge("d", "", "r"), events/2)
	equal(h, "pending", len(h.pending()), events/4)
	equal(h, "deliveries left", len(h.deliveries(webhook.DeliveryQuery{})), 2*events/4)
	equal(h, "of a callback", len(h.deliveries(webhook.DeliveryQuery{Callback: c.ID})), events/4)
}

// testPurgeSimilar purges records one by one that are called nearly the same.
func testPurgeSimilar(h *harness) {
	records := []string{"r", "R", "r ", "r\x00", "\x00r", "é", "e\u0301", "01", "1", "1.0", "%", "_", "'"}
	for i, record := range records {
		h.dispatch(profile(fmt.Sprint("p", i), record), child(fmt.Sprint("s", i), "d", "c", "s", record))
	}
	h.fanOut()
	for _, record := range records {
		equal(h, fmt.Sprintf("removed of %q", record), h.purge("d", "", record), 2)
	}
}
