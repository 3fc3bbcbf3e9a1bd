package storetest

import (
	"errors"
	"sync"
	"sync/atomic"

	"github.com/ringback-dev/ringback/webhook"
)

func limitTests() []test {
	return []test{
		{"database", testDatabaseLimit},
		{"collection", testCollectionLimit},
		{"both", testBothLimits},
		{"none", testNoLimit},
		{"concurrent", testConcurrentLimit},
	}
}

// tryCreate reports whether a callback could be created under a limit.
func (h *harness) tryCreate(database, collection string, limit int) bool {
	h.t.Helper()
	_, err := h.store.CreateCallback(h.ctx(), bound(database, collection), limit)
	if err != nil && !errors.Is(err, webhook.ErrLimit) {
		h.t.Fatal(err)
	}
	return err == nil
}

func testDatabaseLimit(h *harness) {
	first := h.create("d", "")
	h.create("d", "c") // counts for the database too
	equal(h, "third of two", h.tryCreate("d", "", 2), false)
	equal(h, "third of two, for a collection of it", h.tryCreate("d", "new", 2), false)
	equal(h, "third of three", h.tryCreate("d", "", 3), true)
	equal(h, "first of another database", h.tryCreate("other", "", 2), true)
	h.must(h.store.DeleteCallback(h.ctx(), first.ID))
	equal(h, "after one was deleted", h.tryCreate("d", "", 3), true)
	equal(h, "and the next", h.tryCreate("d", "", 3), false)
	page, err := h.store.Callbacks(h.ctx(), webhook.CallbackQuery{Limit: 10})
	h.must(err)
	equal(h, "callbacks in the end", len(page.Callbacks), 4)
}

func testCollectionLimit(h *harness) {
	h.create("", "c")
	h.create("d", "c") // counts for the collection too
	equal(h, "third of two", h.tryCreate("", "c", 2), false)
	equal(h, "third of two, in another database", h.tryCreate("other", "c", 2), false)
	equal(h, "third of three", h.tryCreate("", "c", 3), true)
	equal(h, "first of another collection", h.tryCreate("", "new", 1), true)
}

func testBothLimits(h *harness) {
	h.create("d", "")
	equal(h, "the database is full", h.tryCreate("d", "c", 1), false)
	equal(h, "the collection alone is not", h.tryCreate("", "c", 1), true)
	equal(h, "the collection is full", h.tryCreate("new", "c", 1), false)
	equal(h, "neither is full", h.tryCreate("new", "new", 1), true)
}

func testNoLimit(h *harness) {
	for range 5 {
		equal(h, "without a limit", h.tryCreate("d", "c", 0), true)
	}
}

func testConcurrentLimit(h *harness) {
	var created atomic.Int32
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			if _, err := h.store.CreateCallback(h.ctx(), bound("d", ""), 3); err == nil {
				created.Add(1)
			} else if !errors.Is(err, webhook.ErrLimit) {
				h.t.Error(err)
			}
		})
	}
	group.Wait()
	equal(h, "created under a limit of 3", created.Load(), 3)
}
