package condition_test

import (
	"strings"
	"testing"

	"github.com/ringback-dev/ringback/webhook/condition"
)

func TestResultsSayWhy(t *testing.T) {
	ev := evaluator(t)
	long := strings.Repeat("long ", 100)
	e := update(map[string]any{"text": long, "n": 5, "nasty": "a\nb\x00\u202e" + long, "name": "Ada Lovelace", "nothing": nil}, nil)
	for _, test := range []struct {
		source string
		class  condition.Class
		want   string
	}{
		{"missing.x", condition.ClassError, "cannot read property 'x' of undefined or null"},
		{"n.includes('5')", condition.ClassError, "there is no method includes on this value"},
		{"profile + 1", condition.ClassError, "a record or map can't be used as text or a number"},
		{"profile", condition.ClassAnswer, "the result is a record, which is neither yes nor no"},
		{"changed", condition.ClassAnswer, "the result is a list, which"},
		{"Number", condition.ClassAnswer, "the result is a function, which"},
		{"nothing.trim()", condition.ClassError, "cannot read property 'trim' of undefined or null"},
		{"missing[name].x", condition.ClassError, "cannot read a property of undefined or null"},
		{"'x' in name", condition.ClassError, "the right side of in is not a record or a list"},
		{"name.startsWith(/A/)", condition.ClassError, "includes, indexOf, split and the like take text"},
		{"name.endsWith(/e/)", condition.ClassError, "includes, indexOf, split and the like take text"},
		{"'x' in text", condition.ClassError, "the right side of in is not a record or a list"},
		{"'x' in nasty", condition.ClassError, "the right side of in is not a record or a list"},
	} {
		got := judge(t, ev, e, test.source)
		if got.Verdict != fail || got.Class != test.class || !strings.HasPrefix(got.Message, test.want) {
			t.Errorf("%s: %+v, want %s: %s", test.source, got, test.class, test.want)
		}
		if strings.Contains(got.Message, "Ada") {
			t.Errorf("%s: the message holds a value of the record: %s", test.source, got.Message)
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

// TestPOSIXClasses checks that no class of Go's that JavaScript does not have slips
// through.
func TestPOSIXClasses(t *testing.T) {
	ev := evaluator(t)
	for _, source := range []string{"/[[:alpha:]]/.test(name)", "/[a[:digit:]b]/.test(name)"} {
		if _, err := ev.Compile(source); err == nil || !strings.Contains(err.Error(), "[[:alpha:]]") {
			t.Errorf("%s: %v, want a refusal that says why", source, err)
		}
	}
	e := update(map[string]any{"name": "a:[b"}, nil)
	for _, source := range []string{`/[:]/.test(name)`, `/[\[:]/.test(name)`, `/[a]:[[]b/.test(name)`, `/:\[b/.test(name)`} {
		if got := judge(t, ev, e, source); got.Verdict != yes {
			t.Errorf("%s: %+v, want matched", source, got)
		}
	}
}

// TestLineEnds checks that with flag m a line ends wherever JavaScript ends it.
func TestLineEnds(t *testing.T) {
	ev := evaluator(t)
	e := update(map[string]any{"crlf": "line one\r\nline two\r\n\r\nend", "wide": "eins€\u2028zwei\rdrei"}, nil)
	for _, source := range []string{
		`/one$/m.test(crlf)`, `/^line two$/m.test(crlf)`, `/^$/m.test(crlf)`, `/one\r\n/m.test(crlf)`, `!/one$/.test(crlf)`,
		`/€$/m.test(wide)`, `/^zwei$/m.test(wide)`, `/^drei$/m.test(wide)`, `crlf.match(/one$/m)[0] == 'one'`,
	} {
		if got := judge(t, ev, e, source); got.Verdict != yes {
			t.Errorf("%s: %+v, want matched", source, got)
		}
	}
}
