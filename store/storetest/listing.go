package storetest

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ringback-dev/ringback/webhook"
)

func listingTests() []test {
	return []test{
		{"record", testListRecord},
		{"since and until", testListTimes},
		{"total", testListTotal},
		{"everything together", testListTogether},
	}
}

// listed returns the events of the deliveries that a query selects, in one line.
func (h *harness) listed(q webhook.DeliveryQuery) string {
	h.t.Helper()
	var ids []string
	for _, d := range h.deliveries(q) {
		ids = append(ids, d.EventID)
	}
	return strings.Join(ids, " ")
}

func testListRecord(h *harness) {
	profiles, subprofiles := h.create("d", ""), h.create("", "c")
	h.deliver(profile("1", "r"), profile("2", "s"), profile("3", "r"), subprofile("4", "d", "c", "r"),
		subprofile("5", "D", "c", "r"), subprofile("6", "d", "c", "R"), child("7", "d", "c", "t", "r"))
	for _, c := range []struct{ callback, record, want string }{
		{"", "r", "5 4 3 1"}, {profiles.ID, "r", "3 1"}, {subprofiles.ID, "r", "5 4"}, {"", "s", "2"}, {"", "R", "6"},
		{"", "t", "7"}, {"", "parent", ""}, {"", "r ", ""}, {profiles.ID, "t", ""}, {"", "'", ""},
	} {
		q := webhook.DeliveryQuery{Callback: c.callback, Record: c.record}
		equal(h, "of record "+c.record, h.listed(q), c.want)
		q.State = webhook.DeliveryDead
		equal(h, "dead of record "+c.record, h.listed(q), "")
	}
}

func testListTimes(h *harness) {
	c := h.create("d", "")
	ids := numbered("e", 5)
	var created []time.Time
	for _, id := range ids {
		h.deliver(profile(id, "r"))
		created = append(created, h.delivery(id, c).Created)
		h.tick()
	}
	want := func(from, to int) string {
		part := slices.Clone(ids[from:max(from, to)])
		slices.Reverse(part)
		return strings.Join(part, " ")
	}
	for i, since := range created {
		for j, until := range created {
			got := h.listed(webhook.DeliveryQuery{Since: since, Until: until})
			equal(h, fmt.Sprintf("since %d until %d", i, j), got, want(i, j))
		}
		equal(h, "since", h.listed(webhook.DeliveryQuery{Since: since}), want(i, 5))
		equal(h, "since a moment later",
			h.listed(webhook.DeliveryQuery{Since: since.Add(time.Millisecond)}), want(i+1, 5))
		equal(h, "until", h.listed(webhook.DeliveryQuery{Until: since}), want(0, i))
		zone := time.FixedZone("", 5*3600)
		equal(h, "until a moment later elsewhere",
			h.listed(webhook.DeliveryQuery{Callback: c.ID, Until: since.Add(time.Millisecond).In(zone)}), want(0, i+1))
	}
	equal(h, "since long", h.listed(webhook.DeliveryQuery{Since: time.Unix(0, 0)}), want(0, 5))
	equal(h, "since the future", h.listed(webhook.DeliveryQuery{Since: later()}), "")
	equal(h, "until long ago", h.listed(webhook.DeliveryQuery{Until: time.Unix(0, 0)}), "")

	// It is the fan-out that counts, not what comes after it, nor when it happened.
	w := h.join()
	h.deliverAll(w, webhook.DeliveryDead)
	h.replay("e0", c)
	old := profile("old", "s")
	old.Time = created[0].AddDate(-1, 0, 0)
	h.deliver(old)
	equal(h, "since the last", h.listed(webhook.DeliveryQuery{Since: created[4]}), "old e4")
	equal(h, "until the second", h.listed(webhook.DeliveryQuery{Until: created[1]}), "e0")
}

func testListTotal(h *harness) {
	callbacks := h.backlog(2, 5)
	for _, c := range []struct {
		q     webhook.DeliveryQuery
		total int
	}{
		{webhook.DeliveryQuery{}, 10}, {webhook.DeliveryQuery{Callback: callbacks[1].ID}, 5},
		{webhook.DeliveryQuery{Record: "r3"}, 2}, {webhook.DeliveryQuery{State: webhook.DeliveryReady}, 10},
		{webhook.DeliveryQuery{State: webhook.DeliveryDead}, 0}, {webhook.DeliveryQuery{Since: later()}, 0},
		{webhook.DeliveryQuery{Callback: callbacks[0].ID, Record: "r0", Until: later()}, 1},
	} {
		for _, page := range []struct{ start, limit int }{{0, 1}, {0, 100}, {3, 2}, {9, 1}, {1000, 1}} {
			c.q.Start, c.q.Limit = page.start, page.limit
			c.q.WithTotal = true
			got, err := h.store.Deliveries(h.ctx(), c.q)
			h.must(err)
			equal(h, fmt.Sprintf("total of %+v", c.q), got.Total, c.total)
			equal(h, fmt.Sprintf("page of %+v", c.q), len(got.Deliveries), max(0, min(page.limit, c.total-page.start)))
			c.q.WithTotal = false
			got, err = h.store.Deliveries(h.ctx(), c.q)
			h.must(err)
			equal(h, "total that nobody asked for", got.Total, 0)
		}
	}
}

// testListTogether compares what all fields together select with what is selected one
// by one.
func testListTogether(h *harness) {
	callbacks := []webhook.Callback{h.create("d", ""), h.create("d", "")}
	w := h.join()
	var times []time.Time
	for i, id := range numbered("e", 12) {
		h.deliver(profile(id, []string{"r", "s", "t"}[i%3]))
		times = append(times, h.delivery(id, callbacks[0]).Created)
		if i < 8 {
			h.deliverAll(w, []webhook.DeliveryState{webhook.DeliveryDelivered, webhook.DeliveryDead}[i%2])
		}
		h.tick()
	}
	all := h.deliveries(webhook.DeliveryQuery{})
	equal(h, "deliveries", len(all), 24)
	for _, callback := range []string{"", callbacks[0].ID, callbacks[1].ID} {
		for _, state := range []webhook.DeliveryState{
			"", webhook.DeliveryDelivered, webhook.DeliveryDead, webhook.DeliveryReady, webhook.DeliveryWaiting,
		} {
			for _, record := range []string{"", "r", "t"} {
				for _, since := range []time.Time{{}, times[4]} {
					for _, until := range []time.Time{{}, times[9]} {
						q := webhook.DeliveryQuery{
							Callback: callback, State: state, Record: record, Since: since, Until: until,
						}
						h.checkListing(all, q)
					}
				}
			}
		}
	}
}

// checkListing compares the pages of a query with what it selects of all deliveries.
func (h *harness) checkListing(all []webhook.Delivery, q webhook.DeliveryQuery) {
	h.t.Helper()
	var want []webhook.Delivery
	for _, d := range all {
		if (q.Callback == "" || d.Callback == q.Callback) && (q.State == "" || d.State == q.State) &&
			(q.Record == "" || d.Record == q.Record) && (q.Since.IsZero() || !d.Created.Before(q.Since)) &&
			(q.Until.IsZero() || d.Created.Before(q.Until)) {
			want = append(want, d)
		}
	}
	q.WithTotal = true
	for q.Limit = 5; q.Start < len(want)+q.Limit; q.Start += q.Limit {
		page, err := h.store.Deliveries(h.ctx(), q)
		h.must(err)
		from := min(q.Start, len(want))
		equalList(h, fmt.Sprintf("%+v", q), page.Deliveries, want[from:min(from+q.Limit, len(want))])
		equal(h, "total", page.Total, len(want))
	}
}
