package condition_test

import (
	"strings"
	"testing"
	"time"

	"github.com/ringback-dev/ringback/webhook"
	"github.com/ringback-dev/ringback/webhook/condition"
)

// evaluator returns an Evaluator with default options.
func evaluator(t testing.TB) *condition.Evaluator {
	t.Helper()
	ev, err := condition.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return ev
}

// update returns an update of a profile that has the fields; before has those that
// differ from it.
func update(fields, before map[string]any) *webhook.Event {
	previous := map[string]any{}
	for name, value := range fields {
		previous[name] = value
	}
	for name, value := range before {
		previous[name] = value
	}
	return &webhook.Event{
		ID: "e", Action: webhook.ActionUpdate, Database: "788", Trigger: "rest",
		Time: time.Date(2026, 11, 23, 10, 33, 0, 123e6, time.UTC),
		Profile: webhook.Record{
			ID: "1", Fields: fields, Interests: []string{"mac", "length", "2024", "join"},
			Created: time.Date(2014, 2, 10, 10, 33, 28, 0, time.UTC), Modified: time.Date(2026, 11, 23, 10, 33, 0, 0, time.UTC),
		},
		Previous: &webhook.Record{Fields: previous},
	}
}

// judge compiles a source and judges an event by it.
func judge(t testing.TB, ev *condition.Evaluator, e *webhook.Event, source string) condition.Result {
	t.Helper()
	c, err := ev.Compile(source)
	if err != nil {
		t.Fatalf("Compile(%q): %v", source, err)
	}
	s := ev.Begin(e)
	defer s.End()
	return s.Evaluate(c)
}

// expect is a condition with the verdict it must come to.
type expect struct {
	source string
	want   condition.Verdict
}

func check(t *testing.T, ev *condition.Evaluator, e *webhook.Event, tests []expect) {
	t.Helper()
	for _, test := range tests {
		if got := judge(t, ev, e, test.source); got.Verdict != test.want {
			t.Errorf("%s: %v (%s: %s), want %v", test.source, got.Verdict, got.Class, got.Message, test.want)
		}
	}
}

const (
	yes  = condition.Matched
	no   = condition.NotMatched
	fail = condition.Failed
)

func TestConditionsAsUsersWriteThem(t *testing.T) {
	fields := map[string]any{
		"company": "Apple", "newsletter": "unsubscribed", "age": 30, "email": "x@Example.com", "name": "Bob", "country": "nl",
	}
	ev := evaluator(t)
	check(t, ev, update(fields, map[string]any{"company": "Microsoft"}), []expect{
		{"", yes}, {"  \n\t ", yes},
		{"company == 'Apple'", yes},
		{"company == 'Microsoft'", no},
		{"profile.newsletter == 'unsubscribed';", yes},
		{"profile.fields.age >= 18 && profile.interests.mac", yes},
		{"profile.fields.age >= 18 && profile.interests.windows", no},
		{"subprofile.amount > 100", no},
		{"old.company != company", yes},
		{"old.age != age", no},
		{"changed.includes('company')", yes},
		{"changed.includes('age')", no},
		{"action == 'delete' || trigger == 'import'", no},
		{"action == 'update' && trigger == 'rest'", yes},
		{`/@example\.(com|org)$/i.test(email) && name.toLowerCase().startsWith('b')`, yes},
		{"['nl', 'be'].includes(country) ? age >= 16 : age >= 18", yes},
		{"database == '788' && collection == 0 && !collection", yes},
	})
}

func TestConditionsInACollection(t *testing.T) {
	e := &webhook.Event{
		ID: "e", Action: webhook.ActionCreate, Database: "788", Collection: "12",
		Profile:    webhook.Record{ID: "1", Fields: map[string]any{"company": "Apple", "amount": 1}},
		Subprofile: &webhook.Record{ID: "7", Fields: map[string]any{"amount": 150}},
	}
	check(t, evaluator(t), e, []expect{
		{"subprofile.amount > 100", yes},
		{"amount > 100", yes}, // bare names are the changed record's
		{"company == undefined", yes},
		{"profile.company == 'Apple' && profile.amount == 1", yes},
		{"collection == '12' && collection === '12'", yes},
		{"subprofile.ID == '7' && profile.ID == '1'", yes},
		{"old.amount === undefined && old.fields.amount === undefined && old.ID === undefined", yes},
		{"old.amount != amount", yes},
		{"changed.length == 1 && changed[0] == 'amount'", yes},
	})
}

func TestRefusalsSayWhereAndWhatInstead(t *testing.T) {
	ev := evaluator(t)
	for _, test := range []struct{ source, want string }{
		{"a || x => 1", "line 1, column 8: arrow functions are not available here: use"},
		{"company = 'Apple'", "line 1, column 1: assignment is not available here: use == to compare"},
		{"age > 1 &&\n  name.repeat(3)", "line 2, column 8: the method repeat is not available here: "},
		{"'é' + `x`", "line 1, column 7: template literals are not available here"},
		{"new Date() > 1", "line 1, column 1: new is not available here"},
		{"a; b", "line 1, column 4: a condition is one expression"},
		{"a\nb", "line 2, column 1: a condition is one expression"},
		{"a ==", "line 1, column 5: the condition ends too early"},
		{"tags.forEach(x)", "line 1, column 6: the method forEach is not available here: use includes"},
		{"profile['x'](1)", "line 1, column 1: only methods and functions that are called by their name"},
		{"/(?=a)/.test(b)", "line 1, column 1: look-around"},
		{"1 < age < 3", "comparisons can't be chained"},
		{"(a, b)", "the comma operator is not available here"},
		{"class == 'a'", "line 1, column 1: classes are not available here; a field of this name is profile.class"},
		{"age > 1 && default", "line 1, column 12: statements are not available here: a condition is one expression, such as a == 1 ? b : c; a field of this name is profile.default"},
		{"async x => 1", "functions are not available here: use"},
		{"a - -b--", "++ and -- are not available here"},
		{"'open", "line 1, column 1: this string is not closed"},
		{"a == 'x\ny'", "line 1, column 6: this string is not closed on its line"},
		{"/open", "line 1, column 1: this regular expression is not closed"},
		{"/* open", "line 1, column 1: this comment is not closed"},
		{"a)", "line 1, column 2: this ) closes nothing"},
		{"a == 1;; b", "line 1, column 8: a condition is one expression: nothing may follow the semicolon"},
		{";", "line 1, column 1: an expression is missing before this semicolon"},
		{"a @ b", "line 1, column 3: the character '@' is not part of JavaScript here"},
		{"a # b", "private names are not available here"},
		{"\\u0061 == 1", "escapes in names are not available here"},
		{"[1,,2].includes(a)", "a list may not have holes"},
		{"eval('1')", "line 1, column 1: the function eval is not available here: use Boolean, Number"},
		{"10n == age", "bigints are not available here"},
	} {
		_, err := ev.Compile(test.source)
		invalid, ok := err.(*webhook.InvalidError)
		if !ok {
			t.Errorf("Compile(%q) = %v, want an *InvalidError", test.source, err)
			continue
		}
		if invalid.Field != "expression" || !strings.Contains(invalid.Message, test.want) {
			t.Errorf("Compile(%q): %s: %s\nwant %s", test.source, invalid.Field, invalid.Message, test.want)
		}
	}
}
