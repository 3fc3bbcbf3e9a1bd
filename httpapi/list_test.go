package httpapi_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/ringback-dev/ringback/httpapi"
	"github.com/ringback-dev/ringback/store/memory"
	"github.com/ringback-dev/ringback/webhook"
)

const someURL = `{"url":"http://example.com/"}`

// A database without callbacks is an empty list, not an error.
func TestEmptyList(t *testing.T) {
	c := newClient(t)
	for _, path := range []string{"/database/788/callbacks", "/collection/8550/callbacks"} {
		got := c.get(path).want(http.StatusOK).body
		if want := `{"start":0,"limit":100,"total":0,"data":[]}` + "\n"; got != want {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
	}
}

func TestListQuery(t *testing.T) {
	c := newClient(t)
	for range 3 {
		c.create("/database/788/callbacks", someURL)
	}
	ids := []string{"1", "2", "3"}
	for query, want := range map[string]struct {
		start json.Number
		limit any
		total int // -1: none
		ids   []string
	}{
		"":                             {"0", json.Number("100"), 3, ids},
		"?":                            {"0", json.Number("100"), 3, ids},
		"?limit=1":                     {"0", "1", 3, ids[:1]},
		"?limit=100":                   {"0", "100", 3, ids},
		"?limit=1000":                  {"0", "1000", 3, ids},
		"?limit=%31":                   {"0", "1", 3, ids[:1]},
		"?start=0":                     {"0", json.Number("100"), 3, ids},
		"?start=1":                     {"1", json.Number("100"), 3, ids[1:]},
		"?start=1&limit=1":             {"1", "1", 3, ids[1:2]},
		"?limit=2&start=2":             {"2", "2", 3, ids[2:]},
		"?start=3":                     {"3", json.Number("100"), 3, []string{}},
		"?start=9223372036854775807":   {"9223372036854775807", json.Number("100"), 3, []string{}},
		"?start=99999999999999999999":  {"99999999999999999999", json.Number("100"), 3, []string{}},
		"?total=false":                 {"0", json.Number("100"), -1, ids},
		"?total=false&start=1&limit=1": {"1", "1", -1, ids[1:2]},
		"?total=true":                  {"0", json.Number("100"), 3, ids},
		"?total=":                      {"0", json.Number("100"), 3, ids},
		"?total":                       {"0", json.Number("100"), 3, ids},
		"?access_token=a;b%zz&limit=1": {"0", "1", 3, ids[:1]},
		"?x=1&x=2&Limit=7&%zz=1&&=":    {"0", json.Number("100"), 3, ids},
	} {
		answer := c.get("/database/788/callbacks" + query).want(http.StatusOK)
		got := answer.listing()
		if got.Start != want.start || got.Limit != want.limit || !slices.Equal(got.ids(), want.ids) {
			t.Errorf("%s: %s", query, answer.body)
		}
		if want.total < 0 && got.Total != nil || want.total >= 0 && (got.Total == nil || *got.Total != want.total) {
			t.Errorf("%s: total: %s", query, answer.body)
		}
	}
}

func TestBadListQuery(t *testing.T) {
	c := newClient(t)
	for field, queries := range map[string][]string{
		"limit": {
			"limit=0", "limit=1001", "limit=-1", "limit=", "limit", "limit=abc", "limit=1.0", "limit=1e2", "limit=%2B5",
			"limit=+5", "limit=05", "limit=0x10", "limit=5%20", "limit=99999999999999999999", "limit=٣", "limit=%zz",
			"limit=1_0", "limit=5;start=1", "limit=1&limit=1", "limit=1&%6Cimit=2", "limit=null",
		},
		"start": {
			"start=-1", "start=", "start", "start=abc", "start=1.5", "start=1e2", "start=%2B1", "start=00", "start=01",
			"start=%zz", "start=1&start=1", "start=-0", "start=+1",
		},
		"total": {"total=false&total=true", "total=%zz"},
	} {
		for _, query := range queries {
			for _, path := range []string{"/database/788/callbacks?", "/collection/8550/callbacks?"} {
				c.get(path+query).wantError(http.StatusBadRequest, field)
			}
		}
	}
}

// countingRegistry remembers the queries.
type countingRegistry struct {
	httpapi.Store
	mu      sync.Mutex
	queries []webhook.CallbackQuery
}

func (r *countingRegistry) Callbacks(ctx context.Context, q webhook.CallbackQuery) (webhook.CallbackPage, error) {
	r.mu.Lock()
	r.queries = append(r.queries, q)
	r.mu.Unlock()
	return r.Store.Callbacks(ctx, q)
}

// total=false must not cost a count.
func TestTotalFalseDoesNotCount(t *testing.T) {
	registry := &countingRegistry{Store: memory.New()}
	c := serve(t, newAPI(t, registry, nil))
	c.get("/database/788/callbacks?total=false").want(http.StatusOK)
	c.get("/database/788/callbacks").want(http.StatusOK)
	c.get("/database/788/callbacks?limit=0").want(http.StatusBadRequest)
	want := []webhook.CallbackQuery{
		{Scope: webhook.Scope{Database: "788"}, Limit: 100},
		{Scope: webhook.Scope{Database: "788"}, Limit: 100, WithTotal: true},
	}
	if !slices.Equal(registry.queries, want) {
		t.Errorf("asked the registry %+v, want %+v", registry.queries, want)
	}
}

// However far behind the end a listing starts, a store can calculate with it.
func TestHugeStartIsHarmless(t *testing.T) {
	registry := &countingRegistry{Store: memory.New()}
	c := serve(t, newAPI(t, registry, nil))
	for _, start := range []string{"2147483647", "2147483648", "9223372036854775807", "99999999999999999999"} {
		c.get("/database/788/callbacks?start=" + start).want(http.StatusOK)
	}
	for _, q := range registry.queries {
		if q.Start != math.MaxInt32 {
			t.Errorf("asked the registry for start %d", q.Start)
		}
	}
}

// A callback that is bound to both is listed under both; others stay where they
// are.
func TestListedUnder(t *testing.T) {
	c := newClient(t)
	inDatabase := c.create("/database/788/callbacks", someURL)
	inBoth := c.create("/database/788/callbacks", `{"url":"http://example.com/","collection":8550}`)
	inCollection := c.create("/collection/8550/callbacks", someURL)
	elsewhere := c.create("/database/789/callbacks", `{"url":"http://example.com/","collection":8550}`)
	for path, want := range map[string][]string{
		"/database/788/callbacks":    {inDatabase, inBoth},
		"/database/789/callbacks":    {elsewhere},
		"/database/8550/callbacks":   {},
		"/collection/8550/callbacks": {inBoth, inCollection, elsewhere},
		"/collection/788/callbacks":  {},
	} {
		if got := c.get(path).want(http.StatusOK).listing().ids(); !slices.Equal(got, want) {
			t.Errorf("%s lists %q, want %q", path, got, want)
		}
	}
}

func TestHead(t *testing.T) {
	c := newClient(t)
	id := c.create("/database/788/callbacks", someURL)
	for _, path := range []string{"/database/788/callbacks", "/callback/" + id} {
		head := c.do(http.MethodHead, path, "").want(http.StatusOK)
		if got, want := head.header.Get("Content-Length"), strconv.Itoa(len(c.get(path).body)); got != want || head.body != "" {
			t.Errorf("HEAD %s: Content-Length %s, want %s, and body %q", path, got, want, head.body)
		}
	}
	if head := c.do(http.MethodHead, "/callback/none", ""); head.status != http.StatusNotFound {
		t.Errorf("HEAD of an unknown callback: status %d", head.status)
	}
}

// checkPaging demands that every window of a list shows that part of it.
func checkPaging(t *testing.T, all []string, fetch func(start, limit int) (ids []string, total int)) {
	t.Helper()
	for start := range len(all) + 2 {
		for limit := 1; limit <= len(all)+1; limit++ {
			from := min(start, len(all))
			want := all[from:min(from+limit, len(all))]
			if got, total := fetch(start, limit); !slices.Equal(got, want) || total != len(all) {
				t.Errorf("start %d, limit %d: %q of %d, want %q of %d", start, limit, got, total, want, len(all))
			}
		}
	}
}

func (c *client) page(path string, start, limit int) listing {
	c.t.Helper()
	return c.get(fmt.Sprintf("%s?start=%d&limit=%d", path, start, limit)).want(http.StatusOK).listing()
}

func TestPaging(t *testing.T) {
	c := newClient(t)
	const path = "/database/788/callbacks"
	fetch := func(start, limit int) ([]string, int) {
		page := c.page(path, start, limit)
		return page.ids(), *page.Total
	}
	checkPaging(t, nil, fetch)
	var ids []string
	for range 6 {
		ids = append(ids, c.create(path, someURL))
		c.create("/database/other/callbacks", someURL)
	}
	checkPaging(t, ids, fetch)

	// An update does not move a callback, a delete closes the gap.
	c.put("/callback/"+ids[0], `{"expression":"changed"}`).want(http.StatusOK)
	checkPaging(t, ids, fetch)
	c.do(http.MethodDelete, "/callback/"+ids[3], "").want(http.StatusOK)
	checkPaging(t, slices.Delete(ids, 3, 4), fetch)
}

// Whoever walks through the pages while others create sees what was there once, in
// its order.
func TestWalkWhileOthersCreate(t *testing.T) {
	c := newClient(t)
	const path = "/database/788/callbacks"
	var before []string
	for range 7 {
		before = append(before, c.create(path, someURL))
	}
	var seen []string
	for start := 0; start < len(before); start += 2 {
		seen = append(seen, c.page(path, start, 2).ids()...)
		c.create(path, someURL)
	}
	if got := seen[:len(before)]; !slices.Equal(got, before) {
		t.Errorf("saw %q, want %q", got, before)
	}
}

// Others who create and delete at the same time never change the order of the
// rest.
func TestOrderIsStable(t *testing.T) {
	c := newClient(t)
	const path = "/database/788/callbacks"
	var kept []string
	for range 5 {
		kept = append(kept, c.create(path, someURL))
		c.create(path, someURL)
	}
	others := c.get(path).listing().ids()
	others = slices.DeleteFunc(others, func(id string) bool { return slices.Contains(kept, id) })

	c.parallel(map[string]func(*client){
		"create": func(c *client) {
			for range 20 {
				c.create(path, someURL)
			}
		},
		"delete": func(c *client) {
			for _, id := range others {
				c.do(http.MethodDelete, "/callback/"+id, "").want(http.StatusOK)
			}
		},
		"list": func(c *client) {
			for range 20 {
				ids := c.get(path).want(http.StatusOK).listing().ids()
				if !slices.IsSortedFunc(ids, compareNumbers) {
					c.t.Errorf("not in the order of creation: %q", ids)
				}
				rest := slices.DeleteFunc(ids, func(id string) bool { return !slices.Contains(kept, id) })
				if !slices.Equal(rest, kept) {
					c.t.Errorf("of what was not touched %q are left, want %q", rest, kept)
				}
			}
		},
	})
}

// compareNumbers compares the IDs of the memory store, which count up.
func compareNumbers(a, b string) int {
	if len(a) != len(b) {
		return len(a) - len(b)
	}
	return strings.Compare(a, b)
}
