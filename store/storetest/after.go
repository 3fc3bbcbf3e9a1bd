package storetest

import (
	"fmt"
	"strings"

	"github.com/ringback-dev/ringback/webhook"
)

func afterTests() []test {
	return []test{
		{"begins behind", testAfterBegins},
		{"with limits", testAfterLimits},
		{"fanned out in between", testAfterFannedOut},
	}
}

// pendingAfter returns the events behind a sequence, in one line, and whether there are
// more.
func (h *harness) pendingAfter(r webhook.PendingRequest) (string, bool) {
	h.t.Helper()
	pending, err := h.store.Pending(h.ctx(), r)
	h.must(err)
	equal(h, "revision", pending.Revision, h.revision())
	var ids []string
	for _, e := range pending.Events {
		if e.Sequence <= r.After {
			h.t.Errorf("event %d is not behind %d", e.Sequence, r.After)
		}
		ids = append(ids, e.ID)
	}
	return strings.Join(ids, " "), pending.More
}

func testAfterBegins(h *harness) {
	ids := numbered("e", 5)
	for _, id := range ids {
		h.dispatch(profile(id, "r"))
	}
	for i, e := range h.pending() {
		for after, from := range map[int64]int{e.Sequence: i + 1, e.Sequence - 1: i} {
			got, more := h.pendingAfter(webhook.PendingRequest{After: after, Limit: 100, LimitBytes: 1 << 30})
			equal(h, fmt.Sprint("events behind ", after), got, strings.Join(ids[from:], " "))
			equal(h, "more", more, false)
		}
	}
	got, more := h.pendingAfter(webhook.PendingRequest{After: 1 << 60, Limit: 100, LimitBytes: 1 << 30})
	equal(h, "events far behind the last", got, "")
	equal(h, "more", more, false)
}

func testAfterLimits(h *harness) {
	ids := numbered("e", 7)
	for _, id := range ids {
		h.dispatch(profile(id, "r"))
	}
	for _, limits := range []webhook.PendingRequest{
		{Limit: 1, LimitBytes: 1 << 30}, {Limit: 2, LimitBytes: 1 << 30}, {Limit: 100, LimitBytes: 0},
	} {
		var walked []string
		for more := true; more; {
			pending, err := h.store.Pending(h.ctx(), limits)
			h.must(err)
			for _, e := range pending.Events {
				walked = append(walked, e.ID)
				limits.After = e.Sequence
			}
			more = pending.More
		}
		equalList(h, fmt.Sprintf("walked with %+v", limits), walked, ids)
	}
}

func testAfterFannedOut(h *harness) {
	h.dispatch(profile("e0", "r"), profile("e1", "r"), profile("e2", "r"), profile("e3", "r"))
	events := h.pending()
	h.must(h.store.FanOut(h.ctx(), []webhook.Expansion{expand(events[0]), expand(events[2])}))
	for after, want := range map[int]string{0: "e1 e3", 1: "e3", 2: "e3", 3: ""} {
		got, _ := h.pendingAfter(webhook.PendingRequest{After: events[after].Sequence, Limit: 1, LimitBytes: 1 << 30})
		first, _, _ := strings.Cut(want, " ")
		equal(h, fmt.Sprint("first event behind ", after), got, first)
		got, _ = h.pendingAfter(webhook.PendingRequest{After: events[after].Sequence, Limit: 10, LimitBytes: 1 << 30})
		equal(h, fmt.Sprint("events behind ", after), got, want)
	}
}
