package httpapi_test

import (
	"context"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/ringback-dev/ringback/webhook"
	"github.com/ringback-dev/ringback/webhook/signature"
)

// The original document's own example, and beside it what is hard to write.
var goldenCallbacks = []webhook.Callback{
	{
		ID: "21", Collection: "8550", URL: "http://www.callback.com/script.php", Action: webhook.ActionCreate, Method: webhook.MethodJSON,
		Encoding: webhook.EncodingBody, When: webhook.WhenMatches, Created: time.Date(2014, 2, 10, 10, 33, 28, 0, time.UTC),
		Updated: time.Date(2026, 11, 23, 11, 33, 0, 120e6, time.FixedZone("CET", 3600)),
	},
	{
		ID: "22", Database: "a/b <ü>", Collection: `"8550"`, URL: "https://example.com/?a=1&b=<2>#", Action: webhook.ActionAll,
		Method: webhook.MethodXML, Encoding: webhook.EncodingForm, When: webhook.WhenLeaves, Secret: goldenSecret, ExpressionFailures: 3,
		ExpressionError: webhook.ExpressionError{
			Message: "error: <age> is not a number", Event: "0193-8f", Time: time.Date(2026, 1, 2, 3, 4, 6, 7e6, time.UTC),
		},
		Expression: "profile.age >= 18 && name != \"\\\\\"\n\t/* 😀 \u2028 é */",
		Created:    time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Updated: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
	},
}

var goldenSecret, _ = signature.ParseSecret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")

// goldenRegistry always answers the same.
type goldenRegistry struct{ webhook.Registry }

func (goldenRegistry) Callbacks(_ context.Context, q webhook.CallbackQuery) (webhook.CallbackPage, error) {
	page := webhook.CallbackPage{Callbacks: goldenCallbacks[:min(q.Limit, 2)]}
	if q.WithTotal {
		page.Total = 2
	}
	return page, nil
}

func (goldenRegistry) Callback(_ context.Context, id string) (webhook.Callback, error) {
	for _, c := range goldenCallbacks {
		if c.ID == id {
			return c, nil
		}
	}
	return webhook.Callback{}, webhook.ErrNotFound
}

func (goldenRegistry) CreateCallback(context.Context, webhook.Callback, int) (webhook.Callback, error) {
	return goldenCallbacks[1], nil
}

func (r goldenRegistry) UpdateCallback(ctx context.Context, c webhook.Callback) (webhook.Callback, error) {
	return r.Callback(ctx, c.ID)
}

func (goldenRegistry) DeleteCallback(context.Context, string) error { return nil }

// TestGolden compares whole answers, byte for byte.
func TestGolden(t *testing.T) {
	c := serve(t, newAPI(t, goldenRegistry{}, nil))
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
