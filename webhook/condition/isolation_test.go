package condition_test

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

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

// heavy is a condition that takes far longer than a millisecond on an event that
// has a large text u.
var heavy = strings.Repeat("u.toUpperCase().length > 5 && ", 60) + "true"

func heavyEvent() *webhook.Event {
	return update(map[string]any{"u": strings.Repeat("€", 200_000)}, nil)
}

func TestDeadline(t *testing.T) {
	ev, err := condition.New(&condition.Options{Deadline: time.Millisecond, MaxMemory: 64 << 20})
	if err != nil {
		t.Fatal(err)
	}
	goroutines := runtime.NumGoroutine()
	c, err := ev.Compile(heavy)
	if err != nil {
		t.Fatal(err)
	}
	s := ev.Begin(heavyEvent())
	for range 5 {
		if got := s.Evaluate(c); got.Verdict != fail || got.Class != condition.ClassDeadline {
			t.Errorf("%+v, want failed by the deadline", got)
		}
	}
	s.End()
	for start := time.Now(); runtime.NumGoroutine() > goroutines; runtime.Gosched() {
		if time.Since(start) > 10*time.Second {
			t.Fatalf("%d goroutines are left, there were %d", runtime.NumGoroutine(), goroutines)
		}
	}
}

// TestInterruptsHitNobodyElse runs conditions that end at about the deadline before
// others that take no time. A late interrupt would make one of those fail early.
func TestInterruptsHitNobodyElse(t *testing.T) {
	const deadline = 2 * time.Millisecond
	ev, err := condition.New(&condition.Options{Deadline: deadline, MaxMemory: 64 << 20})
	if err != nil {
		t.Fatal(err)
	}
	quick, err := ev.Compile("company == 'Apple'")
	if err != nil {
		t.Fatal(err)
	}
	small, large := update(map[string]any{"company": "Apple"}, nil), heavyEvent()
	var interrupted int
	for i := range 60 {
		slow, err := ev.Compile(strings.Repeat("u.indexOf('x') > 0 || ", 1+i%20) + "true")
		if err != nil {
			t.Fatal(err)
		}
		s := ev.Begin(large)
		if s.Evaluate(slow).Class == condition.ClassDeadline {
			interrupted++
		}
		for range 20 {
			start := time.Now()
			if got := s.Evaluate(quick); got.Verdict == fail && time.Since(start) < deadline {
				t.Fatalf("in the same scope: %+v after %v", got, time.Since(start))
			}
		}
		s.End()
		s = ev.Begin(small)
		for range 20 {
			start := time.Now()
			if got := s.Evaluate(quick); got.Verdict != yes && time.Since(start) < deadline {
				t.Fatalf("in the next scope: %+v after %v", got, time.Since(start))
			}
		}
		s.End()
	}
	if interrupted == 0 {
		t.Error("nothing was interrupted: the test tests nothing")
	}
}

func TestManyScopesAtOnce(t *testing.T) {
	ev := evaluator(t)
	var wait sync.WaitGroup
	problems := make(chan error, 100)
	for worker := range 8 {
		wait.Go(func() {
			for i := range 60 {
				e := update(map[string]any{"company": fmt.Sprint("Company ", worker), "text": strings.Repeat("é", i), "i": i}, nil)
				s := ev.Begin(e)
				for _, test := range []expect{
					{fmt.Sprintf("company == 'Company %d'", worker), yes},
					{"company == 'Another company, with a name beyond sixteen bytes'", no},
					{fmt.Sprintf("text.length == %d && /^é*$/.test(text)", i), yes},
					{fmt.Sprintf("['a constant of more than sixteen bytes', %d].includes(i)", i), yes},
					{"profile.interests.mac && text.toUpperCase() == text", condition.Verdict(1 - min(i, 1))},
					{"null.x", fail},
				} {
					c, err := ev.Compile(test.source)
					if err != nil {
						problems <- err
						return
					}
					if got := s.Evaluate(c); got.Verdict != test.want && got.Class != condition.ClassDeadline {
						problems <- fmt.Errorf("%s: %+v, want %v", test.source, got, test.want)
					}
				}
				s.End()
			}
		})
	}
	wait.Wait()
	close(problems)
	for err := range problems {
		t.Error(err)
	}
}

func TestCompileIsCached(t *testing.T) {
	ev := evaluator(t)
	first, err := ev.Compile("a == 1")
	if err != nil {
		t.Fatal(err)
	}
	if first.Source() != "a == 1" {
		t.Errorf("Source() = %q", first.Source())
	}
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			for range 100 {
				if again, err := ev.Compile("a == 1"); again != first || err != nil {
					t.Errorf("Compile returned another condition, or %v", err)
					return
				}
			}
		})
	}
	wait.Wait()

	// Refused sources drive nothing out.
	for i := range 5000 {
		if _, err := ev.Compile(fmt.Sprintf("a = %d", i)); !errors.Is(err, webhook.ErrInvalid) {
			t.Fatal(err)
		}
	}
	if again, _ := ev.Compile("a == 1"); again != first {
		t.Error("refused sources drove out one in use")
	}
}

func TestCacheIsBounded(t *testing.T) {
	ev := evaluator(t)
	first, err := ev.Compile("a == 1")
	if err != nil {
		t.Fatal(err)
	}
	heap := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := heap()
	s := ev.Begin(update(map[string]any{"a": 1}, nil))
	for i := range 600 { // 50 KB each
		c, err := ev.Compile(strings.Repeat("a==1&&", 240) + fmt.Sprint(i))
		if err != nil {
			t.Fatal(err)
		}
		s.Evaluate(c)
	}
	s.End()
	if grown := int64(heap()) - int64(before); grown > 32<<20 {
		t.Errorf("the heap has grown by %d MiB", grown>>20)
	}
	if again, err := ev.Compile("a == 1"); again == first || err != nil {
		t.Errorf("the oldest condition is still there, or %v", err)
	}
	runtime.KeepAlive(ev)
}

func TestOptions(t *testing.T) {
	for _, o := range []condition.Options{
		{Deadline: -1}, {Deadline: time.Second}, {MaxSource: -1}, {MaxSource: 1 << 20}, {MaxDepth: 1000}, {MaxNodes: -5},
		{MaxPattern: 1 << 20}, {MaxMemory: 1 << 30},
	} {
		if _, err := condition.New(&o); err == nil || !strings.Contains(err.Error(), "condition: Options.") {
			t.Errorf("New(%+v): %v, want an error that names the option", o, err)
		}
	}
	ev, err := condition.New(&condition.Options{MaxSource: 20, MaxDepth: 3, MaxNodes: 6, MaxPattern: 10})
	if err != nil {
		t.Fatal(err)
	}
	for source, allowed := range map[string]bool{
		"a == 1":               true,
		"a == 'twenty bytes…'": false,
		"((a))":                true,
		"((((a))))":            false,
		"a+b+c":                true,
		"a+b+c+d":              false,
		"/abc/.test(a)":        true,
		"/a{20}/.test(a)":      false,
		"!!a":                  true,
		"!!!a":                 false,
	} {
		if _, err := ev.Compile(source); (err == nil) != allowed {
			t.Errorf("Compile(%q): %v, want allowed %v", source, err, allowed)
		}
	}
}

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
