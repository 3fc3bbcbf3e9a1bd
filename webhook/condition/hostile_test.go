package condition_test

import (
	"encoding/json"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/ringback-dev/ringback/webhook"
	"github.com/ringback-dev/ringback/webhook/condition"
)

// The bounds that no condition may pass.
const (
	mostTime    = 100 * time.Millisecond
	mostMemory  = 64 << 20
	mostCompile = 500 * time.Millisecond
)

// A hostileCase is a source with what must become of it: "refused", a verdict, or the
// class of a failure; "any" verdict where it depends on the machine. Sources too long to be written out repeat a part.
type hostileCase struct {
	Source, Repeat, Suffix string
	Count                  int
	Event                  string // see hostileEvents; "" is "small"
	Want                   string
}

func (c *hostileCase) source() string {
	return c.Source + strings.Repeat(c.Repeat, c.Count) + c.Suffix
}

func hostileCases(t testing.TB) map[string][]hostileCase {
	t.Helper()
	data, err := os.ReadFile("testdata/hostile.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases map[string][]hostileCase
	if err := json.Unmarshal(data, &cases); err != nil {
		t.Fatal(err)
	}
	return cases
}

// hostileEvents returns events by name. The first of a name is for the verdict; on the
// others, which are large in one respect each, only the bounds must hold.
func hostileEvents() map[string][]*webhook.Event {
	repeat := strings.Repeat
	texts := func(a, b, u, v, z, y, digits int) *webhook.Event {
		return update(map[string]any{
			"a": repeat("a", a), "b": repeat("a", b) + "b",
			"u": repeat("€", u), "v": repeat("€", v) + "x",
			// The bytes of y's UTF-16 are everywhere in z, but never at an even place.
			"z": repeat("慢", z), "y": repeat("扡", y),
			"digits": repeat("1234567890", digits/10), "name": "Bob",
		}, nil)
	}
	lists := func(many, empties, texts, interests, width int) *webhook.Event {
		fill := func(n int, v any) (list []any) {
			for range n {
				list = append(list, v)
			}
			return list
		}
		deep := any("leaf")
		for range 12 {
			deep = fill(width, deep)
		}
		e := update(map[string]any{
			"many": fill(many, 1.5), "empties": fill(empties, []any{}), "texts": fill(texts, "t"), "deep": deep, "name": "Bob",
		}, nil)
		for range interests {
			e.Profile.Interests = append(e.Profile.Interests, "x")
		}
		return e
	}
	return map[string][]*webhook.Event{
		"small": {update(map[string]any{"name": "Bob", "company": "Apple", "age": 30, "tags": []any{"a", "b"}, "missing2": nil}, nil)},
		"text": {
			texts(250_000, 100_000, 80_000, 40_000, 40_000, 20_000, 100_000),
			texts(1_000_000, 10, 10, 10, 10, 10, 10),
			texts(600_000, 400_000, 10, 10, 10, 10, 10),
			texts(10, 10, 340_000, 10, 10, 10, 10),
			texts(10, 10, 200_000, 140_000, 10, 10, 10),
			texts(10, 10, 10, 10, 200_000, 140_000, 10),
			texts(10, 10, 10, 10, 10, 10, 1_000_000),
		},
		"lists": {
			lists(60_000, 60_000, 60_000, 60_000, 2),
			lists(250_000, 1, 1, 1, 1),
			lists(1, 340_000, 1, 1, 1),
			lists(1, 1, 250_000, 1, 1),
			lists(1, 1, 1, 250_000, 1),
			lists(1, 1, 1, 1, 3),
		},
	}
}

// allocated returns the bytes that the process has allocated since it started.
func allocated() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.TotalAlloc
}

// outcome returns a verdict, or the class of a failure.
func outcome(r condition.Result) string {
	if r.Verdict == condition.Failed {
		return string(r.Class)
	}
	return r.Verdict.String()
}

// measure runs f, and returns the time it took and the bytes it allocated. Where it
// took too long it tries again: the garbage collector is at work on the thread too.
func measure(most time.Duration, f func()) (took time.Duration, bytes uint64) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	for range 3 {
		before, start := allocated(), clock()
		f()
		took, bytes = clock()-start, allocated()-before
		if took <= most {
			break
		}
	}
	return took, bytes
}

// measureJudging judges an event in a scope of its own.
func measureJudging(ev *condition.Evaluator, e *webhook.Event, c *condition.Condition) (result condition.Result, took time.Duration, bytes uint64) {
	took, bytes = measure(mostTime*slack, func() {
		s := ev.Begin(e)
		result = s.Evaluate(c)
		s.End()
	})
	return result, took, bytes
}

// TestHostile registers and runs what is in the catalogue, all of it in the same
// pool of runtimes.
func TestHostile(t *testing.T) {
	ev := evaluator(t)
	events := hostileEvents()
	for kind, cases := range hostileCases(t) {
		t.Run(kind, func(t *testing.T) {
			for _, test := range cases {
				name := test.source()
				if len(name) > 60 {
					name = name[:60] + "…"
				}
				var c *condition.Condition
				var err error
				took, bytes := measure(mostCompile*slack, func() { c, err = ev.Compile(test.source()) })
				if took > mostCompile*slack || bytes > mostMemory {
					t.Errorf("%s: compiling took %v and %d MiB", name, took, bytes>>20)
				}
				if err != nil {
					if _, ok := err.(*webhook.InvalidError); !ok {
						t.Errorf("%s: %v, want an *InvalidError", name, err)
					}
					if test.Want != "refused" {
						t.Errorf("%s: %v, want %s", name, err, test.Want)
					}
					continue
				}
				event := test.Event
				if event == "" {
					event = "small"
				}
				for i, e := range events[event] {
					result, took, bytes := measureJudging(ev, e, c)
					if took > mostTime*slack || bytes > mostMemory {
						t.Errorf("%s: on event %d took %v and %d MiB: %+v", name, i, took, bytes>>20, result)
					}
					// What takes milliseconds may reach the deadline on a slow machine.
					got := outcome(result)
					if i == 0 && got != test.Want && test.Want != "any" && (event == "small" || got != string(condition.ClassDeadline)) {
						t.Errorf("%s: %s (%s), want %s", name, got, result.Message, test.Want)
					}
				}
			}
		})
	}
}
