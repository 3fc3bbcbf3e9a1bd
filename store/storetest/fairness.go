package storetest

import (
	"fmt"

	"github.com/ringback-dev/ringback/webhook"
)

func fairnessTests() []test {
	return []test{
		{"room", testRoom},
		{"no room", testNoRoom},
		{"room is asked for where there is work", testRoomOfIdle},
		{"rotation", testRotation},
		{"rotation begins behind", testRotationBegins},
	}
}

// backlog creates callbacks with as many ready deliveries each.
func (h *harness) backlog(callbacks, deliveries int) []webhook.Callback {
	h.t.Helper()
	var created []webhook.Callback
	for range callbacks {
		created = append(created, h.create("d", ""))
	}
	for i, id := range numbered("e", deliveries) {
		h.dispatch(profile(id, fmt.Sprint("r", i)))
	}
	h.fanOut()
	return created
}

// perCallback counts claimed deliveries.
func perCallback(claimed []webhook.Claimed) map[string]int {
	counts := make(map[string]int)
	for _, c := range claimed {
		counts[c.Callback]++
	}
	return counts
}

func testRoom(h *harness) {
	callbacks := h.backlog(4, 5)
	room := map[string]int{callbacks[0].ID: 2, callbacks[1].ID: 0, callbacks[2].ID: 100, callbacks[3].ID: -1}
	asked := make(map[string]int)
	r := claimAll(h.join())
	r.Room = func(callback string, _ webhook.Health) int {
		asked[callback]++
		return room[callback]
	}
	counts := perCallback(h.claim(r))
	for i, want := range []int{2, 0, 5, 0} {
		id := callbacks[i].ID
		equal(h, fmt.Sprint("claimed with room for ", room[id]), counts[id], want)
		equal(h, "times that room was asked for", asked[id], 1)
	}
	r.Room = func(string, webhook.Health) int { return 1 }
	counts = perCallback(h.claim(r))
	for i, want := range []int{1, 1, 0, 1} {
		equal(h, "claimed with room for 1", counts[callbacks[i].ID], want)
	}
}

func testNoRoom(h *harness) {
	h.backlog(2, 2)
	r := claimAll(h.join())
	r.Room = func(string, webhook.Health) int { return 0 }
	equal(h, "claimed without room", len(h.claim(r)), 0)
}

func testRoomOfIdle(h *harness) {
	callbacks := h.backlog(3, 1)
	w := h.join()
	for _, c := range h.claim(claimAll(w)) {
		switch c.Callback {
		case callbacks[0].ID: // is done
			h.settle(w, webhook.DeliveryDelivered, c)
		case callbacks[1].ID: // has nothing that is due
			h.settle(w, webhook.DeliveryReady, c)
		}
	}
	h.create("d", "") // has nothing at all
	r := claimAll(w)
	r.Room = func(callback string, _ webhook.Health) int {
		h.t.Errorf("room was asked for callback %s, which has no work", callback)
		return 1
	}
	equal(h, "claimed", len(h.claim(r)), 0)
}

func testRotation(h *harness) {
	callbacks := h.backlog(3, 4)
	r := claimAll(h.join())
	r.Limit = 1
	counts := make(map[string]int)
	for round := range 12 {
		claimed := h.claim(r)
		equal(h, "claimed", len(claimed), 1)
		counts[claimed[0].Callback]++
		r.After = claimed[0].Callback
		if (round+1)%3 == 0 {
			for _, c := range callbacks {
				equal(h, "deliveries of each callback after a whole turn", counts[c.ID], (round+1)/3)
			}
		}
	}
}

func testRotationBegins(h *harness) {
	callbacks := h.backlog(3, 6)
	r := claimAll(h.join())
	r.Limit, r.Room = 3, func(string, webhook.Health) int { return 1 }
	order := func() (ids []string) {
		h.t.Helper()
		for _, c := range h.claim(r) {
			ids = append(ids, c.Callback)
		}
		return ids
	}
	all := order()
	equal(h, "callbacks visited", len(all), 3)
	r.After = all[0]
	equalList(h, "visited behind the first", order(), []string{all[1], all[2], all[0]})
	r.After = all[2]
	equalList(h, "visited behind the last", order(), all)

	// One that is gone, or never was, is as good as any.
	h.must(h.store.DeleteCallback(h.ctx(), callbacks[1].ID))
	for _, after := range []string{callbacks[1].ID, "unknown", "-5", "99999"} {
		r.After, r.Limit = after, 1
		equal(h, "claimed behind "+after, len(h.claim(r)), 1)
	}
}
