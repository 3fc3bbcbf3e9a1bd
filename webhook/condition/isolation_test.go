package condition_test

import (
	"runtime"
	"testing"

	"github.com/ringback-dev/ringback/webhook"
	"github.com/ringback-dev/ringback/webhook/condition"
)

// probes ask for everything that an evaluation could have left behind, and answer
// no in a realm that nobody has touched.
var probes = []string{
	"leak", "x", "y", "p", "f", "A", "profile.x", "profile.leak", "profile.fields.x", "old.x", "changed.x",
	"'abc'.x", "[].x", "(1).x", "Math.x", "Number.x", "String.x", "/a/.x", "true.x", "parseInt.x",
	"undefined", "NaN", "Math.PI != 3.141592653589793", "Math.max(1, 2) != 2", "'abc'.includes('z')", "[1].includes(2)",
	"/a/.lastIndex", "'Bob' != name", "company != 'Apple'", "age != 30", "tags.join() != 'a,b'", "changed.length",
	"profile.interests.length != 4", "'a,b'.split(',').length != 2", "Object", "constructor", "name.constructor", "[].constructor",
	"parseInt('5') != 5", "Number('5') != 5", "String(5) != '5'", "isNaN(5)", "Date.parse('2026-01-01') != 1767225600000",
}

// TestNothingIsLeftBehind runs the whole catalogue in one runtime after another, as
// they come from the pool, and looks for traces after each condition.
func TestNothingIsLeftBehind(t *testing.T) {
	ev := evaluator(t)
	e := hostileEvents()["small"][0]
	var asked []*condition.Condition
	for _, source := range probes {
		c, err := ev.Compile(source)
		if err != nil {
			t.Fatalf("Compile(%q): %v", source, err)
		}
		asked = append(asked, c)
	}
	for kind, cases := range hostileCases(t) {
		for _, test := range cases {
			c, err := ev.Compile(test.source())
			if err != nil {
				continue // refused
			}
			s := ev.Begin(e)
			s.Evaluate(c)
			for i, probe := range asked {
				if got := s.Evaluate(probe); got.Verdict != no {
					t.Fatalf("%s: %.60s: then %s is %+v", kind, test.source(), probes[i], got)
				}
			}
			s.End()
		}
	}
}

func TestNothingOfOneEventIsSeenByTheNext(t *testing.T) {
	ev := evaluator(t)
	c, err := ev.Compile("secret == 's' || profile.secret == 's' || profile.interests.secret || changed.includes('secret') || old.secret")
	if err != nil {
		t.Fatal(err)
	}
	first := &webhook.Event{
		Action: webhook.ActionDelete, Database: "1", Profile: webhook.Record{ID: "1", Fields: map[string]any{"secret": "s"}, Interests: []string{"secret"}},
	}
	second := &webhook.Event{Action: webhook.ActionCreate, Database: "1", Profile: webhook.Record{ID: "2"}}
	for range 3 {
		for _, test := range []struct {
			event *webhook.Event
			want  condition.Verdict
		}{{first, yes}, {second, no}} {
			s := ev.Begin(test.event)
			if got := s.Evaluate(c); got.Verdict != test.want {
				t.Errorf("%+v, want %v", got, test.want)
			}
			s.End()
		}
	}
}

// TestIdleRuntimesKeepNoEventAlive checks that what was evaluated can be collected.
func TestIdleRuntimesKeepNoEventAlive(t *testing.T) {
	ev := evaluator(t)
	collected := make(chan bool, 1)
	func() {
		e := update(map[string]any{"list": []any{1, 2}, "company": "Apple"}, nil)
		runtime.AddCleanup(e, func(collected chan bool) { collected <- true }, collected)
		judge(t, ev, e, "profile.list.includes(2) && list[0] == 1 && old.company == company && changed.length == 0 && missing.x")
	}()
	for range 100 {
		runtime.GC()
		select {
		case <-collected:
			runtime.KeepAlive(ev)
			return
		default:
			runtime.Gosched()
		}
	}
	t.Error("the event is still alive")
}

// TestEventsStayAsTheyAre checks that conversion never writes to what it converts.
func TestEventsStayAsTheyAre(t *testing.T) {
	fields := map[string]any{"list": []any{1, []any{"b"}, nil}, "map": map[string]any{"c": "d"}, "name": "Bob"}
	e := update(fields, nil)
	before := string(webhook.EncodeEvent(e))
	for _, ev := range []*condition.Evaluator{evaluator(t), scripts(t)} {
		for _, source := range []string{
			"list[1][0] == 'b' && map.c == 'd' && profile.map.c && list.slice(1).length && list.join() && changed.join()",
			"list[0] = 2; list.length = 0; list[1][0] = 'x'; map.c = 'e'; delete map.c; profile.name = 'X'; delete profile.name; name = 'Y'",
			"list.push(1)", "list.sort()", "profile.interests.length = 0", "Object.freeze(map)", "Object.defineProperty(profile, 'name', {value: 1})",
		} {
			if c, err := ev.Compile(source); err == nil {
				s := ev.Begin(e)
				s.Evaluate(c)
				s.End()
			}
		}
	}
	if after := string(webhook.EncodeEvent(e)); after != before {
		t.Errorf("the event has become %s\nwas %s", after, before)
	}
}
