package storetest

import (
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/ringback-dev/ringback/webhook"
)

func claimTests() []test {
	return []test{
		{"nothing", testClaimNothing},
		{"gives everything", testClaimGives},
		{"callback as it is now", testClaimCallbackNow},
		{"due", testClaimDue},
		{"due at once whatever the clock", testClaimAtOnce},
		{"due by a clock that is set back", testClaimSetBack},
		{"order", testClaimOrder},
		{"limit", testClaimLimit},
		{"limit of bytes", testClaimLimitBytes},
		{"limit of bytes over callbacks", testClaimLimitBytesTogether},
		{"once", testClaimOnce},
		{"once by several", testClaimConcurrently},
	}
}

func testClaimNothing(h *harness) {
	w := h.join()
	equal(h, "claimed", len(h.claim(claimAll(w))), 0)
	h.create("d", "")
	h.dispatch(profile("e", "r"))
	equal(h, "claimed before the fan-out", len(h.claim(claimAll(w))), 0)
}

func testClaimGives(h *harness) {
	c := h.create("", "c")
	e := subprofile("e", "d", "c", "r")
	e.Action = webhook.ActionCreate
	h.deliver(e)
	want := h.delivery("e", c)
	claimed := h.claim(claimAll(h.join()))
	equal(h, "claimed", len(claimed), 1)
	want.State = webhook.DeliveryClaimed
	equal(h, "delivery", claimed[0].Delivery, want)
	equal(h, "callback", *claimed[0].To, c)
	equal(h, "message", string(claimed[0].Message), "e")
	equal(h, "delivery as others see it", h.delivery("e", c), want)
}

func testClaimCallbackNow(h *harness) {
	c := h.create("d", "")
	h.deliver(profile("e", "r"))
	c.URL, c.Method = "https://example.com/now", webhook.MethodXML
	c, err := h.store.UpdateCallback(h.ctx(), c)
	h.must(err)
	claimed := h.claim(claimAll(h.join()))
	equal(h, "callback", *claimed[0].To, c)
	equal(h, "method of the delivery", claimed[0].Method, webhook.MethodJSON)
}

func testClaimDue(h *harness) {
	c := h.create("d", "")
	h.deliver(profile("e", "r"))
	w := h.join()
	retry := outcome(h.claim(claimAll(w))[0], webhook.DeliveryReady)
	// What lies between two milliseconds is cut off.
	due := time.Now().Add(time.Hour).Truncate(time.Millisecond)
	retry.Due = due.Add(999 * time.Microsecond)
	h.must(h.trySettle(h.ctx(), w, []webhook.Outcome{retry}))
	equal(h, "due", h.delivery("e", c).Due, due.UTC())

	r := claimAll(w)
	r.Now = due.Add(-time.Millisecond)
	equal(h, "claimed too early", len(h.claim(r)), 0)
	r.Now = due
	claimed := h.claim(r)
	equal(h, "claimed when due", len(claimed), 1)
	equal(h, "attempts before", claimed[0].Attempts, 1)
}

func testClaimAtOnce(h *harness) {
	h.create("d", "")
	h.deliver(profile("e", "r"))
	r := claimAll(h.join())
	r.Now = time.Now().AddDate(-10, 0, 0)
	equal(h, "claimed by a clock that is behind", len(h.claim(r)), 1)
}

// testClaimSetBack claims one of two by a clock that is ahead. The other is not due when
// that is set back.
func testClaimSetBack(h *harness) {
	h.create("d", "")
	h.deliver(profile("e1", "r"), profile("e2", "s"))
	w := h.join()
	h.settle(w, webhook.DeliveryReady, h.claim(claimAll(w))...) // due in an hour
	r := claimAll(w)
	r.Now = later().Add(time.Hour)
	r.Limit = 1
	equal(h, "claimed by the clock that is ahead", len(h.claim(r)), 1)
	equal(h, "claimed by the clock that was set back", len(h.claim(claimAll(w))), 0)
	equal(h, "claimed when due", len(h.claim(r)), 1)
}

func testClaimOrder(h *harness) {
	h.create("d", "")
	ids := numbered("e", 9)
	for i, id := range ids {
		h.deliver(profile(id, fmt.Sprint("r", i)))
	}
	w := h.join()
	var retries []webhook.Outcome
	for i, c := range h.claim(claimAll(w)) {
		if i%2 == 0 { // hand these back: they come before what is younger
			o := outcome(c, webhook.DeliveryReady)
			o.Due = time.Now().Add(-time.Duration(i) * time.Second)
			if i == 4 {
				o.Due = time.Time{}
			}
			retries = append(retries, o)
		}
	}
	h.must(h.trySettle(h.ctx(), w, retries))
	h.deliver(profile("late", "late"))
	equal(h, "claimed", eventIDs(h.claim(claimAll(w))), "e0 e2 e4 e6 e8 late")
}

func testClaimLimit(h *harness) {
	h.create("d", "")
	h.create("d", "")
	for i, id := range numbered("e", 4) {
		h.deliver(profile(id, fmt.Sprint("r", i)))
	}
	r := claimAll(h.join())
	for _, want := range []struct{ limit, claimed int }{{0, 0}, {3, 3}, {1, 1}, {10, 4}, {10, 0}} {
		r.Limit = want.limit
		equal(h, fmt.Sprint("claimed of at most ", want.limit), len(h.claim(r)), want.claimed)
	}
}

// deliverSized fans out an event with a message of a size to callbacks.
func (h *harness) deliverSized(id string, size int, callbacks ...webhook.Callback) {
	h.t.Helper()
	h.dispatch(profile(id, id))
	x := expand(h.pending()[0], callbacks...)
	x.Messages.JSON = []byte(strings.Repeat("m", size))
	h.must(h.store.FanOut(h.ctx(), []webhook.Expansion{x}))
}

func testClaimLimitBytes(h *harness) {
	c := h.create("d", "")
	for i, size := range []int{100, 60, 40, 41, 0, 200, 1} {
		h.deliverSized(fmt.Sprint("e", i), size, c)
	}
	r := claimAll(h.join())
	r.LimitBytes = 100
	for _, want := range []string{"e0", "e1 e2", "e3 e4", "e5", "e6"} {
		equal(h, "claimed", eventIDs(h.claim(r)), want)
	}
}

func testClaimLimitBytesTogether(h *harness) {
	callbacks := []webhook.Callback{h.create("d", ""), h.create("d", ""), h.create("d", "")}
	h.deliverSized("e", 50, callbacks...)
	r := claimAll(h.join())
	r.LimitBytes = 149
	equal(h, "claimed with room for two", len(h.claim(r)), 2)
	equal(h, "claimed with room for two", len(h.claim(r)), 1)
}

func testClaimOnce(h *harness) {
	h.create("d", "")
	h.deliver(profile("e", "r"))
	first, second := h.join(), h.join()
	equal(h, "claimed by the first", len(h.claim(claimAll(first))), 1)
	equal(h, "claimed by the second", len(h.claim(claimAll(second))), 0)
	equal(h, "claimed again", len(h.claim(claimAll(first))), 0)
}

func testClaimConcurrently(h *harness) {
	h.create("d", "")
	h.create("d", "")
	const events = 60
	for i, id := range numbered("e", events) {
		h.dispatch(profile(id, fmt.Sprint("r", i)))
	}
	h.fanOut()
	var mu sync.Mutex
	claims := make(map[string]int)
	var group sync.WaitGroup
	for range 4 {
		w := h.join()
		group.Go(func() {
			for {
				r := claimAll(w)
				r.Limit = 3
				claimed, err := h.store.Claim(h.ctx(), r)
				if err != nil {
					h.t.Error(err)
				}
				if len(claimed) == 0 {
					return
				}
				mu.Lock()
				for _, c := range claimed {
					claims[c.ID]++
				}
				mu.Unlock()
			}
		})
	}
	group.Wait()
	equal(h, "deliveries claimed", len(claims), 2*events)
	for id, n := range claims {
		if n > 1 {
			h.t.Errorf("delivery %s was claimed by %d workers at once", id, n)
		}
	}
}
