package condition_test

import (
	"regexp"
	"testing"
	"unicode/utf8"

	"github.com/ringback-dev/ringback/webhook"
	"github.com/ringback-dev/ringback/webhook/condition"
)

var refusalForm = regexp.MustCompile(`^line [0-9]+, column [0-9]+: .`)

// FuzzCompile gives sources to the gate, and runs what it lets through on events
// that are ordinary, and large.
func FuzzCompile(f *testing.F) {
	for _, cases := range hostileCases(f) {
		for _, test := range cases {
			if source := test.source(); len(source) < 5000 {
				f.Add(source)
			}
		}
	}
	for _, source := range []string{
		"company == 'Apple'", "profile.newsletter == 'unsubscribed';", "profile.fields.age >= 18 && profile.interests.mac",
		`/@example\.(com|org)$/i.test(email) && name.toLowerCase().startsWith('b')`,
		"['nl', 'be'].includes(country) ? age >= 16 : age >= 18", "a /* b */ // c", "a\u2028== 1", "/[/]/.test(a) / 2", "a?.b?.[0]?.c()",
		"1_000 + 0x1F + 0b11 + 0o17 + .5e-3 + 5.", `'\u{1F600}\x41\
' + "\0"`, "a ?.5 : 1", "typeof /a/ in b", "x.in / y", "(a) / b / c", "[a] / 2", "void/a/.test(b)",
	} {
		f.Add(source)
	}
	ev := evaluator(f)
	events := []*webhook.Event{hostileEvents()["small"][0], hostileEvents()["text"][0], hostileEvents()["lists"][0]}
	f.Fuzz(func(t *testing.T, source string) {
		var c *condition.Condition
		var err error
		took, _ := measure(mostCompile*slack, func() { c, err = ev.Compile(source) })
		if took > mostCompile*slack {
			t.Errorf("compiling took %v", took)
		}
		if err != nil {
			invalid, ok := err.(*webhook.InvalidError)
			if !ok || invalid.Field != "expression" || !refusalForm.MatchString(invalid.Message) || !utf8.ValidString(invalid.Message) {
				t.Errorf("Compile: %v, want an *InvalidError with a position", err)
			}
			return
		}
		for _, e := range events {
			result, took, bytes := measureJudging(ev, e, c)
			if took > mostTime*slack || bytes > mostMemory {
				t.Errorf("took %v and %d MiB: %+v", took, bytes>>20, result)
			}
			if result.Message == "the condition could not be evaluated" || len(result.Message) > 200 || !utf8.ValidString(result.Message) {
				t.Errorf("%+v, want a message that says why", result)
			}
			if (result.Verdict == condition.Failed) != (result.Class != "") {
				t.Errorf("%+v", result)
			}
		}
	})
}
