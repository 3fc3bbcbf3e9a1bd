package httpapi_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/ringback-dev/ringback/httpapi"
	"github.com/ringback-dev/ringback/store/memory"
	"github.com/ringback-dev/ringback/webhook"
)

// failingRegistry fails in every method while err is set, and in those that change
// an existing callback while late is.
type failingRegistry struct {
	httpapi.Store
	err, late error
}

func (r *failingRegistry) UpdateCallback(ctx context.Context, c webhook.Callback) (webhook.Callback, error) {
	if r.late != nil {
		return webhook.Callback{}, r.late
	}
	return r.Store.UpdateCallback(ctx, c)
}

func (r *failingRegistry) DeleteCallback(ctx context.Context, id string) error {
	if r.late != nil {
		return r.late
	}
	return r.Store.DeleteCallback(ctx, id)
}

func (r *failingRegistry) CreateCallback(ctx context.Context, c webhook.Callback, limit int) (webhook.Callback, error) {
	if r.err != nil {
		return webhook.Callback{}, r.err
	}
	return r.Store.CreateCallback(ctx, c, limit)
}

func (r *failingRegistry) Callback(ctx context.Context, id string) (webhook.Callback, error) {
	if r.err != nil {
		return webhook.Callback{}, r.err
	}
	return r.Store.Callback(ctx, id)
}

func (r *failingRegistry) Callbacks(ctx context.Context, q webhook.CallbackQuery) (webhook.CallbackPage, error) {
	if r.err != nil {
		return webhook.CallbackPage{}, r.err
	}
	return r.Store.Callbacks(ctx, q)
}

// Errors of the registry become statuses; the text of internal ones goes to the
// logger and nowhere else.
func TestRegistryErrors(t *testing.T) {
	const secret = `pq: SELECT * FROM ringback_callbacks: /var/lib/secret.db`
	for _, test := range []struct {
		err    error
		status int
	}{
		{errors.New(secret), 500},
		{fmt.Errorf(secret+": %w", context.DeadlineExceeded), 500},
		{fmt.Errorf(secret+": %w", webhook.ErrNotFound), 404},
		{fmt.Errorf(secret+": %w", webhook.ErrLimit), 400},
		{fmt.Errorf(secret+": %w", webhook.ErrInvalid), 400},
		{webhook.ErrFenced, 500},
	} {
		var log bytes.Buffer
		registry := &failingRegistry{Store: memory.New(), err: test.err}
		c := serve(t, newAPI(t, registry, &httpapi.Options{Logger: slog.New(slog.NewTextHandler(&log, nil))}))
		for _, answer := range []answer{
			c.get("/database/788/callbacks?access_token=hidden"),
			c.get("/callback/1"),
			c.post("/database/788/callbacks", someURL),
		} {
			answer.wantError(test.status, "")
			if strings.Contains(answer.body, "secret") || strings.Contains(answer.body, "SELECT") || strings.Contains(answer.body, "webhook:") {
				t.Errorf("internal text leaves: %s", answer.body)
			}
		}
		if internal := test.status == 500; internal != strings.Contains(log.String(), test.err.Error()) {
			t.Errorf("%v: logged %q", test.err, log.String())
		}
		if strings.Contains(log.String(), "hidden") {
			t.Errorf("the query, which may hold a token, is logged: %s", log.String())
		}
	}
}

// failingHistory fails in every method that is about deliveries.
type failingHistory struct {
	httpapi.Store
	err error
}

func (s failingHistory) Delivery(context.Context, string) (webhook.Delivery, error) {
	return webhook.Delivery{}, s.err
}

func (s failingHistory) Deliveries(context.Context, webhook.DeliveryQuery) (webhook.DeliveryPage, error) {
	return webhook.DeliveryPage{}, s.err
}

func (s failingHistory) Replay(context.Context, string) (webhook.Delivery, error) {
	return webhook.Delivery{}, s.err
}

func (s failingHistory) StartReplay(context.Context, webhook.ReplayRequest) (int, error) {
	return 0, s.err
}

func (s failingHistory) Purge(context.Context, webhook.Scope, string) (int, error) {
	return 0, s.err
}

// Errors of the history become statuses in the same way.
func TestHistoryErrors(t *testing.T) {
	const secret = `pq: SELECT * FROM ringback_deliveries: /var/lib/secret.db`
	for _, test := range []struct {
		err    error
		status int
		field  string
		text   string
	}{
		{errors.New(secret), 500, "", "try again"},
		{fmt.Errorf(secret+": %w", webhook.ErrDamaged), 500, "", "tell the operator"},
		{fmt.Errorf(secret+": %w", webhook.ErrNotFound), 404, "", "there is no such"},
		{fmt.Errorf(secret+": %w", webhook.ErrDisabled), 400, "state", "enable it first"},
		{fmt.Errorf(secret+": %w", webhook.ErrInvalid), 400, "", "not valid"},
		{fmt.Errorf(secret+": %w", webhook.Invalid("", "there is no message to send")), 400, "", "there is no message to send"},
	} {
		var log bytes.Buffer
		store := failingHistory{memory.New(), test.err}
		c := serve(t, newAPI(t, store, &httpapi.Options{Operator: everybody, Logger: slog.New(slog.NewTextHandler(&log, nil))}))
		path := "/callback/" + c.create("/database/788/callbacks", someURL)
		if !errors.Is(test.err, webhook.ErrDamaged) { // see below
			c.get(path+"/deliveries").wantError(test.status, test.field, test.text)
		}
		for _, answer := range []answer{
			c.post(path+"/replay", `{"since":"2026-01-01T00:00:00Z"}`),
			c.get("/delivery/e_1"),
			c.post("/delivery/e_1/replay", ``),
			c.post("/purge", `{"database":"788","record":"1"}`),
		} {
			answer.wantError(test.status, test.field, test.text)
			if strings.Contains(answer.body, "secret") || strings.Contains(answer.body, "webhook:") {
				t.Errorf("internal text leaves: %s", answer.body)
			}
		}
		if internal := test.status == 500; internal != strings.Contains(log.String(), secret) {
			t.Errorf("%v: logged %s", test.err, &log)
		}
	}
}

// damagedStore has something in its lists that can't be read.
type damagedStore struct{ httpapi.Store }

func (s damagedStore) Callbacks(ctx context.Context, q webhook.CallbackQuery) (webhook.CallbackPage, error) {
	page, err := s.Store.Callbacks(ctx, q)
	return page, errors.Join(err, webhook.ErrDamaged)
}

func (s damagedStore) Deliveries(ctx context.Context, q webhook.DeliveryQuery) (webhook.DeliveryPage, error) {
	page, err := s.Store.Deliveries(ctx, q)
	return page, errors.Join(err, webhook.ErrDamaged)
}

// What can't be read does not keep the rest from being listed. The host is told.
func TestDamagedLists(t *testing.T) {
	var log bytes.Buffer
	store := newHistory(t)
	c := serve(t, newAPI(t, damagedStore{store}, &httpapi.Options{Logger: slog.New(slog.NewTextHandler(&log, nil))}))
	id := c.create("/database/788/callbacks", someURL)
	store.tell("e", "1")
	for path, want := range map[string]string{"/database/788/callbacks": id, "/callback/" + id + "/deliveries": "e_" + id} {
		log.Reset()
		if got := c.get(path).want(http.StatusOK).listing().ids(); !slices.Equal(got, []string{want}) {
			t.Errorf("%s lists %q, want %s", path, got, want)
		}
		if !strings.Contains(log.String(), "level=ERROR") || !strings.Contains(log.String(), webhook.ErrDamaged.Error()) {
			t.Errorf("logged %q", &log)
		}
	}
}

// A callback that was there when the request began may be gone when it is to be
// changed.
func TestLateErrors(t *testing.T) {
	registry := &failingRegistry{Store: memory.New()}
	c := serve(t, newAPI(t, registry, nil))
	id := c.create("/database/788/callbacks", someURL)
	for _, test := range []struct {
		err    error
		status int
	}{
		{webhook.ErrNotFound, http.StatusNotFound},
		{errors.New("secret"), http.StatusInternalServerError},
	} {
		registry.late = test.err
		for _, method := range []string{http.MethodPut, http.MethodDelete} {
			answer := c.do(method, "/callback/"+id, `{"action":"create"}`, "Content-Type", typeJSON)
			answer.wantError(test.status, "")
			if strings.Contains(answer.body, "secret") || answer.header.Get("X-deleted") != "" {
				t.Errorf("%s: %v %s", method, answer.header, answer.body)
			}
		}
		answer := c.do(http.MethodPost, "/callback/"+id+"/secret", "")
		answer.wantError(test.status, "")
		if strings.Contains(answer.body, "whsec") {
			t.Errorf("a secret is shown that is not stored: %s", answer.body)
		}
	}
}

// A conflict whose other side was a delete ends as not found.
func TestGoneAfterConflict(t *testing.T) {
	c := serve(t, newAPI(t, vanishingRegistry{memory.New()}, nil))
	id := c.create("/database/788/callbacks", someURL)
	c.put("/callback/"+id, `{"expression":"a"}`).wantError(http.StatusNotFound, "")
}

// vanishingRegistry loses each callback that is to be updated.
type vanishingRegistry struct{ httpapi.Store }

func (r vanishingRegistry) UpdateCallback(ctx context.Context, c webhook.Callback) (webhook.Callback, error) {
	if err := r.DeleteCallback(ctx, c.ID); err != nil {
		return c, err
	}
	return c, webhook.ErrConflict
}

// A body that breaks off is the client's fault, and changes nothing.
func TestBrokenBody(t *testing.T) {
	store := memory.New()
	r := httptest.NewRequest(http.MethodPost, "/database/788/callbacks",
		io.MultiReader(strings.NewReader(someURL), iotest.ErrReader(io.ErrUnexpectedEOF)))
	r.Header.Set("Content-Type", typeJSON)
	w := httptest.NewRecorder()
	newAPI(t, store, nil).ServeHTTP(w, r)
	answer{t, w.Code, w.Header(), w.Body.String()}.wantError(http.StatusBadRequest, "", "body")
	if page, err := store.Callbacks(t.Context(), webhook.CallbackQuery{Limit: 1}); err != nil || len(page.Callbacks) != 0 {
		t.Errorf("made %v, %v", page.Callbacks, err)
	}
}

// What the logger hears of: refusals with their reason, and failures; those of a
// client that is gone only in debugging.
func TestLogger(t *testing.T) {
	var log bytes.Buffer
	logger := slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelInfo}))
	registry := &failingRegistry{Store: memory.New(), err: errors.New("disk full")}
	verdict := errors.New("not the owner")
	api, err := httpapi.New(registry, pickyChecker, func(*http.Request, webhook.Scope) error { return verdict }, &httpapi.Options{Logger: logger})
	if err != nil {
		t.Fatal(err)
	}
	get := func(ctx context.Context) string {
		log.Reset()
		r := httptest.NewRequestWithContext(ctx, http.MethodGet, "/database/788/callbacks?access_token=hidden", nil)
		api.ServeHTTP(httptest.NewRecorder(), r)
		return log.String()
	}
	if got := get(t.Context()); !strings.Contains(got, "level=INFO") || !strings.Contains(got, "not the owner") || !strings.Contains(got, "database=788") {
		t.Errorf("of a refusal: %q", got)
	}
	log.Reset()
	api.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/callback/0", nil))
	if got := log.String(); got != "" {
		t.Errorf("of the question who is calling: %q", got)
	}
	verdict = nil
	if got := get(t.Context()); !strings.Contains(got, "level=ERROR") || !strings.Contains(got, "disk full") || strings.Contains(got, "hidden") {
		t.Errorf("of a failure: %q", got)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if got := get(gone); got != "" {
		t.Errorf("of a client that is gone: %q", got)
	}
}

// Errors of the checker: what is invalid is shown, what is internal is not.
func TestCheckerErrors(t *testing.T) {
	var verdict error
	store := memory.New()
	api, err := httpapi.New(store, checker(func(context.Context, webhook.Callback) error { return verdict }), everybody, nil)
	if err != nil {
		t.Fatal(err)
	}
	c := serve(t, api)
	id := c.create("/database/788/callbacks", someURL)
	before := c.get("/database/788/callbacks").body
	for _, test := range []struct {
		err         error
		status      int
		field, text string
	}{
		{webhook.Invalid("expression", "line 2, column 7: use one expression"), 400, "expression", "line 2, column 7"},
		{fmt.Errorf("secret: %w", webhook.Invalid("url", "would not be called")), 400, "url", "would not be called"},
		{errors.New("secret"), 500, "", ""},
	} {
		verdict = test.err
		for _, answer := range []answer{
			c.post("/database/788/callbacks", someURL),
			c.put("/callback/"+id, `{"expression":"a"}`),
		} {
			answer.wantError(test.status, test.field, test.text)
			if strings.Contains(answer.body, "secret") {
				t.Errorf("internal text leaves: %s", answer.body)
			}
		}
	}
	verdict = nil
	if after := c.get("/database/788/callbacks").body; after != before {
		t.Errorf("failed requests made %s of %s", after, before)
	}
}

// The checker sees the callback as it would be stored, and only where all else is
// valid.
func TestCheckerSeesTheWhole(t *testing.T) {
	var seen []webhook.Callback
	api, err := httpapi.New(memory.New(), checker(func(_ context.Context, c webhook.Callback) error {
		seen = append(seen, c)
		return nil
	}), everybody, nil)
	if err != nil {
		t.Fatal(err)
	}
	c := serve(t, api)
	id := c.create("/database/788/callbacks", `{"url":"http%3A%2F%2Fexample.com%2F","expression":"a"}`)
	c.put("/callback/"+id, `{"method":"xml"}`).want(http.StatusOK)
	c.put("/callback/"+id, `{"method":"yaml"}`).want(http.StatusBadRequest)
	if len(seen) != 2 {
		t.Fatalf("checked %d times, want 2: %+v", len(seen), seen)
	}
	for i, method := range []webhook.Method{webhook.MethodJSON, webhook.MethodXML} {
		if s := seen[i]; s.URL != "http://example.com/" || s.Expression != "a" || s.Method != method || s.Database != "788" || s.Action != webhook.ActionAll {
			t.Errorf("checked %+v", s)
		}
	}
}

func TestMethodNotAllowed(t *testing.T) {
	c := newClient(t)
	id := c.create("/database/788/callbacks", someURL)
	for path, want := range map[string]string{
		"/database/788/callbacks":     "GET, HEAD, POST",
		"/collection/8550/callbacks":  "GET, HEAD, POST",
		"/callback/" + id:             "DELETE, GET, HEAD, POST, PUT",
		"/callback/none":              "DELETE, GET, HEAD, POST, PUT",
		"/callback/" + id + "/secret": "POST",
		"/callback/none/secret":       "POST",
		"/callback/none/deliveries":   "GET, HEAD",
		"/callback/none/replay":       "POST",
		"/delivery/none":              "GET, HEAD",
		"/delivery/none/replay":       "POST",
		"/purge":                      "POST",
	} {
		for _, method := range []string{http.MethodGet, http.MethodPut, http.MethodDelete, http.MethodPatch, http.MethodOptions, http.MethodTrace, "get", "BREW"} {
			if slices.Contains(strings.Split(want, ", "), method) {
				continue
			}
			answer := c.do(method, path, "")
			answer.wantError(http.StatusMethodNotAllowed, "", "Allow")
			if got := answer.header.Get("Allow"); got != want {
				t.Errorf("%s %s: Allow %q, want %q", method, path, got, want)
			}
		}
	}
}

func TestLimit(t *testing.T) {
	c := serve(t, newAPI(t, memory.New(), &httpapi.Options{MaxCallbacks: 2}))
	const path = "/database/788/callbacks"
	first := c.create(path, someURL)
	c.create(path, `{"url":"http://example.com/","collection":8550}`)
	for range 2 {
		c.post(path, someURL).wantError(http.StatusBadRequest, "", "2", "delete")
	}
	c.create("/collection/8550/callbacks", someURL)
	c.post("/database/789/callbacks", `{"url":"http://example.com/","collection":8550}`).wantError(http.StatusBadRequest, "", "2", "delete")
	c.do(http.MethodDelete, "/callback/"+first, "").want(http.StatusOK)
	c.create(path, someURL)
}

func TestDefaultLimit(t *testing.T) {
	registry := &limitRegistry{Store: memory.New()}
	serve(t, newAPI(t, registry, nil)).create("/database/788/callbacks", someURL)
	if registry.limit != 1000 {
		t.Errorf("limit %d, want 1000", registry.limit)
	}
}

// limitRegistry remembers the limit.
type limitRegistry struct {
	httpapi.Store
	limit int
}

func (r *limitRegistry) CreateCallback(ctx context.Context, c webhook.Callback, limit int) (webhook.Callback, error) {
	r.limit = limit
	return r.Store.CreateCallback(ctx, c, limit)
}
