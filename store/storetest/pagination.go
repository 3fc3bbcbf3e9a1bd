package storetest

import (
	"slices"
	"strconv"
	"testing"

	"github.com/ringback-dev/ringback/webhook"
)

// A Pager is something that is listed page by page: a list of a store, or of an API
// above it.
type Pager struct {
	// Add makes one more item and returns its ID.
	Add func() string
	// Remove removes an item; nil where items cannot be removed.
	Remove func(id string)
	// Page returns the IDs of a page: at most limit, after passing over start.
	Page func(start, limit int) []string
	// Total counts all items; nil where that is not offered.
	Total func() int
	// Newest is set where the items that were added last are listed first.
	Newest bool
}

// RunPagination checks that pages tell of every item once, in a fixed order.
// newPager returns a Pager that lists nothing yet.
func RunPagination(t *testing.T, newPager func(t *testing.T) Pager) {
	t.Run("empty", func(t *testing.T) {
		p := newPager(t)
		p.check(t, nil)
	})
	t.Run("pages", func(t *testing.T) {
		p := newPager(t)
		var ids []string
		for range 7 {
			ids = append(ids, p.Add())
			p.check(t, ids)
		}
	})
	t.Run("while others add and remove", func(t *testing.T) {
		p := newPager(t)
		if p.Remove == nil {
			return // then it is the order alone that matters, see above
		}
		var ids []string
		for range 6 {
			ids = append(ids, p.Add())
		}
		for _, i := range []int{0, 2, 3} { // first, middle, last of those left
			p.Remove(ids[i])
			ids = slices.Delete(ids, i, i+1)
			p.check(t, ids)
			ids = append(ids, p.Add())
			p.check(t, ids)
		}
		for len(ids) > 0 {
			p.Remove(ids[0])
			ids = ids[1:]
			p.check(t, ids)
		}
	})
}

// check compares the pages, whatever their size, with what is to be listed.
func (p Pager) check(t *testing.T, added []string) {
	t.Helper()
	want := slices.Clone(added)
	if p.Newest {
		slices.Reverse(want)
	}
	for limit := 1; limit <= len(want)+1; limit++ {
		for start := 0; start <= len(want)+1; start++ {
			end := min(start+limit, len(want))
			wantPage := want[min(start, end):end]
			if got := p.Page(start, limit); !slices.Equal(got, wantPage) {
				t.Fatalf("page of %d from %d: got %v, want %v of %v", limit, start, got, wantPage, want)
			}
		}
	}
	if got := p.Page(1<<40, 1); len(got) > 0 {
		t.Errorf("page far behind the end holds %v", got)
	}
	if p.Total != nil {
		if got := p.Total(); got != len(want) {
			t.Errorf("total is %d, want %d", got, len(want))
		}
	}
}

// callbackPager lists the callbacks of one database among others.
func callbackPager(h *harness) Pager {
	scope := webhook.Scope{Database: "d"}
	list := func(q webhook.CallbackQuery) webhook.CallbackPage {
		h.t.Helper()
		q.Scope = scope
		page, err := h.store.Callbacks(h.ctx(), q)
		h.must(err)
		return page
	}
	return Pager{
		Add: func() string {
			h.create("other", "")
			return h.create("d", "").ID
		},
		Remove: func(id string) { h.must(h.store.DeleteCallback(h.ctx(), id)) },
		Page: func(start, limit int) (ids []string) {
			for _, c := range list(webhook.CallbackQuery{Start: start, Limit: limit}).Callbacks {
				ids = append(ids, c.ID)
			}
			return ids
		},
		Total: func() int { return list(webhook.CallbackQuery{Limit: 1, WithTotal: true}).Total },
	}
}

// deliveryPager lists the deliveries to one of two callbacks.
func deliveryPager(h *harness) Pager {
	c := h.create("d", "")
	h.create("d", "")
	added := 0
	return Pager{
		Add: func() string {
			added++
			event := "e" + strconv.Itoa(added)
			h.deliver(profile(event, "r"))
			return webhook.DeliveryID(event, c.ID)
		},
		Page: func(start, limit int) (ids []string) {
			for _, d := range h.deliveries(webhook.DeliveryQuery{Callback: c.ID, Start: start, Limit: limit}) {
				ids = append(ids, d.ID)
			}
			return ids
		},
		Newest: true,
	}
}
