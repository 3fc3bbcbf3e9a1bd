package httpapi_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ringback-dev/ringback/httpapi"
	"github.com/ringback-dev/ringback/store/memory"
	"github.com/ringback-dev/ringback/webhook"
)

// A callback is disabled and enabled by its state; the reason goes with it and cannot be
// written.
func TestState(t *testing.T) {
	c := newClient(t)
	id := c.create("/database/788/callbacks", someURL)
	for _, step := range []struct {
		contentType, body string
		want              map[string]any
	}{
		{typeJSON, `{"state":"disabled"}`, map[string]any{"state": "disabled", "reason": "disabled over the API"}},
		{typeJSON, `{"state":"disabled","reason":"mine"}`, map[string]any{"state": "disabled", "reason": "disabled over the API"}},
		{typeForm, `expression=a`, map[string]any{"state": "disabled", "reason": "disabled over the API", "expression": "a"}},
		{typeForm, `state=active&expression=b&ordering=skip`, map[string]any{"state": "active", "reason": "", "expression": "b", "ordering": "skip"}},
		{typeJSON, `{"state":"active","reason":"mine"}`, map[string]any{"state": "active", "reason": "", "ordering": "skip"}},
		{typeJSON, `{"state":"disabled","ordering":"hold","method":"xml"}`,
			map[string]any{"state": "disabled", "reason": "disabled over the API", "ordering": "hold", "method": "xml"}},
		{typeJSON, `{"data":[{"state":"active"}]}`, map[string]any{"state": "active", "reason": "", "method": "xml"}},
	} {
		answer := c.do(http.MethodPost, "/callback/"+id, step.body, "Content-Type", step.contentType).want(http.StatusOK)
		wantProperties(t, answer.one(), step.want)
		if shown := c.get("/callback/" + id).body; shown != answer.body {
			t.Errorf("%s: answered %s but stored %s", step.body, answer.body, shown)
		}
	}
	disabled := c.post("/database/788/callbacks", `{"url":"http://example.com/","state":"disabled","ordering":"skip"}`).want(http.StatusCreated).one()
	wantProperties(t, disabled, map[string]any{"state": "disabled", "reason": "disabled over the API", "ordering": "skip"})
}

// The reason that the engine gave is not replaced by an update of something else, nor when
// it is sent back.
func TestReasonStays(t *testing.T) {
	store := memory.New()
	c := serve(t, newAPI(t, store, nil))
	path := "/callback/" + c.create("/database/788/callbacks", someURL)
	gone := stored(t, store, "1")
	gone.State, gone.Reason = webhook.StateDisabled, "the receiver is gone"
	if _, err := store.UpdateCallback(t.Context(), gone); err != nil {
		t.Fatal(err)
	}
	for _, body := range []string{`{"method":"xml"}`, `{"state":"disabled"}`, c.get(path).body} {
		wantProperties(t, c.put(path, body).want(http.StatusOK).one(), map[string]any{"state": "disabled", "reason": "the receiver is gone"})
	}
}

// The reason ends with what it is the reason of: it does not get to the store.
func TestReasonEnds(t *testing.T) {
	var seen webhook.Callback
	api, err := httpapi.New(memory.New(), checker(func(_ context.Context, c webhook.Callback) error {
		seen = c
		return nil
	}), everybody, nil)
	if err != nil {
		t.Fatal(err)
	}
	c := serve(t, api)
	id := c.create("/database/788/callbacks", `{"url":"http://example.com/","state":"disabled"}`)
	if seen.Reason == "" {
		t.Error("disabled without a reason")
	}
	c.put("/callback/"+id, `{"state":"active"}`).want(http.StatusOK)
	if seen.State != webhook.StateActive || seen.Reason != "" {
		t.Errorf("enabled with %+v", seen)
	}
}

// What the engine has made of a callback is shown, can be sent back as it is, and is
// kept.
func TestHealth(t *testing.T) {
	store := newHistory(t)
	c := serve(t, newAPI(t, store, nil))
	id := c.create("/database/788/callbacks", someURL)
	store.tell("e1", "1")
	store.attempt(webhook.DeliveryDelivered, 200)
	shown := c.get("/callback/" + id).want(http.StatusOK).one()
	wantProperties(t, shown, map[string]any{"successes": one, "consecutive_failures": zero, "failing_since": nil, "paused_until": nil})
	store.tell("e2", "1")
	store.tell("e3", "2")
	began := time.Now().Truncate(time.Millisecond)
	store.attempt(webhook.DeliveryDead, 500)
	answer := c.get("/callback/" + id).want(http.StatusOK)
	shown = answer.one()
	wantProperties(t, shown, map[string]any{"successes": one, "consecutive_failures": two, "state": "active", "paused_until": nil})
	since, err := time.Parse(time.RFC3339, fmt.Sprint(shown["failing_since"]))
	if err != nil || since.Before(began) || since.After(time.Now()) {
		t.Errorf("failing since %v", shown["failing_since"])
	}
	before := stored(t, store, id)
	if back := c.put("/callback/"+id, answer.body).want(http.StatusOK); back.body != answer.body || stored(t, store, id) != before {
		t.Errorf("sent back, %s\nbecomes %s", answer.body, back.body)
	}
	c.put("/callback/"+id, `{"successes":9,"consecutive_failures":null,"failing_since":[],"paused_until":"x","ordering":"skip"}`).want(http.StatusOK)
	if after := stored(t, store, id); after.Health != before.Health || after.Ordering != webhook.OrderingSkip {
		t.Errorf("after an update of another property: %+v", after)
	}
}

// pausedStore has one callback, which is paused.
type pausedStore struct {
	httpapi.Store
	until time.Time
}

func (s pausedStore) Callback(context.Context, string) (webhook.Callback, error) {
	c := webhook.Callback{ID: "1", Database: "788", URL: "http://example.com/", Health: webhook.Health{PausedUntil: s.until}}
	return c.WithDefaults(), nil
}

// A pause is shown while it lasts; one that is longer than a pause can be is none.
func TestPause(t *testing.T) {
	for pause, shown := range map[time.Duration]bool{time.Hour: true, 23 * time.Hour: true, -time.Second: false, 25 * time.Hour: false} {
		until := time.Now().Add(pause).Truncate(time.Millisecond)
		got := serve(t, newAPI(t, pausedStore{until: until}, nil)).get("/callback/1").want(http.StatusOK).one()["paused_until"]
		if want := until.UTC().Format(time.RFC3339Nano); shown && got != want || !shown && got != nil {
			t.Errorf("a pause of %v is shown as %v", pause, got)
		}
	}
}

// What is no longer accepted can be disabled as it stands; enabling it, or changing it
// meanwhile, is judged as ever.
func TestDisableWhatIsNoLongerAccepted(t *testing.T) {
	store := memory.New()
	c := serve(t, newAPI(t, store, nil))
	old, err := store.CreateCallback(t.Context(), webhook.Callback{Database: "788", URL: "http://127.0.0.1/", Expression: "while(true){}"}, 0)
	if err != nil {
		t.Fatal(err)
	}
	path := "/callback/" + old.ID
	c.put(path, `{"state":"disabled","url":"http://127.0.0.1/x"}`).wantError(http.StatusBadRequest, "expression")
	c.put(path, `{"state":"disabled","expression":"a"}`).wantError(http.StatusBadRequest, "url", "loopback")
	wantProperties(t, c.put(path, `{"state":"disabled","ordering":"skip"}`).want(http.StatusOK).one(), map[string]any{"state": "disabled"})
	c.put(path, `{"state":"active"}`).wantError(http.StatusBadRequest, "expression")
	c.put(path, `{"method":"yaml"}`).wantError(http.StatusBadRequest, "method")
	c.put(path, `{"state":"active","url":"http://example.com/","expression":"a"}`).want(http.StatusOK)
}

// The host hears of each change of a state, after it is stored, and of nothing else.
func TestOnStateChange(t *testing.T) {
	store := &busyRegistry{Store: memory.New()}
	var heard []string
	c := serve(t, newAPI(t, store, &httpapi.Options{OnStateChange: func(ctx context.Context, c webhook.Callback) {
		if now := stored(t, store, c.ID); now != c {
			t.Errorf("told of %+v, but stored is %+v", c, now)
		}
		if ctx.Done() != nil {
			t.Error("the context may end before the host has done what it does")
		}
		heard = append(heard, fmt.Sprintf("%s %s %q", c.ID, c.State, c.Reason))
	}}))
	id := c.create("/database/788/callbacks", someURL)
	other := c.create("/database/788/callbacks", `{"url":"http://example.com/","state":"disabled"}`)
	for _, request := range [][2]string{
		{id, `{"state":"active"}`},
		{id, `{"method":"xml"}`},
		{id, `{"state":"off"}`},
		{id, `{"state":"disabled","method":"yaml"}`},
		{id, `{"state":"disabled","method":"json"}`}, // heard
		{id, `{"state":"disabled"}`},
		{other, `{"state":"active"}`}, // heard
		{id, `{"expression":"a"}`},
		{id, `{"state":"active"}`}, // heard
	} {
		c.put("/callback/"+request[0], request[1])
	}
	store.others = 3 // come first
	c.put("/callback/"+id, `{"state":"disabled"}`).want(http.StatusOK)
	c.post("/callback/"+id+"/secret", `{}`).want(http.StatusOK)
	c.do(http.MethodDelete, "/callback/"+id, "").want(http.StatusOK)
	want := []string{id + ` disabled "disabled over the API"`, other + ` active ""`, id + ` active ""`, id + ` disabled "disabled over the API"`}
	if !slices.Equal(heard, want) {
		t.Errorf("heard %q, want %q", heard, want)
	}
}

// A panic of the host's is the host's: the change is made, and answered.
func TestOnStateChangePanics(t *testing.T) {
	var log bytes.Buffer
	store := memory.New()
	c := serve(t, newAPI(t, store, &httpapi.Options{
		Logger:        slog.New(slog.NewTextHandler(&log, nil)),
		OnStateChange: func(context.Context, webhook.Callback) { panic("no luck") },
	}))
	id := c.create("/database/788/callbacks", someURL)
	wantProperties(t, c.put("/callback/"+id, `{"state":"disabled"}`).want(http.StatusOK).one(), map[string]any{"state": "disabled"})
	if stored(t, store, id).State != webhook.StateDisabled || !strings.Contains(log.String(), "no luck") {
		t.Errorf("stored is %+v, logged %s", stored(t, store, id), &log)
	}
}
