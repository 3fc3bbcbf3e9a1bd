package storetest

import (
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ringback-dev/ringback/webhook"
	"github.com/ringback-dev/ringback/webhook/signature"
)

func registryTests() []test {
	return []test{
		{"create fills in", testCreate},
		{"create keeps what is given", testCreateKeeps},
		{"IDs are never given twice", testIDs},
		{"absent", testAbsentCallback},
		{"update", testUpdate},
		{"update conflict", testUpdateConflict},
		{"concurrent updates", testConcurrentUpdates},
		{"delete", testDelete},
		{"scopes list", testScopes},
		{"revision", testRevision},
		{"after", testAfter},
	}
}

func testCreate(h *harness) {
	before := time.Now().Truncate(time.Millisecond)
	c, err := h.store.CreateCallback(h.ctx(), webhook.Callback{
		Database: "d", URL: "https://example.com/",
		// What the store sets is not the caller's to choose.
		ID: "chosen", Version: 77, After: 77, Created: time.Unix(77, 0), Updated: time.Unix(77, 0),
		ExpressionFailures: 77, ExpressionError: webhook.ExpressionError{Message: "chosen"},
	}, 0)
	h.must(err)
	if c.ID == "" || c.ID == "chosen" || strings.ContainsFunc(c.ID, func(r rune) bool {
		return !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9')
	}) {
		h.t.Errorf("ID is %q, want letters and digits", c.ID)
	}
	if c.Created.Before(before) || c.Created.After(time.Now()) {
		h.t.Errorf("created at %v, it is %v", c.Created, before)
	}
	h.checkTime(c.Created)
	equal(h, "updated", c.Updated, c.Created)
	equal(h, "after", c.After, 0)
	equal(h, "failures", c.ExpressionFailures, 0)
	equal(h, "failure", c.ExpressionError, webhook.ExpressionError{})
	equal(h, "action", c.Action, webhook.ActionAll)
	equal(h, "method", c.Method, webhook.MethodJSON)
	equal(h, "encoding", c.Encoding, webhook.EncodingBody)
	equal(h, "when", c.When, webhook.WhenMatches)
	equal(h, "ordering", c.Ordering, webhook.OrderingHold)
	equal(h, "state", c.State, webhook.StateActive)
	stored, err := h.store.Callback(h.ctx(), c.ID)
	h.must(err)
	equal(h, "stored", stored, c)
}

func testCreateKeeps(h *harness) {
	want := webhook.Callback{
		Database: "d\x00'☎", Collection: "0x10", URL: "https://例え.example/?q=%00&r='\"",
		Expression: "name == '\u2028\x00€𝄞'", When: webhook.WhenLeaves, Action: webhook.ActionDelete,
		Method: webhook.MethodXML, Encoding: webhook.EncodingForm, Ordering: webhook.OrderingSkip,
		State: webhook.StateDisabled, Reason: "\u2028\x00€𝄞", Secret: signature.NewSecret(),
	}
	c, err := h.store.CreateCallback(h.ctx(), want, 0)
	h.must(err)
	want.ID, want.Version, want.Created, want.Updated = c.ID, c.Version, c.Created, c.Updated
	equal(h, "created", c, want)
	stored, err := h.store.Callback(h.ctx(), c.ID)
	h.must(err)
	equal(h, "stored", stored, want)
}

func testIDs(h *harness) {
	seen := make(map[string]bool)
	for range 5 {
		c := h.create("d", "")
		if seen[c.ID] {
			h.t.Fatalf("ID %s is given twice", c.ID)
		}
		seen[c.ID] = true
		h.must(h.store.DeleteCallback(h.ctx(), c.ID))
	}
}

// absentIDs are IDs that no callback has.
func (h *harness) absentIDs() []string {
	c := h.create("d", "")
	gone := h.create("d", "")
	h.must(h.store.DeleteCallback(h.ctx(), gone.ID))
	return []string{
		"", "x", "-1", "987654321", "0" + c.ID, " " + c.ID, c.ID + " ", "+" + c.ID, c.ID + ".0", gone.ID,
		strings.Repeat("9", 300), "1e1", "'", "\x00", "é",
	}
}

func testAbsentCallback(h *harness) {
	for _, id := range h.absentIDs() {
		_, err := h.store.Callback(h.ctx(), id)
		h.wantErr("Callback "+id, err, webhook.ErrNotFound)
		change := bound("d", "")
		change.ID, change.Version = id, 1
		_, err = h.store.UpdateCallback(h.ctx(), change)
		h.wantErr("UpdateCallback "+id, err, webhook.ErrNotFound)
		h.wantErr("DeleteCallback "+id, h.store.DeleteCallback(h.ctx(), id), webhook.ErrNotFound)
	}
}

func testUpdate(h *harness) {
	created := h.create("d", "c")
	change := webhook.Callback{
		ID: created.ID, Version: created.Version, Database: "other", Collection: "other", After: 99,
		URL: "http://example.net/", Expression: "a > 1", When: webhook.WhenEnters, Action: webhook.ActionCreate,
		Method: webhook.MethodXML, Encoding: webhook.EncodingForm, Ordering: webhook.OrderingSkip,
		State: webhook.StateDisabled, Reason: "by hand ☎", Secret: signature.NewSecret(),
		PreviousSecret: signature.NewSecret(), PreviousUntil: time.Now().Add(time.Hour).Truncate(time.Millisecond).UTC(),
	}
	updated, err := h.store.UpdateCallback(h.ctx(), change)
	h.must(err)
	if updated.Version == created.Version || updated.Updated.Before(created.Updated) {
		h.t.Errorf("version went from %d to %d, updated from %v to %v",
			created.Version, updated.Version, created.Updated, updated.Updated)
	}
	want := change
	want.Database, want.Collection, want.Created, want.After = "d", "c", created.Created, created.After
	want.Version, want.Updated = updated.Version, updated.Updated
	equal(h, "updated", updated, want)
	stored, err := h.store.Callback(h.ctx(), created.ID)
	h.must(err)
	equal(h, "stored", stored, want)

	updated.When, updated.Action, updated.Method, updated.Encoding = "", "", "", ""
	updated.Ordering, updated.State, updated.Reason = "", "", ""
	updated, err = h.store.UpdateCallback(h.ctx(), updated)
	h.must(err)
	equal(h, "defaults", updated, updated.WithDefaults())
}

func testUpdateConflict(h *harness) {
	c := h.create("d", "")
	current, err := h.store.UpdateCallback(h.ctx(), c)
	h.must(err)
	for _, version := range []int64{c.Version, current.Version + 1, 0, -1} {
		stale := current
		stale.Version, stale.URL = version, "https://example.com/stale"
		_, err := h.store.UpdateCallback(h.ctx(), stale)
		h.wantErr("stale update", err, webhook.ErrConflict)
	}
	stored, err := h.store.Callback(h.ctx(), c.ID)
	h.must(err)
	equal(h, "stored", stored, current)
}

func testConcurrentUpdates(h *harness) {
	c := h.create("d", "")
	var won atomic.Int32
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			if _, err := h.store.UpdateCallback(h.ctx(), c); err == nil {
				won.Add(1)
			}
		})
	}
	group.Wait()
	equal(h, "updates of one version that succeed", won.Load(), 1)
}

func testDelete(h *harness) {
	kept, gone := h.create("d", ""), h.create("d", "")
	h.deliver(profile("e1", "r"), profile("e2", "r"))
	h.must(h.store.DeleteCallback(h.ctx(), gone.ID))
	page, err := h.store.Callbacks(h.ctx(), webhook.CallbackQuery{Limit: 10, WithTotal: true})
	h.must(err)
	equal(h, "total", page.Total, 1)
	equal(h, "left", page.Callbacks[0], kept)
	listeners, err := h.store.Listeners(h.ctx(), webhook.Scope{Database: "d"})
	h.must(err)
	equalList(h, "listeners", listeners.Callbacks, []webhook.Callback{kept})

	equal(h, "deliveries left", len(h.deliveries(webhook.DeliveryQuery{})), 2)
	equal(h, "deliveries of it", len(h.deliveries(webhook.DeliveryQuery{Callback: gone.ID})), 0)
	for _, event := range []string{"e1", "e2"} {
		_, err := h.store.Delivery(h.ctx(), webhook.DeliveryID(event, gone.ID))
		h.wantErr("Delivery", err, webhook.ErrNotFound)
		_, err = h.store.Attempts(h.ctx(), webhook.DeliveryID(event, gone.ID))
		h.wantErr("Attempts", err, webhook.ErrNotFound)
	}
	for _, c := range h.claim(claimAll(h.join())) {
		equal(h, "claimed for", *c.To, kept)
	}
}

func testScopes(h *harness) {
	h.create("d", "")
	h.create("d", "c")
	h.create("", "c")
	h.create("other", "c")
	h.create("other", "")
	for _, c := range []struct {
		scope webhook.Scope
		want  string
	}{
		{webhook.Scope{}, "d/ d/c /c other/c other/"},
		{webhook.Scope{Database: "d"}, "d/ d/c"},
		{webhook.Scope{Collection: "c"}, "d/c /c other/c"},
		{webhook.Scope{Database: "d", Collection: "c"}, "d/c"},
		{webhook.Scope{Database: "absent"}, ""},
		{webhook.Scope{Database: "D"}, ""},
		{webhook.Scope{Database: "d", Collection: "absent"}, ""},
	} {
		page, err := h.store.Callbacks(h.ctx(), webhook.CallbackQuery{Scope: c.scope, Limit: 10, WithTotal: true})
		h.must(err)
		var got []string
		for _, c := range page.Callbacks {
			got = append(got, c.Database+"/"+c.Collection)
		}
		equal(h, "listed", strings.Join(got, " "), c.want)
		equal(h, "total", page.Total, len(got))
		page, err = h.store.Callbacks(h.ctx(), webhook.CallbackQuery{Scope: c.scope, Limit: 10})
		h.must(err)
		equal(h, "total that nobody asked for", page.Total, 0)
	}
}

func testRevision(h *harness) {
	last := int64(-1)
	grown := func(after string) {
		h.t.Helper()
		pending, err := h.store.Pending(h.ctx(), webhook.PendingRequest{Limit: 1, LimitBytes: 1 << 30})
		h.must(err)
		listeners, err := h.store.Listeners(h.ctx(), webhook.Scope{Database: "d"})
		h.must(err)
		equal(h, "revision of the listeners after "+after, listeners.Revision, pending.Revision)
		if pending.Revision <= last {
			h.t.Fatalf("revision after %s is %d, was %d", after, pending.Revision, last)
		}
		last = pending.Revision
	}
	grown("nothing")
	c := h.create("d", "")
	grown("create")
	_, err := h.store.UpdateCallback(h.ctx(), c)
	h.must(err)
	grown("update")
	h.must(h.store.DeleteCallback(h.ctx(), c.ID))
	grown("delete")
}

func testAfter(h *harness) {
	h.dispatch(profile("e1", "r"), profile("e2", "r"))
	last := h.pending()[1].Sequence
	c := h.create("d", "")
	equal(h, "after two events", c.After, last)
	h.dispatch(profile("e3", "r"))
	h.fanOut()
	equal(h, "deliveries to a callback that was created in between",
		len(h.deliveries(webhook.DeliveryQuery{Callback: c.ID})), 1)
	last++

	// Nothing that is forgotten makes the numbers start again.
	h.must(h.store.DeleteCallback(h.ctx(), c.ID))
	h.pruneAll()
	c = h.create("d", "")
	if c.After < last {
		h.t.Errorf("after everything was pruned: after %d, want at least %d", c.After, last)
	}
	h.dispatch(profile("e4", "r"))
	if e := h.pending()[0]; e.Sequence <= c.After {
		h.t.Errorf("event %d was appended after %d", e.Sequence, c.After)
	}
}
