package httpapi_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ringback-dev/ringback/httpapi"
	"github.com/ringback-dev/ringback/webhook"
)

// One delivery is sent once more, whichever its end; one that goes on stays as it is.
func TestReplayDelivery(t *testing.T) {
	store := newHistory(t)
	c := serve(t, newAPI(t, store, nil))
	id := c.create("/database/788/callbacks", someURL)
	store.tell("e1", "1")
	for i, end := range []webhook.DeliveryState{webhook.DeliveryDelivered, webhook.DeliveryDead} {
		store.attempt(end, 200)
		answer := c.do(http.MethodPost, "/delivery/e1_"+id+"/replay", "").want(http.StatusAccepted)
		shown := answer.one()
		wantProperties(t, shown, map[string]any{
			"ID": "e1_" + id, "state": "ready", "replayed": true, "reason": "", "ended": nil, "attempts": nil, "attempt_count": number(i + 1),
		})
		for _, body := range []string{`{}`, ` `} {
			if again := c.post("/delivery/e1_"+id+"/replay", body).want(http.StatusAccepted); again.body != answer.body {
				t.Errorf("replayed while open it is %s, want %s", again.body, answer.body)
			}
		}
	}
	path := "/delivery/e1_" + id + "/replay"
	c.post(path, `{"since":"2026-01-01T00:00:00Z"}`).wantError(http.StatusBadRequest, "since", "empty")
	c.post(path, `[]`).wantError(http.StatusBadRequest, "", "object")
	c.do(http.MethodPost, path, `{}`).wantError(http.StatusUnsupportedMediaType, "")
	c.post(path, `{}`+strings.Repeat(" ", 64<<10)).wantError(http.StatusRequestEntityTooLarge, "")
}

func number(n int) any { return [...]any{zero, one, two}[n] }

// All that ended since then is sent once more, or the part of it that is named.
func TestReplayDeliveries(t *testing.T) {
	store := newHistory(t)
	c := serve(t, newAPI(t, store, nil))
	id := c.create("/database/788/callbacks", someURL)
	c.create("/database/788/callbacks", someURL) // hears of the same
	store.tell("e1", "1")
	store.attempt(webhook.DeliveryDelivered, 200)
	store.tell("e2", "2")
	store.tell("e3", "3")
	store.attempt(webhook.DeliveryDead, 500)
	store.tell("e4", "4") // goes on
	future := time.Now().Add(time.Hour).UTC().Format(time.RFC3339)
	for _, row := range []struct {
		contentType, body string
		selected          int
	}{
		{typeJSON, `{"since":"` + future + `"}`, 0},
		{typeJSON, `{"since":"2020-01-01T00:00:00+01:00","state":"delivered"}`, 1},
		{typeForm, url.Values{"since": {"2020-01-01T00:00:00+01:00"}, "state": {"dead"}}.Encode(), 2},
		{typeJSON, `{"data":[{"since":"2020-01-01T00:00:00.000Z"}]}`, 3},
	} {
		got := c.do(http.MethodPost, "/callback/"+id+"/replay", row.body, "Content-Type", row.contentType).want(http.StatusAccepted).body
		if want := fmt.Sprintf(`{"start":0,"limit":0,"total":%d,"data":[]}`, row.selected) + "\n"; got != want {
			t.Errorf("%s: %s, want %s", row.body, got, want)
		}
	}
	for more := true; more; {
		var err error
		more, err = store.ContinueReplays(t.Context(), 10)
		store.must(err)
	}
	var replayed []string
	for _, d := range c.get("/callback/" + id + "/deliveries").listing().Data {
		if d["replayed"] == true {
			replayed = append(replayed, d["event"].(string))
		}
	}
	if want := []string{"e3", "e2", "e1"}; !slices.Equal(replayed, want) {
		t.Errorf("replayed are %q, want %q", replayed, want)
	}
}

// Nothing is replayed to a callback that is disabled.
func TestReplayWhileDisabled(t *testing.T) {
	store := newHistory(t)
	c := serve(t, newAPI(t, store, nil))
	id := c.create("/database/788/callbacks", someURL)
	store.tell("e1", "1")
	store.attempt(webhook.DeliveryDead, 410)
	c.put("/callback/"+id, `{"state":"disabled"}`).want(http.StatusOK)
	before := c.get("/delivery/e1_" + id).body
	c.do(http.MethodPost, "/delivery/e1_"+id+"/replay", "").wantError(http.StatusBadRequest, "state", "enable it first")
	c.post("/callback/"+id+"/replay", `{"since":"2020-01-01T00:00:00Z"}`).wantError(http.StatusBadRequest, "state", "enable it first")
	if after := c.get("/delivery/e1_" + id).body; after != before {
		t.Errorf("refused requests made %s of %s", after, before)
	}
	c.put("/callback/"+id, `{"state":"active"}`).want(http.StatusOK)
	c.do(http.MethodPost, "/delivery/e1_"+id+"/replay", "").want(http.StatusAccepted)
}

// A replay too many is refused with words that are about replays.
func TestTooManyReplays(t *testing.T) {
	store := newHistory(t)
	c := serve(t, newAPI(t, store, nil))
	id := c.create("/database/788/callbacks", someURL)
	store.tell("e1", "1")
	store.attempt(webhook.DeliveryDead, 500)
	for range webhook.MaxReplays {
		c.post("/callback/"+id+"/replay", `{"since":"2020-01-01T00:00:00Z"}`).want(http.StatusAccepted)
	}
	c.post("/callback/"+id+"/replay", `{"since":"2020-01-01T00:00:00Z"}`).
		wantError(http.StatusBadRequest, "", "100 replays of this callback are under way")
}

// What was born dead has no message.
func TestReplayWithoutMessage(t *testing.T) {
	store := newHistory(t)
	c := serve(t, newAPI(t, store, nil))
	id := c.create("/database/788/callbacks", someURL)
	store.must(store.Dispatch(t.Context(), webhook.Event{ID: "e1", Action: webhook.ActionUpdate, Database: "788", Profile: webhook.Record{ID: "1"}}))
	pending, err := store.Pending(t.Context(), webhook.PendingRequest{Limit: 1, LimitBytes: 1})
	store.must(err)
	store.must(store.FanOut(t.Context(), []webhook.Expansion{{
		Sequence: pending.Events[0].Sequence,
		Targets:  []webhook.Target{{Callback: id, Method: webhook.MethodJSON, Encoding: webhook.EncodingBody, Dead: "too large"}},
	}}))
	wantProperties(t, c.get("/delivery/e1_"+id).one(), map[string]any{"state": "dead", "reason": "too large"})
	answer := c.do(http.MethodPost, "/delivery/e1_"+id+"/replay", "").want(http.StatusBadRequest)
	if strings.Contains(answer.body, "webhook:") {
		t.Errorf("internal text leaves: %s", answer.body)
	}
}

// replayCounter counts what gets to the store.
type replayCounter struct {
	httpapi.Store
	requests []webhook.ReplayRequest
	purged   []string
}

func (s *replayCounter) StartReplay(_ context.Context, r webhook.ReplayRequest) (int, error) {
	s.requests = append(s.requests, r)
	return 0, nil
}

func (s *replayCounter) Purge(_ context.Context, scope webhook.Scope, record string) (int, error) {
	s.purged = append(s.purged, scope.Database+"/"+scope.Collection+"/"+record)
	return 3, nil
}

// Bodies that are refused: each names what is to blame, and none gets to the store.
func TestBadReplay(t *testing.T) {
	store := &replayCounter{Store: newHistory(t)}
	c := serve(t, newAPI(t, store, nil))
	path := "/callback/" + c.create("/database/788/callbacks", someURL) + "/replay"
	const ok = `"since":"2026-11-23T10:33:00Z"`
	for _, test := range []struct{ body, field, text string }{
		{` `, "", "name the properties of the replay"},
		{`{}`, "since", "missing"},
		{`{"data":[{}]}`, "since", "missing"},
		{`{"state":"dead"}`, "since", "missing"},
		{`{"since":""}`, "since", "RFC 3339"},
		{`{"since":"yesterday"}`, "since", "RFC 3339"},
		{`{"since":"2026-11-23"}`, "since", "RFC 3339"},
		{`{"since":"2026-11-23T10:33:00"}`, "since", "RFC 3339"},
		{`{"since":"2026-02-30T10:33:00Z"}`, "since", "RFC 3339"},
		{`{"since":1763894000}`, "since", "string"},
		{`{"since":null}`, "since", "null"},
		{`{"since":["2026-11-23T10:33:00Z"]}`, "since", "string"},
		{`{"since":"2026-11-23T10:33:00Z\u0000"}`, "since", "NUL"},
		{`{` + ok + `,` + ok + `}`, "since", "more than once"},
		{`{` + ok + `,"state":""}`, "state", "empty"},
		{`{` + ok + `,"state":"ready"}`, "state", "dead or delivered"},
		{`{` + ok + `,"state":"Dead"}`, "state", "dead or delivered"},
		{`{` + ok + `,"state":null}`, "state", "null"},
		{`{` + ok + `,"state":["dead","delivered"]}`, "state", "string"},
		{`{` + ok + `,"until":"2026-11-23T10:33:00Z"}`, "until", "not a property of a replay; those are since, state"},
		{`{` + ok + `,"Since":"x"}`, "Since", "did you mean since"},
		{`{` + ok + `,"url":"x"}`, "url", "not a property of a replay"},
		{`{"data":[{` + ok + `},{` + ok + `}]}`, "data", "exactly one replay"},
		{`[{` + ok + `}]`, "", "object"},
		{`{` + ok, "", "JSON"},
	} {
		c.post(path, test.body).wantError(http.StatusBadRequest, test.field, test.text)
	}
	c.do(http.MethodPost, path, "since=2026-11-23T10:33:00+01:00", "Content-Type", typeForm).wantError(http.StatusBadRequest, "since", "%2B")
	c.do(http.MethodPost, path, "since=2026-11-23T10:33:00Z&since=x", "Content-Type", typeForm).wantError(http.StatusBadRequest, "since", "more than once")
	c.do(http.MethodPost, path, "").wantError(http.StatusBadRequest, "", "empty")
	c.do(http.MethodPost, path, `{`+ok+`}`).wantError(http.StatusUnsupportedMediaType, "")
	c.send(http.MethodPost, path, io.MultiReader(strings.NewReader(`{`+ok+`}`+strings.Repeat(" ", 64<<10))), "Content-Type", typeJSON).
		wantError(http.StatusRequestEntityTooLarge, "")
	c.post("/callback/99/replay", `{`).wantError(http.StatusNotFound, "", "callback")
	if len(store.requests) > 0 {
		t.Errorf("the store was asked for %+v", store.requests)
	}
	c.post(path, `{"since":"2026-11-23T11:33:00+01:00"}`).want(http.StatusAccepted)
	want := webhook.ReplayRequest{Callback: "1", Since: time.Date(2026, 11, 23, 10, 33, 0, 0, time.UTC)}
	if len(store.requests) != 1 || store.requests[0].Callback != want.Callback || !store.requests[0].Since.Equal(want.Since) || store.requests[0].State != "" {
		t.Errorf("the store was asked for %+v, want %+v", store.requests, want)
	}
}
