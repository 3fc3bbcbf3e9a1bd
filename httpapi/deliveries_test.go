package httpapi_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/ringback-dev/ringback/httpapi"
	"github.com/ringback-dev/ringback/store/storetest"
	"github.com/ringback-dev/ringback/webhook"
)

const one, two = json.Number("1"), json.Number("2")

// The pages of both kinds of lists tell of every item once, in a fixed order.
func TestPagination(t *testing.T) {
	pager := func(c *client, path string) storetest.Pager {
		return storetest.Pager{
			Page:  func(start, limit int) []string { return c.page(path, start, limit).ids() },
			Total: func() int { return *c.get(path).want(http.StatusOK).listing().Total },
		}
	}
	t.Run("callbacks", func(t *testing.T) {
		storetest.RunPagination(t, func(t *testing.T) storetest.Pager {
			c := newClient(t)
			p := pager(c, "/database/788/callbacks")
			p.Add = func() string {
				c.create("/database/789/callbacks", someURL)
				return c.create("/database/788/callbacks", someURL)
			}
			p.Remove = func(id string) { c.do(http.MethodDelete, "/callback/"+id, "").want(http.StatusOK) }
			return p
		})
	})
	t.Run("deliveries", func(t *testing.T) {
		storetest.RunPagination(t, func(t *testing.T) storetest.Pager {
			store := newHistory(t)
			c := serve(t, newAPI(t, store, nil))
			id := c.create("/database/788/callbacks", someURL)
			c.create("/database/788/callbacks", someURL) // hears of the same
			p := pager(c, "/callback/"+id+"/deliveries")
			added := 0
			p.Add = func() string {
				added++
				event := "e" + strconv.Itoa(added)
				store.tell(event, "r")
				return webhook.DeliveryID(event, id)
			}
			p.Newest = true
			return p
		})
	})
}

// Each filter selects, and so do all together; keys that are not ours pass.
func TestDeliveries(t *testing.T) {
	store := newHistory(t)
	c := serve(t, newAPI(t, store, nil))
	id := c.create("/database/788/callbacks", someURL)
	path := "/callback/" + id + "/deliveries"
	if got, want := c.get(path).want(http.StatusOK).body, `{"start":0,"limit":100,"total":0,"data":[]}`+"\n"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	c.create("/database/788/callbacks", someURL) // hears of the same
	store.tell("e1", "1")
	store.attempt(webhook.DeliveryDelivered, 200)
	store.tell("e2", "a&b")
	store.attempt(webhook.DeliveryDead, 500)
	store.tell("e3", "1")
	store.tell("e4", "1")
	d := func(events ...string) []string {
		ids := []string{}
		for _, event := range events {
			ids = append(ids, event+"_"+id)
		}
		return ids
	}
	now := time.Now()
	in := func(after time.Duration) string {
		return url.QueryEscape(now.Add(after).In(time.FixedZone("CET", 3600)).Format(time.RFC3339))
	}
	for query, want := range map[string][]string{
		"":                            d("e4", "e3", "e2", "e1"),
		"?state=delivered":            d("e1"),
		"?state=dead":                 d("e2"),
		"?state=ready":                d("e3"),
		"?state=waiting":              d("e4"),
		"?state=claimed":              {},
		"?record=1":                   d("e4", "e3", "e1"),
		"?record=a%26b":               d("e2"),
		"?record=2":                   {},
		"?record=1&state=waiting":     d("e4"),
		"?record=1&start=1&limit=1":   d("e3"),
		"?since=" + in(-time.Hour):    d("e4", "e3", "e2", "e1"),
		"?since=" + in(time.Hour):     {},
		"?until=" + in(time.Hour):     d("e4", "e3", "e2", "e1"),
		"?until=" + in(-time.Hour):    {},
		"?callback=2&access_token=%z": d("e4", "e3", "e2", "e1"),
		"?since=" + in(-time.Hour) + "&until=" + in(time.Hour) + "&state=dead&record=a%26b": d("e2"),
	} {
		answer := c.get(path + query).want(http.StatusOK)
		page := answer.listing()
		if !slices.Equal(page.ids(), want) {
			t.Errorf("%s: %q, want %q", query, page.ids(), want)
		}
		if !strings.Contains(query, "limit") && *page.Total != len(want) {
			t.Errorf("%s: total %d, want %d", query, *page.Total, len(want))
		}
	}

	// The time of an event is the bound itself: since takes it, until does not.
	created := fmt.Sprint(c.get(path + "?state=delivered").listing().Data[0]["created"])
	for key, want := range map[string]bool{"since": true, "until": false} {
		got := c.get(path + "?" + key + "=" + created).want(http.StatusOK).listing().ids()
		if slices.Contains(got, "e1_"+id) != want {
			t.Errorf("%s=%s lists %q", key, created, got)
		}
	}
	// A bound just behind it has passed it, as far as its own digits say; and the first
	// time that there is bounds like any other.
	behind := strings.TrimSuffix(created, "Z") + map[bool]string{true: "", false: ".000"}[strings.Contains(created, ".")] + "0001Z"
	for query, want := range map[string]bool{
		"since=" + behind: false, "until=" + behind: true,
		"since=0001-01-01T00:00:00Z": true, "until=0001-01-01T00:00:00Z": false,
		"since=0000-01-01T00:00:00%2B23:59": true, "until=0000-01-01T00:00:00%2B23:59": false,
		"since=9999-12-31T23:59:59.9999-23:59": false, "until=9999-12-31T23:59:59.9999-23:59": true,
	} {
		page := c.get(path + "?state=delivered&" + query).want(http.StatusOK).listing()
		if got := slices.Contains(page.ids(), "e1_"+id); got != want || *page.Total != len(page.Data) {
			t.Errorf("of %s, %s lists %q of %d", created, query, page.ids(), *page.Total)
		}
	}
	if got := c.get(path + "?total=false&state=dead").want(http.StatusOK).listing(); got.Total != nil || len(got.Data) != 1 {
		t.Errorf("total=false: %+v", got)
	}
	for path, want := range map[string]int{path: 200, "/delivery/e1_" + id: 200, "/delivery/none_1": 404} {
		if head := c.do(http.MethodHead, path, ""); head.status != want || head.body != "" {
			t.Errorf("HEAD %s: status %d, body %q", path, head.status, head.body)
		}
	}
}

func TestBadFilters(t *testing.T) {
	c := newClient(t)
	id := c.create("/database/788/callbacks", someURL)
	for field, queries := range map[string][]string{
		"state":  {"state=", "state", "state=Dead", "state=open", "state=dead,ready", "state=dead&state=ready", "state=%zz", "state=%00"},
		"record": {"record=", "record", "record=%00", "record=%FF", "record=a&record=a", "record=%zz", "record=" + strings.Repeat("x", webhook.MaxID+1)},
		"since": {
			"since=", "since", "since=yesterday", "since=2026-11-23", "since=2026-11-23T10:33:00", "since=1763894000", "since=2026-13-01T00:00:00Z",
			"since=2026-11-23T10:33:00+01:00", "since=2026-11-23T10:33:00Z&since=2026-11-23T10:33:00Z", "since=%zz", "since=2026-11-23T10:33:00Z%00",
			"since=2026-11-23T10:33:00%2B99:00", "since=2026-11-23T10:33:60Z", "since=12026-11-23T10:33:00Z",
		},
		"until": {"until=", "until=tomorrow", "until=2026-11-23 10:33:00Z", "until=%FF"},
		"limit": {"limit=0", "limit=1001"},
		"start": {"start=-1"},
		"total": {"total=%zz"},
	} {
		for _, query := range queries {
			c.get("/callback/"+id+"/deliveries?"+strings.ReplaceAll(query, " ", "%20")).wantError(http.StatusBadRequest, field)
		}
	}
	c.get("/callback/99/deliveries?state=x").wantError(http.StatusNotFound, "", "callback")
}

// A delivery is shown with its attempts, and is in the list without them.
func TestDelivery(t *testing.T) {
	store := newHistory(t)
	c := serve(t, newAPI(t, store, nil))
	id := c.create("/database/788/callbacks", someURL)
	store.tell("a_b:c-d", "1")
	path := "/delivery/" + webhook.DeliveryID("a_b:c-d", id)
	untried := c.get(path).want(http.StatusOK).one()
	if attempts, ok := untried["attempts"].([]any); !ok || len(attempts) > 0 {
		t.Errorf("the attempts of one that was not tried are %v", untried["attempts"])
	}
	wantProperties(t, untried, map[string]any{"state": "ready", "attempt_count": zero, "ended": nil, "due": nil})
	began := time.Now().Truncate(time.Millisecond)
	store.attempt(webhook.DeliveryReady, 503)
	store.attempt(webhook.DeliveryDead, 404)
	shown := c.get(path).want(http.StatusOK).one()
	wantProperties(t, shown, map[string]any{
		"ID": "a_b:c-d_" + id, "event": "a_b:c-d", "sequence": one, "callback": id, "database": "788", "collection": zero, "record": "1",
		"action": "update", "method": "json", "encoding": "body", "state": "dead", "reason": "given up", "passed": false, "replayed": false,
		"attempt_count": two,
	})
	attempts := shown["attempts"].([]any)
	for i, status := range []json.Number{"503", "404"} {
		attempt := attempts[i].(map[string]any)
		at, err := time.Parse(time.RFC3339, fmt.Sprint(attempt["time"]))
		if err != nil || at.Before(began) || at.After(time.Now()) {
			t.Errorf("attempt at %v", attempt["time"])
		}
		delete(attempt, "time")
		want := map[string]any{
			"number": json.Number(strconv.Itoa(i + 1)), "duration_ms": json.Number("7"), "status": status,
			"error": "answered something else", "answer": "answer",
		}
		if fmt.Sprint(attempt) != fmt.Sprint(want) {
			t.Errorf("attempt %v, want %v", attempt, want)
		}
	}
	delete(shown, "attempts")
	listed := c.get("/callback/" + id + "/deliveries").want(http.StatusOK).listing().Data
	if len(listed) != 1 || fmt.Sprint(listed[0]) != fmt.Sprint(shown) {
		t.Errorf("listed %v\nwant %v", listed, shown)
	}
	for _, none := range []string{
		"a_b:c-d_99", "x_" + id, "a_b:c-d", "_" + id, "a_b:c-d_", "%00_" + id, "%FF_" + id, "a%2Fb_" + id, "_", id,
		strings.Repeat("x", 300) + "_" + id, "a_b:c-d_" + strings.Repeat("9", 300),
	} {
		c.get("/delivery/"+none).wantError(http.StatusNotFound, "", "no such delivery")
		c.do(http.MethodPost, "/delivery/"+none+"/replay", "").wantError(http.StatusNotFound, "", "no such delivery")
	}
}

// attemptStore knows every delivery, each of which was attempted once more after it was
// read.
type attemptStore struct {
	httpapi.Store
	t   *testing.T
	err error // of Attempts
}

func (s attemptStore) Delivery(_ context.Context, id string) (webhook.Delivery, error) {
	if !utf8.ValidString(id) || strings.Contains(id, "\x00") || len(id) > webhook.MaxEventID+len("_1") {
		s.t.Errorf("the store was asked for %q", id)
	}
	return webhook.Delivery{ID: id, Attempts: 1}, nil
}

func (s attemptStore) Attempts(context.Context, string) ([]webhook.Attempt, error) {
	return make([]webhook.Attempt, 2), s.err
}

// The number of attempts is that of those shown. What can be no delivery's ID does not get
// to the store.
func TestDeliveryIsConsistent(t *testing.T) {
	c := serve(t, newAPI(t, attemptStore{newHistory(t), t, nil}, nil))
	c.create("/database/788/callbacks", someURL)
	wantProperties(t, c.get("/delivery/e_1").want(http.StatusOK).one(), map[string]any{"attempt_count": two})
	c.get("/delivery/" + strings.Repeat("e", webhook.MaxEventID) + "_1").want(http.StatusOK)
	for _, id := range []string{"%00_1", "%FF_1", strings.Repeat("e", webhook.MaxEventID+1) + "_1"} {
		c.get("/delivery/"+id).wantError(http.StatusNotFound, "", "no such delivery")
	}
}

// A delivery whose attempts cannot be had is not shown without them.
func TestDeliveryWithoutAttempts(t *testing.T) {
	for _, test := range []struct {
		err    error
		status int
		text   string
	}{
		{webhook.ErrNotFound, http.StatusNotFound, "no such delivery"}, // it was removed meanwhile
		{errSecret, http.StatusInternalServerError, "try again"},
	} {
		c := serve(t, newAPI(t, attemptStore{newHistory(t), t, test.err}, nil))
		c.create("/database/788/callbacks", someURL)
		answer := c.get("/delivery/e_1")
		answer.wantError(test.status, "", test.text)
		if strings.Contains(answer.body, "secret") {
			t.Errorf("internal text leaves: %s", answer.body)
		}
	}
}
