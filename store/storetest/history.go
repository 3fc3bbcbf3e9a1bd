package storetest

import (
	"fmt"
	"strings"

	"github.com/ringback-dev/ringback/webhook"
)

func historyTests() []test {
	return []test{
		{"absent", testAbsentDelivery},
		{"select", testDeliveryQuery},
		{"across callbacks", testDeliveriesAcross},
	}
}

func testAbsentDelivery(h *harness) {
	c := h.create("d", "")
	h.deliver(profile("e_1", "r"))
	later := h.create("d", "") // did not hear of it
	ids := []string{
		"", "_", "e_1", "e_1_", "_" + c.ID, "e_" + c.ID, "E_1_" + c.ID, "e_1_" + c.ID + "_", "x_" + c.ID,
		webhook.DeliveryID("e_1", later.ID), webhook.DeliveryID("e_1 ", c.ID), strings.Repeat("_", 300),
	}
	for _, id := range h.absentIDs() {
		ids = append(ids, webhook.DeliveryID("e_1", id))
	}
	for _, id := range ids {
		_, err := h.store.Delivery(h.ctx(), id)
		h.wantErr("Delivery "+id, err, webhook.ErrNotFound)
		_, err = h.store.Attempts(h.ctx(), id)
		h.wantErr("Attempts "+id, err, webhook.ErrNotFound)
	}
}

func testDeliveryQuery(h *harness) {
	c, other := h.create("d", ""), h.create("d", "")
	w := h.join()
	settle := func(state webhook.DeliveryState) func(webhook.Claimed) {
		return func(claimed webhook.Claimed) { h.settle(w, state, claimed) }
	}
	// Two of each state, of which one is other's.
	var want = map[webhook.DeliveryState]string{}
	for i, c := range []struct {
		state  webhook.DeliveryState
		settle func(webhook.Claimed)
	}{
		{webhook.DeliveryDelivered, settle(webhook.DeliveryDelivered)},
		{webhook.DeliveryDead, settle(webhook.DeliveryDead)},
		{webhook.DeliveryReady, settle(webhook.DeliveryReady)},
		{webhook.DeliveryClaimed, func(webhook.Claimed) {}},
	} {
		id := fmt.Sprint("e", i)
		h.deliver(profile(id, id))
		for _, claimed := range h.claim(claimAll(w)) {
			c.settle(claimed)
		}
		want[c.state] = id
	}
	h.deliver(profile("e4", "e3"))
	want[webhook.DeliveryWaiting] = "e4"
	h.deliver(profile("e5", "e5")) // ready and due at once, as opposed to e2
	want[webhook.DeliveryReady] = "e5 e2"

	list := func(q webhook.DeliveryQuery) string {
		h.t.Helper()
		var ids []string
		for _, d := range h.deliveries(q) {
			ids = append(ids, d.EventID)
		}
		return strings.Join(ids, " ")
	}
	for state, ids := range want {
		for _, c := range []webhook.Callback{c, other} {
			equal(h, "of a callback, "+string(state), list(webhook.DeliveryQuery{Callback: c.ID, State: state}), ids)
		}
		equal(h, "of all", len(h.deliveries(webhook.DeliveryQuery{State: state})), 2*len(strings.Fields(ids)))
		for _, d := range h.deliveries(webhook.DeliveryQuery{State: state}) {
			equal(h, "state", d.State, state)
		}
	}
	equal(h, "of a callback", list(webhook.DeliveryQuery{Callback: c.ID}), "e5 e4 e3 e2 e1 e0")
	equal(h, "page", list(webhook.DeliveryQuery{Callback: c.ID, Start: 1, Limit: 3}), "e4 e3 e2")
	equal(h, "page of a state", list(webhook.DeliveryQuery{Callback: c.ID, State: "ready", Start: 1, Limit: 3}), "e2")
	for _, id := range h.absentIDs()[1:] { // the first is empty, which does not constrain
		equal(h, "of an absent callback", list(webhook.DeliveryQuery{Callback: id}), "")
	}
	equal(h, "in an unknown state", list(webhook.DeliveryQuery{State: "unknown"}), "")
}

func testDeliveriesAcross(h *harness) {
	h.backlog(3, 5)
	all := h.deliveries(webhook.DeliveryQuery{})
	equal(h, "deliveries", len(all), 15)
	var paged []webhook.Delivery
	for start := 0; start < 15; start += 4 {
		paged = append(paged, h.deliveries(webhook.DeliveryQuery{Start: start, Limit: 4})...)
	}
	equalList(h, "page by page", paged, all)
}
