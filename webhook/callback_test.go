package webhook_test

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/ringback-dev/ringback/webhook"
	"github.com/ringback-dev/ringback/webhook/signature"
)

// callback returns a valid callback, changed.
func callback(change func(*webhook.Callback)) webhook.Callback {
	c := webhook.Callback{Database: "788", URL: "https://example.com/hook"}
	change(&c)
	return c
}

func TestCallbackValidate(t *testing.T) {
	tests := []struct {
		name   string
		field  string // to blame; empty where the callback is valid
		change func(*webhook.Callback)
	}{
		{"least", "", func(c *webhook.Callback) {}},
		{"collection alone", "", func(c *webhook.Callback) { c.Database, c.Collection = "", "8550" }},
		{"both", "", func(c *webhook.Callback) { c.Collection = "8550" }},
		{"everything", "", func(c *webhook.Callback) {
			c.Expression, c.When, c.Action = "a == 'b';", webhook.WhenLeaves, webhook.ActionDelete
			c.Method, c.Encoding = webhook.MethodXML, webhook.EncodingForm
		}},
		{"defaults filled in", "", func(c *webhook.Callback) { *c = c.WithDefaults() }},
		{"longest IDs", "", func(c *webhook.Callback) {
			c.Database, c.Collection = strings.Repeat("d", webhook.MaxID), strings.Repeat("é", webhook.MaxID/2)
		}},
		{"longest expression", "", func(c *webhook.Callback) { c.Expression = strings.Repeat("é", webhook.MaxExpression/2) }},

		{"unbound", "database", func(c *webhook.Callback) { c.Database = "" }},
		{"database 0", "database", func(c *webhook.Callback) { c.Database = "0" }},
		{"long database", "database", func(c *webhook.Callback) { c.Database = strings.Repeat("d", webhook.MaxID+1) }},
		{"database not UTF-8", "database", func(c *webhook.Callback) { c.Database = "\xff" }},
		{"collection 0", "collection", func(c *webhook.Callback) { c.Collection = "0" }},
		{"long collection", "collection", func(c *webhook.Callback) { c.Collection = strings.Repeat("d", webhook.MaxID+1) }},
		{"collection not UTF-8", "collection", func(c *webhook.Callback) { c.Collection = "a\x80" }},
		{"no URL", "url", func(c *webhook.Callback) { c.URL = "" }},
		{"long expression", "expression", func(c *webhook.Callback) { c.Expression = strings.Repeat("a", webhook.MaxExpression+1) }},
		{"expression not UTF-8", "expression", func(c *webhook.Callback) { c.Expression = "'\xc3'" }},
		{"unknown action", "action", func(c *webhook.Callback) { c.Action = "upsert" }},
		{"action in capitals", "action", func(c *webhook.Callback) { c.Action = "ALL" }},
		{"unknown when", "when", func(c *webhook.Callback) { c.When = "always" }},
		{"unknown method", "method", func(c *webhook.Callback) { c.Method = "yaml" }},
		{"unknown ordering", "ordering", func(c *webhook.Callback) { c.Ordering = "random" }},
		{"unknown state", "state", func(c *webhook.Callback) { c.State = "paused" }},
		{"long reason", "reason", func(c *webhook.Callback) { c.Reason = strings.Repeat("r", webhook.MaxReason+1) }},
		{"unknown encoding", "encoding", func(c *webhook.Callback) { c.Encoding = "gzip" }},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c := callback(test.change)
			checkInvalid(t, c.Validate(), test.field)
		})
	}
}

// checkInvalid checks that err blames the field, or is nil where there is none
// to blame.
func checkInvalid(t *testing.T, err error, field string) {
	t.Helper()
	if field == "" {
		if err != nil {
			t.Errorf("got %v, want it to be valid", err)
		}
		return
	}
	var invalid *webhook.InvalidError
	if !errors.As(err, &invalid) || !errors.Is(err, webhook.ErrInvalid) {
		t.Fatalf("got %v, want an InvalidError that matches ErrInvalid", err)
	}
	if invalid.Field != field {
		t.Errorf("blames %q, want %q: %v", invalid.Field, field, err)
	}
	if invalid.Message == "" || !strings.Contains(err.Error(), invalid.Message) || !strings.Contains(err.Error(), field) {
		t.Errorf("says %q, want field and message in it", err)
	}
	if len(err.Error()) > 500 || !utf8.ValidString(err.Error()) {
		t.Errorf("is too long or no UTF-8: %q", err)
	}
}

// TestWithDefaults sets every field, so that none can be lost.
func TestWithDefaults(t *testing.T) {
	empty := webhook.Callback{}.WithDefaults()
	want := webhook.Callback{
		When: webhook.WhenMatches, Action: webhook.ActionAll, Method: webhook.MethodJSON, Encoding: webhook.EncodingBody,
		Ordering: webhook.OrderingHold, State: webhook.StateActive,
	}
	if empty != want {
		t.Errorf("got %+v, want %+v", empty, want)
	}

	var full webhook.Callback
	fill(t, reflect.ValueOf(&full).Elem())
	if got := full.WithDefaults(); got != full {
		t.Errorf("got %+v, want %+v", got, full)
	}
}

// fill sets every field of a struct, those of structs in it too.
func fill(t *testing.T, v reflect.Value) {
	t.Helper()
	for i := range v.NumField() {
		switch f := v.Field(i); {
		case f.Type() == reflect.TypeFor[signature.Secret]():
			f.Set(reflect.ValueOf(signature.NewSecret()))
		case f.Type() == reflect.TypeFor[time.Time]():
			f.Set(reflect.ValueOf(time.UnixMilli(int64(i))))
		case f.Kind() == reflect.Struct:
			fill(t, f)
		case f.Kind() == reflect.String:
			f.SetString(v.Type().Field(i).Name)
		case f.CanInt():
			f.SetInt(int64(i + 1))
		default:
			t.Fatalf("%s has a type that this test does not know", v.Type().Field(i).Name)
		}
	}
}

func TestHealthPaused(t *testing.T) {
	now := time.UnixMilli(1_800_000_000_000)
	for _, test := range []struct {
		until time.Time
		want  bool
	}{
		{time.Time{}, false},
		{now.Add(-time.Second), false},
		{now, false},
		{now.Add(time.Second), true},
		{now.Add(webhook.MaxPause), true},
		{now.Add(webhook.MaxPause + time.Millisecond), false}, // a clock was wrong
	} {
		if got := (webhook.Health{PausedUntil: test.until}).Paused(now); got != test.want {
			t.Errorf("until %v: got %v", test.until.Sub(now), got)
		}
	}
}

func TestCallbackScope(t *testing.T) {
	c := callback(func(c *webhook.Callback) { c.Collection = "8550" })
	if got, want := c.Scope(), (webhook.Scope{Database: "788", Collection: "8550"}); got != want {
		t.Errorf("got %v, want %v", got, want)
	}
}
