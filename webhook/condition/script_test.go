package condition_test

import (
	"testing"

	"github.com/ringback-dev/ringback/webhook"
	"github.com/ringback-dev/ringback/webhook/condition"
)

func scripts(t testing.TB) *condition.Evaluator {
	t.Helper()
	ev, err := condition.New(&condition.Options{Scripts: true})
	if err != nil {
		t.Fatal(err)
	}
	return ev
}

func TestScripts(t *testing.T) {
	fields := map[string]any{
		"company": "Apple", "age": 30, "tags": []any{"a", "b"}, "Math": "a field", "x": 1, "undefined": 5,
		"address": map[string]any{"city": "Delft"},
	}
	ev := scripts(t)
	check(t, ev, update(fields, map[string]any{"company": "Microsoft"}), []expect{
		{"", yes},
		{"company == 'Apple'", yes},
		{"const name = company; let ok = false; for (const t of tags) if (t == 'b') ok = true; ok", yes},
		{"tags.map(t => t.toUpperCase()).join() == 'A,B' && [...tags].length == 2", yes},
		{"function f(n) { return n < 2 ? 1 : n * f(n - 1) } f(5) == 120", yes},
		{"old.company != company && changed.some(name => name == 'company')", yes},
		{"profile.interests.mac && profile.interests.filter(i => i == 'mac').length == 1", yes},
		{"Math == 'a field' && typeof JSON.stringify == 'function'", yes},
		{"missing === undefined && typeof constructor == 'undefined'", yes},
		{"undefined === void 0 && profile['undefined'] == 5", yes},
		{"var x = 2; x == 2", yes},
		{"let y = x + 1; y == 2", yes},
		{"company = 'Other'; company == 'Other' && profile.company == 'Apple'", yes},
		{"tags[0] = 'z'; profile.age = 5; tags[0] == 'a' && profile.age == 30", yes},
		{"address.city.replace(/D/g, 'd') == 'delft'", yes},
		{"JSON.stringify(address) == '{\"city\":\"Delft\"}'", yes},
		{"Object.keys(profile.fields).includes('age')", yes},
		{"if (age < 18) true", no},
		{"const unused = 1;", no},
		{"[1]", fail},
		{"Promise.resolve(false)", fail},
		{"10n", fail},
		{"Symbol('x')", fail},
	})
}

func TestScriptsAreStopped(t *testing.T) {
	ev := scripts(t)
	for _, test := range []struct {
		source string
		want   condition.Class
	}{
		{"while (true) {}", condition.ClassDeadline},
		{"Promise.resolve().then(function f() { return Promise.resolve().then(f) }); 1", condition.ClassDeadline},
		{"throw { toString() { for (;;); } }", condition.ClassError},
		{"throw { get message() { for (;;); } }", condition.ClassDeadline},
		{"throw 'x'", condition.ClassError},
		{"function f() { f() } f()", condition.ClassError},
		{"'x'.repeat(2 ** 52)", condition.ClassError},
		{"null.x", condition.ClassError},
	} {
		if got := judge(t, ev, update(map[string]any{"a": 1}, nil), test.source); got.Class != test.want {
			t.Errorf("%s: %+v, want %s", test.source, got, test.want)
		}
	}
}

func TestScriptsHaveAFreshRuntimeEachTime(t *testing.T) {
	ev := scripts(t)
	s := ev.Begin(update(map[string]any{"a": 1}, nil))
	defer s.End()
	for _, source := range []string{
		"globalThis.leak = 1; leak", "var leak = 1; leak", "let leak = 1; leak", "leak = 1; leak",
		"Object.prototype.leak = 1; profile.leak || ({}).leak", "Array.prototype.leak = 1; changed.leak",
		"function leak() {} typeof leak == 'function'",
	} {
		c, err := ev.Compile(source)
		if err != nil {
			t.Fatal(err)
		}
		seen, err := ev.Compile("typeof leak != 'undefined' || ({}).leak || [].leak || changed.leak || ''.leak")
		if err != nil {
			t.Fatal(err)
		}
		if got := s.Evaluate(c); got.Verdict != yes {
			t.Errorf("%s: %+v, want it to work", source, got)
		}
		if got := s.Evaluate(seen); got.Verdict != no {
			t.Errorf("%s: seen by the next evaluation: %+v", source, got)
		}
	}
}

func TestScriptsSyntaxErrors(t *testing.T) {
	_, err := scripts(t).Compile("if (a) {\n  b b\n}")
	invalid, ok := err.(*webhook.InvalidError)
	if !ok || invalid.Field != "expression" || invalid.Message != "line 2, column 5: this is not valid JavaScript: unexpected identifier" {
		t.Errorf("Compile = %v", err)
	}
}
