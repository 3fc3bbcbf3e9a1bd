package httpapi_test

import (
	"context"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/ringback-dev/ringback/httpapi"
	"github.com/ringback-dev/ringback/webhook"
	"github.com/ringback-dev/ringback/webhook/signature"
)

// The original document's own example, and beside it what is hard to write.
var goldenCallbacks = []webhook.Callback{
	{
		ID: "21", Collection: "8550", URL: "http://www.callback.com/script.php", Action: webhook.ActionCreate, Method: webhook.MethodJSON,
		Encoding: webhook.EncodingBody, When: webhook.WhenMatches, Ordering: webhook.OrderingHold, State: webhook.StateActive,
		Health: webhook.Health{Successes: 12}, Created: time.Date(2014, 2, 10, 10, 33, 28, 0, time.UTC),
		Updated: time.Date(2026, 11, 23, 11, 33, 0, 120e6, time.FixedZone("CET", 3600)),
	},
	{
		ID: "22", Database: "a/b <ü>", Collection: `"8550"`, URL: "https://example.com/?a=1&b=<2>#", Action: webhook.ActionAll,
		Method: webhook.MethodXML, Encoding: webhook.EncodingForm, When: webhook.WhenLeaves, Ordering: webhook.OrderingSkip,
		State: webhook.StateDisabled, Reason: "answered 410 <Gone>", Secret: goldenSecret, ExpressionFailures: 3,
		Health: webhook.Health{
			Successes: 1 << 40, Failures: 7, FailingSince: time.Date(2026, 1, 2, 4, 4, 5, 7e6, time.FixedZone("CET", 3600)),
			PausedUntil: time.Date(2026, 1, 3, 3, 4, 5, 0, time.UTC), // which has passed
		},
		ExpressionError: webhook.ExpressionError{
			Message: "error: <age> is not a number", Event: "0193-8f", Time: time.Date(2026, 1, 2, 3, 4, 6, 7e6, time.UTC),
		},
		Expression: "profile.age >= 18 && name != \"\\\\\"\n\t/* 😀 \u2028 é */",
		Created:    time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Updated: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
	},
}

var goldenSecret, _ = signature.ParseSecret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")

// One delivery that has ended, one that is to be repeated, and one that waits.
var goldenDeliveries = []webhook.Delivery{
	{
		ID: "0193:8f_21", EventID: "0193:8f", Sequence: 4711, Callback: "21", Collection: "8550", Database: "788", Record: `r"<1>`,
		Action: webhook.ActionCreate, Method: webhook.MethodJSON, Encoding: webhook.EncodingBody, State: webhook.DeliveryDead,
		Reason: "answered 500 too often", Passed: true, Replayed: true, Attempts: 3, Earlier: 1,
		Due:     time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), // of meaning while ready only
		Created: time.Date(2026, 1, 2, 4, 4, 5, 6e6, time.FixedZone("CET", 3600)), Ended: time.Date(2026, 1, 2, 3, 5, 0, 0, time.UTC),
	},
	{
		ID: "0193-8e_21", EventID: "0193-8e", Sequence: 4710, Callback: "21", Database: "788", Record: "1", Action: webhook.ActionDelete,
		Method: webhook.MethodXML, Encoding: webhook.EncodingForm, State: webhook.DeliveryReady, Attempts: 1,
		Due: time.Date(2026, 1, 2, 3, 9, 5, 0, time.UTC), Created: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
	},
	{
		ID: "0193-8d_21", EventID: "0193-8d", Sequence: 4709, Callback: "21", Database: "788", Record: "1", Action: webhook.ActionUpdate,
		Method: webhook.MethodJSON, Encoding: webhook.EncodingBody, State: webhook.DeliveryWaiting,
		Created: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
	},
}

var goldenAttempts = []webhook.Attempt{
	{Number: 1, Time: time.Date(2026, 1, 2, 3, 4, 5, 7e6, time.UTC), Duration: 15 * time.Second, Error: "no answer within 15s"},
	{Number: 2, Time: time.Date(2026, 1, 2, 4, 4, 20, 0, time.FixedZone("CET", 3600)), Duration: 1999 * time.Microsecond, Status: 500,
		Error: "answered 500", Answer: "<h1>\xff&\"\n"},
	{Number: 3, Time: time.Date(2026, 1, 2, 3, 5, 0, 0, time.UTC), Duration: 52 * time.Millisecond, Status: 204},
}

// goldenStore always answers the same.
type goldenStore struct{ httpapi.Store }

func (goldenStore) Deliveries(_ context.Context, q webhook.DeliveryQuery) (webhook.DeliveryPage, error) {
	page := webhook.DeliveryPage{Deliveries: goldenDeliveries[:min(q.Limit, 3)]}
	if q.WithTotal {
		page.Total = 3
	}
	return page, nil
}

func (goldenStore) Delivery(_ context.Context, id string) (webhook.Delivery, error) {
	for _, d := range goldenDeliveries {
		if d.ID == id {
			return d, nil
		}
	}
	return webhook.Delivery{}, webhook.ErrNotFound
}

func (s goldenStore) Attempts(ctx context.Context, id string) ([]webhook.Attempt, error) {
	d, err := s.Delivery(ctx, id)
	return goldenAttempts[:d.Attempts], err
}

func (s goldenStore) Replay(ctx context.Context, id string) (webhook.Delivery, error) {
	return s.Delivery(ctx, id)
}

func (goldenStore) StartReplay(context.Context, webhook.ReplayRequest) (int, error) { return 312, nil }

func (goldenStore) Purge(context.Context, webhook.Scope, string) (int, error) { return 17, nil }

func (goldenStore) Callbacks(_ context.Context, q webhook.CallbackQuery) (webhook.CallbackPage, error) {
	page := webhook.CallbackPage{Callbacks: goldenCallbacks[:min(q.Limit, 2)]}
	if q.WithTotal {
		page.Total = 2
	}
	return page, nil
}

func (goldenStore) Callback(_ context.Context, id string) (webhook.Callback, error) {
	for _, c := range goldenCallbacks {
		if c.ID == id {
			return c, nil
		}
	}
	return webhook.Callback{}, webhook.ErrNotFound
}

func (goldenStore) CreateCallback(context.Context, webhook.Callback, int) (webhook.Callback, error) {
	return goldenCallbacks[1], nil
}

func (s goldenStore) UpdateCallback(ctx context.Context, c webhook.Callback) (webhook.Callback, error) {
	return s.Callback(ctx, c.ID)
}

func (goldenStore) DeleteCallback(context.Context, string) error { return nil }

// TestGolden compares whole answers, byte for byte.
func TestGolden(t *testing.T) {
	c := serve(t, newAPI(t, goldenStore{}, &httpapi.Options{Operator: everybody}))
	for name, answer := range map[string]answer{
		"list-limit-1":    c.get("/database/788/callbacks?limit=1").want(http.StatusOK),
		"list":            c.get("/database/788/callbacks").want(http.StatusOK),
		"list-no-total":   c.get("/database/788/callbacks?start=7&limit=10&total=false").want(http.StatusOK),
		"get":             c.get("/callback/21").want(http.StatusOK),
		"create":          c.post("/database/788/callbacks", someURL).want(http.StatusCreated),
		"rotate":          c.post("/callback/22/secret", `{}`).want(http.StatusOK),
		"update":          c.put("/callback/21", `{"method":"xml"}`).want(http.StatusOK),
		"delete":          c.do(http.MethodDelete, "/callback/21", "").want(http.StatusOK),
		"error-field":     c.post("/database/788/callbacks", `{"url":"http://example.com/","method":"<&>"}`).want(http.StatusBadRequest),
		"error":           c.get("/callback/23").want(http.StatusNotFound),
		"error-not-found": c.get("/").want(http.StatusNotFound),

		"deliveries":          c.get("/callback/21/deliveries").want(http.StatusOK),
		"deliveries-limit-1":  c.get("/callback/21/deliveries?limit=1").want(http.StatusOK),
		"deliveries-no-total": c.get("/callback/21/deliveries?start=7&total=false&state=dead").want(http.StatusOK),
		"delivery":            c.get("/delivery/0193:8f_21").want(http.StatusOK),
		"delivery-untried":    c.get("/delivery/0193-8d_21").want(http.StatusOK),
		"delivery-not-found":  c.get("/delivery/0193-8c_21").want(http.StatusNotFound),
		"delivery-replay":     c.do(http.MethodPost, "/delivery/0193:8f_21/replay", "").want(http.StatusAccepted),
		"callback-replay":     c.post("/callback/21/replay", `{"since":"2026-01-01T00:00:00Z"}`).want(http.StatusAccepted),
		"error-replay":        c.post("/callback/21/replay", `{"since":"yesterday"}`).want(http.StatusBadRequest),
		"purge":               c.post("/purge", `{"database":788,"collection":0,"record":1}`).want(http.StatusOK),
	} {
		want, err := os.ReadFile(filepath.Join("testdata", name+".json"))
		if err != nil {
			t.Error(err)
		}
		if got := answer.body; got != string(want) {
			t.Errorf("%s:\n%swant:\n%s", name, got, want)
		}
	}
}
