package condition_test

import (
	"strings"
	"testing"

	"github.com/ringback-dev/ringback/webhook/condition"
)

func TestResultsSayWhy(t *testing.T) {
	ev := evaluator(t)
	long := strings.Repeat("long ", 100)
	e := update(map[string]any{"text": long, "n": 5, "nasty": "a\nb\x00\u202e" + long}, nil)
	for _, test := range []struct {
		source string
		class  condition.Class
		want   string
	}{
		{"missing.x", condition.ClassError, "Cannot read property 'x' of undefined"},
		{"n.includes('5')", condition.ClassError, "there is no method includes on this value"},
		{"profile + 1", condition.ClassError, "a record or map can't be used as text or a number"},
		{"profile", condition.ClassAnswer, "the result is a record, which is neither yes nor no"},
		{"changed", condition.ClassAnswer, "the result is a list, which"},
		{"Number", condition.ClassAnswer, "the result is a function, which"},
		{"'x' in text", condition.ClassError, "Value is not an object: long"},
		{"'x' in nasty", condition.ClassError, "Value is not an object: a b"},
	} {
		got := judge(t, ev, e, test.source)
		if got.Verdict != fail || got.Class != test.class || !strings.HasPrefix(got.Message, test.want) {
			t.Errorf("%s: %+v, want %s: %s", test.source, got, test.class, test.want)
		}
		if len(got.Message) > 200 || strings.ContainsAny(got.Message, "\n\x00\u202e") {
			t.Errorf("%s: the message is not one short line: %q", test.source, got.Message)
		}
	}
	for verdict, want := range map[condition.Verdict]string{yes: "matched", no: "not matched", fail: "failed"} {
		if verdict.String() != want {
			t.Errorf("%d.String() = %q, want %q", verdict, verdict.String(), want)
		}
	}
}
