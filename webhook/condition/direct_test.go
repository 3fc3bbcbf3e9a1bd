package condition_test

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/ringback-dev/ringback/webhook"
	"github.com/ringback-dev/ringback/webhook/condition"
)

// simple writes an expression at random that needs no interpreter, unless a value does.
func (w writer) simple(depth int) string {
	if depth <= 0 {
		return w.operand()
	}
	e := func() string { return w.simple(depth - 1 - w.rand.IntN(2)) }
	switch w.rand.IntN(9) {
	case 0:
		return w.operand()
	case 1:
		return "!(" + e() + ")"
	case 2, 3:
		return "(" + e() + w.pick(" && ", " || ") + e() + ")"
	case 4:
		return w.pick("changed.includes("+w.pick("'name'", "'age'", "'gone'", "'toString'", "''")+")",
			"["+w.listed()+", "+w.listed()+"].includes("+w.operand()+")", "[].includes("+w.operand()+")")
	}
	return w.operand() + w.pick(" == ", " != ", " === ", " !== ", " < ", " <= ", " > ", " >= ") + w.operand()
}

func (w writer) operand() string {
	if w.rand.IntN(3) == 0 {
		return w.constant()
	}
	name := w.pick(directNames...)
	switch w.rand.IntN(6) {
	case 0:
		return w.pick("profile", "subprofile", "old") + "." + name
	case 1:
		return w.pick("profile", "subprofile", "old") + ".fields." + name
	case 2:
		return w.pick("profile", "subprofile", "old") + w.pick("", ".fields", ".interests") + "['" + w.pick("ID", "name", "First name", "0", "interests", "x", "é", "\\ud83d") + "']"
	case 3:
		return w.pick("profile", "subprofile", "old") + ".interests." + w.pick("mac", "name", "length", "join", "constructor", "__proto__")
	}
	return name
}

// directNames are names of fields, and others.
var directNames = []string{
	"name", "other", "empty", "age", "zero", "negative", "float", "big", "edge", "vast", "stored", "storedFloat", "storedBig", "storedVast", "storedZero",
	"yes", "no", "none", "list", "map", "when", "small", "long", "alike", "missing", "gone", "unicode", "broken", "Math", "isNaN", "Date", "Number", "Array",
	"ID", "fields", "interests", "created", "modified", "constructor", "__proto__", "toString", "length", "undefined", "NaN", "Infinity",
	"action", "trigger", "database", "collection", "changed", "profile", "subprofile", "old",
}

func (w writer) constant() string {
	return w.pick("'Bob'", "''", "'30'", "'é€😀'", "'update'", "'\\ud83d'", "'\\ufffd'", "0", "-0", "30", "-7", "1.5", "1e21", "9007199254740992", "9007199254740993",
		"-9007199254740993", "true", "false", "null", "undefined", "1000", "'9007199254740993'", "'1'")
}

// listed writes a constant other than -0: goja does not find 0 in a list of that, which
// JavaScript does.
func (w writer) listed() string { return strings.Replace(w.constant(), "-0", "0", 1) }

func directEvents() []*webhook.Event {
	long := strings.Repeat("a", 5000)
	fields := map[string]any{
		"name": "Bob", "other": "Alice", "empty": "", "age": 30, "zero": 0, "negative": int64(-7), "float": 1.5,
		"big": int64(1<<53 + 1), "edge": int64(1 << 53), "vast": 1e21, "stored": json.Number("30"), "storedFloat": json.Number("1.5e0"),
		"storedBig": json.Number("9007199254740993"), "storedVast": json.Number("1e400"), "storedZero": json.Number("-0"),
		"yes": true, "no": false, "none": nil, "list": []any{1}, "map": map[string]any{"a": 1}, "when": time.Unix(0, 0), "small": int8(30),
		"long": long, "alike": long + "b", "unicode": "é€😀", "broken": "\ufffd", "Math": 5, "isNaN": "x", "ID": "field", "fields": "f",
		"interests": 1, "action": "field", "constructor": "c", "First name": "Bob", "0": "zero",
	}
	odd := map[string]any{
		"name": "Bob", "age": "30", "zero": math.Copysign(0, -1), "float": float32(1.5), "gone": 1, "empty": " ", "yes": "true", "none": json.Number("0"),
		"long": long, "alike": long, "big": uint64(math.MaxUint64), "stored": json.Number("1E1"), "storedBig": json.Number("-9007199254740992"),
		"profile": 1, "changed": "c", "undefined": 1, "__proto__": "p", "length": 3, "toString": true,
	}
	now := webhook.Record{ID: "1", Fields: fields, Interests: []string{"mac", "name", "join", "0"}}
	was := webhook.Record{Fields: odd, Interests: []string{"length", "__proto__"}, Created: time.Unix(0, 0)}
	many := webhook.Record{ID: "1", Fields: map[string]any{}}
	for i := range 100 {
		many.Interests = append(many.Interests, fmt.Sprint("interest", i))
		many.Fields[fmt.Sprint("field", i)] = i
	}
	many.Interests[99], many.Fields["name"] = "mac", "Bob"
	events := []*webhook.Event{
		{Action: webhook.ActionUpdate, Database: "1", Trigger: "Bob", Profile: now, Previous: &was},
		{Action: webhook.ActionUpdate, Database: "1", Profile: was, Previous: &now},
		{Action: webhook.ActionUpdate, Database: "1", Profile: now},
		{Action: webhook.ActionCreate, Database: "788", Profile: now},
		{Action: webhook.ActionDelete, Database: "788", Profile: now},
		{Action: webhook.ActionUpdate, Database: "788", Profile: many, Previous: &webhook.Record{}},
		{Action: webhook.ActionUpdate, Database: "1", Collection: "30", Profile: was, Subprofile: &now, Previous: &was},
		{Action: webhook.ActionDelete, Database: "1", Collection: "30", Profile: was, Subprofile: &now},
		{Action: webhook.ActionCreate, Database: "1", Profile: webhook.Record{ID: "1"}},
	}
	for _, e := range events {
		if e.Profile.ID == "" {
			e.Profile.ID = "2"
		}
	}
	return events
}

// compareInterpreted checks that a condition comes to the same result when the
// interpreter evaluates it: what stands in a list of other than constants does not
// get around it.
func compareInterpreted(t *testing.T, ev *condition.Evaluator, e *webhook.Event, source string) {
	t.Helper()
	c, err := ev.Compile(source)
	interpreted, err2 := ev.Compile("[" + source + "][0]")
	if err != nil || err2 != nil {
		if (err == nil) != (err2 == nil) {
			t.Errorf("%s: %v, in a list %v", source, err, err2)
		}
		return
	}
	s := ev.Begin(e)
	defer s.End()
	if got, want := s.Evaluate(c), s.Evaluate(interpreted); got != want {
		t.Errorf("%s: %+v, the interpreter says %+v of %s %+v", source, got, want, e.Action, e)
	}
	if got, want := s.EvaluateBefore(c), s.EvaluateBefore(interpreted); got != want {
		t.Errorf("%s: before %+v, the interpreter says %+v of %s", source, got, want, e.Action)
	}
}

// TestDirectMeansWhatTheInterpreterSays compares at random, and every operator between
// every two of a kind.
func TestDirectMeansWhatTheInterpreterSays(t *testing.T) {
	ev, events := evaluator(t), directEvents()
	for seed := range uint64(6000) {
		w := writer{rand.New(rand.NewPCG(seed, 2))}
		compareInterpreted(t, ev, events[seed%uint64(len(events))], w.simple(int(seed%4)))
	}
	for _, name := range directNames {
		for i, e := range events {
			if name == "__proto__" && i > 1 {
				continue
			}
			compareInterpreted(t, ev, e, name)
			compareInterpreted(t, ev, e, "profile."+name+" === old."+name)
			compareInterpreted(t, ev, e, "profile.interests."+name+" == subprofile.fields."+name)
		}
	}
}

func FuzzDirect(f *testing.F) {
	f.Add(uint64(1), uint64(2))
	ev, events := evaluator(f), directEvents()
	f.Fuzz(func(t *testing.T, a, b uint64) {
		w := writer{rand.New(rand.NewPCG(a, b))}
		compareInterpreted(t, ev, events[b%uint64(len(events))], w.simple(int(a%6)))
	})
}

// TestSimpleConditionsAreQuick counts allocations: there is one where the names of the fields
// that changed are asked for, and the interpreter takes more.
func TestSimpleConditionsAreQuick(t *testing.T) {
	ev, e := evaluator(t), usual()
	for _, source := range []string{
		"company == 'Apple'", "age >= 18 && profile.interests.mac", "old.company !== company", "changed.includes('company')",
		"['Apple', 'Pear'].includes(profile.fields.company)", "!(age < 18 || profile['company'] == null)",
	} {
		c, err := ev.Compile(source)
		if err != nil {
			t.Fatal(err)
		}
		n := testing.AllocsPerRun(100, func() {
			s := ev.Begin(e)
			if got := s.Evaluate(c); got.Verdict != yes {
				t.Errorf("%s: %+v", source, got)
			}
			s.End()
		})
		if n > 1 || n > 0 && !strings.Contains(source, "changed.") {
			t.Errorf("%s: %v allocations", source, n)
		}
	}
}
