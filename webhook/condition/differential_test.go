package condition_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"github.com/dop251/goja"
	"github.com/ringback-dev/ringback/webhook"
	"github.com/ringback-dev/ringback/webhook/condition"
)

// A writer writes honest expressions at random: what users might write, and much
// that is meaningless but has a meaning in JavaScript.
type writer struct{ rand *rand.Rand }

func (w writer) pick(from ...string) string { return from[w.rand.IntN(len(from))] }

func (w writer) expression(depth int) string {
	if depth <= 0 {
		return w.leaf()
	}
	e := func() string { return w.expression(depth - 1 - w.rand.IntN(2)) }
	switch w.rand.IntN(14) {
	case 0, 1:
		return w.leaf()
	case 2:
		return e() + w.pick(" == ", " != ", " === ", " !== ") + e()
	case 3: // not chained, which goja groups wrongly
		return "(" + e() + ")" + w.pick(" < ", " <= ", " > ", " >= ") + "(" + w.leaf() + ")"
	case 4:
		return "(" + e() + w.pick(" && ", " || ") + e() + ")"
	case 5:
		return "(" + e() + ") ?? (" + e() + ")"
	case 6:
		return "(" + e() + ")" + w.pick(" + ", " - ", " * ", " / ", " % ", " ** ", " & ", " | ", " ^ ", " << ", " >> ", " >>> ") + "(" + e() + ")"
	case 7:
		return w.pick("!", "-", "+", "~", "typeof ", "void ") + "(" + e() + ")"
	case 8:
		return "(" + e() + " ? " + e() + " : " + e() + ")"
	case 9:
		return "[" + e() + ", " + e() + "]" + w.pick("", "[0]", "[1]", ".length", ".includes("+e()+")", ".indexOf("+e()+")", ".join('-')", ".at(-1)", ".slice(1)")
	case 10:
		return w.pick("Number", "String", "Boolean", "isNaN", "isFinite", "parseFloat", "parseInt") + "(" + e() + ")"
	case 11:
		return w.pick("Math.max", "Math.min", "Math.pow", "Math.atan2", "Math.hypot") + "(" + e() + ", " + e() + ")"
	case 12:
		return w.pick("Math.abs", "Math.floor", "Math.round", "Math.sign", "Math.trunc", "Number.isInteger", "Number.isNaN", "Number.parseFloat", "Array.isArray") + "(" + e() + ")"
	}
	return w.method(depth)
}

func (w writer) method(depth int) string {
	argument := func() string { return w.expression(depth - 2) }
	on := "(" + w.expression(depth-1) + ")"
	if w.rand.IntN(2) == 0 {
		on = w.leaf()
	}
	if on[0] == '-' || on[0] >= '0' && on[0] <= '9' {
		on = "(" + on + ")"
	}
	on += w.pick(".", ".", ".", "?.")
	switch w.rand.IntN(5) {
	case 0:
		return on + w.pick("toLowerCase", "toUpperCase", "trim", "trimStart", "trimEnd", "toString", "join") + "()"
	case 1:
		return on + w.pick("startsWith", "endsWith", "includes", "indexOf", "lastIndexOf", "at", "charAt", "charCodeAt", "codePointAt", "slice", "substring", "substr", "split", "join", "toFixed", "toString", "toPrecision") + "(" + argument() + ")"
	case 2:
		return on + w.pick("startsWith", "endsWith", "includes", "indexOf", "lastIndexOf", "slice", "substring", "substr", "split") + "(" + argument() + ", " + w.pick("0", "1", "-1", "2", "99", "undefined", "NaN", "age", "-Infinity") + ")"
	case 3:
		return w.pattern() + ".test(" + argument() + ")"
	}
	return on + w.pick("match", "search") + "(" + w.pattern() + ")" + w.pick("", "?.[0]", "?.index", "?.length", "?.[1]", "?.groups", "?.groups?.year")
}

func (w writer) pattern() string {
	return w.pick("/b/i", "/^[a-z]+$/", "/(\\d+)-?(x)?/", "/./", "/./u", "/^.$/u", "/a|b|$/", "/\\bo/", "/^$/m", "/é/i", "/[^a-m]{2}/", "/\\s+(\\w)/", "/a.b/s", "/(?:a?){3}/", "/(?<year>\\d{4})/")
}

func (w writer) leaf() string {
	return w.pick(
		"name", "company", "age", "email", "tags", "map", "empty", "none", "yes", "float", "negative", "text", "emoji", "numbers", "missing", "blank",
		"profile.name", "profile.fields.age", "profile.interests.mac", "profile.interests.pc", "profile.interests", "profile.interests.length",
		"old.company", "old.fields.age", "old.missing", "changed", "changed.length", "action", "database", "map.list", "map.inner.x", "map?.missing?.x", "map.list[1]",
		"tags[0]", "tags[9]", "tags.length", "name.length", "name[1]", "numbers[1]", "profile['name']", "profile.fields[name]", "emoji[1]",
		"'name' in profile.fields", "'x' in map", "0 in tags", "'mac' in profile.interests", "profile.ID", "subprofile.x", "profile.created",
		"'apple'", "''", "'é'", "'10'", "' 7 '", "'0x1f'", "'a,b'", "'😀'", "'\\ud83d'", "0", "1", "-1", "18", "1.5", "-0", "1e21", "255", "true", "false", "null", "undefined", "NaN", "Infinity",
		"Date.parse('2026-01-02T03:04:05Z')", "Math.PI", "Number.MAX_SAFE_INTEGER",
	)
}

const recordJSON = `{"name": "Bob", "company": "Apple", "age": 30, "email": "bob@example.com", "tags": ["a", "b", "c", "a"],
	"map": {"list": [1, "two", null, true], "inner": {"x": 0}}, "empty": [], "none": null, "yes": true, "float": 1.25, "negative": -7,
	"text": " Some longer text,\n with Ünïcödé and more than sixteen bytes ", "emoji": "a😀b😀", "numbers": [3, 1, 2], "blank": ""}`

// plain prepares JavaScript as it is, with the same names in scope.
func plain(t testing.TB) func(source string) (typ, text string, failed bool) {
	t.Helper()
	vm := goja.New()
	_, err := vm.RunString(`
		const fields = JSON.parse(` + strconv.Quote(recordJSON) + `);
		const bare = o => Array.isArray(o) ? o.map(bare) : o && typeof o == 'object' ? Object.assign(Object.create(null), Object.fromEntries(Object.entries(o).map(([k, v]) => [k, bare(v)]))) : o;
		const record = (id, fields, interests, created, modified) => {
			const list = [...interests]; for (const i of interests) list[i] = true;
			return Object.assign(Object.create(null), fields, {ID: id, fields, interests: list, created, modified});
		};
		const now = bare(fields), was = bare({...fields, company: 'Microsoft', age: 29}), none = bare({});
		var scope = Object.assign(Object.create(null), now, {
			profile: record('1', now, ['mac', 'length2', 'join2'], '2014-02-10T10:33:28Z', '2026-11-23T10:33:00Z'),
			subprofile: record(undefined, none, []), old: record('1', was, []), changed: ['age', 'company'],
			action: 'update', database: '788', trigger: 'rest', collection: 0, missing: undefined,
		});`)
	if err != nil {
		t.Fatal(err)
	}
	return func(source string) (string, string, bool) {
		v, err := vm.RunString("(function() { with (scope) { const v = (" + source + "); return [typeof v, String(v)] } })()")
		if err != nil {
			return "", "", true
		}
		pair := v.Export().([]any)
		return pair[0].(string), pair[1].(string), false
	}
}

func plainEvent(t testing.TB) *webhook.Event {
	t.Helper()
	decode := func() map[string]any {
		var fields map[string]any
		d := json.NewDecoder(strings.NewReader(recordJSON))
		d.UseNumber()
		if err := d.Decode(&fields); err != nil {
			t.Fatal(err)
		}
		return fields
	}
	e := update(decode(), nil)
	e.Profile.Interests = []string{"mac", "length2", "join2"}
	e.Previous.Fields = decode()
	e.Previous.Fields["company"], e.Previous.Fields["age"] = "Microsoft", 29
	return e
}

// quote writes a JavaScript string literal.
func quote(s string) string {
	var b strings.Builder
	b.WriteByte('\'')
	for _, r := range s {
		if r < ' ' || r > '~' || r == '\'' || r == '\\' {
			fmt.Fprintf(&b, "\\u{%x}", r)
		} else {
			b.WriteRune(r)
		}
	}
	return b.String() + "'"
}

// compare checks that a source means the same here and in JavaScript.
func compare(t *testing.T, ev *condition.Evaluator, s *condition.Scope, javascript func(string) (string, string, bool), source string) {
	t.Helper()
	c, err := ev.Compile(source)
	if err != nil {
		if strings.Contains(err.Error(), "chained") || strings.Contains(err.Error(), "too deep") || strings.Contains(err.Error(), "deep") {
			return
		}
		if _, _, failed := javascript(source); !failed {
			t.Errorf("%s: %v", source, err)
		}
		return
	}
	typ, text, failed := javascript(source)
	if failed {
		if got := s.Evaluate(c); got.Verdict == fail {
			return
		}
		// String(v) itself may be what has failed.
		c, err := ev.Compile("String(" + source + ")")
		if got := s.Evaluate(c); err != nil || got.Verdict != fail {
			t.Errorf("%s: %+v, want an exception", source, got)
		}
		return
	}
	if strings.Contains(text, "\ufffd") {
		return // half a surrogate pair, which Go strings can't carry out of goja
	}
	same := "typeof (" + source + ") == " + quote(typ) + " && String(" + source + ") === " + quote(text)
	c, err = ev.Compile(same)
	if err != nil {
		if !strings.Contains(err.Error(), "deep") && !strings.Contains(err.Error(), "long") && !strings.Contains(err.Error(), "bytes") {
			t.Errorf("%s: %v", same, err)
		}
		return
	}
	if got := s.Evaluate(c); got.Verdict != yes {
		t.Errorf("%s: %+v, in JavaScript it is %s %q", source, got, typ, text)
	}
}

// TestHonestExpressionsMeanWhatJavaScriptSays compares with goja as it is.
func TestHonestExpressionsMeanWhatJavaScriptSays(t *testing.T) {
	ev, javascript := evaluator(t), plain(t)
	for seed := range uint64(4000) {
		s := ev.Begin(plainEvent(t)) // anew, so that a busy machine does not use the event's time up
		w := writer{rand.New(rand.NewPCG(seed, 1))}
		compare(t, ev, s, javascript, w.expression(1+int(seed%5)))
		s.End()
	}
}

func FuzzHonestExpressions(f *testing.F) {
	f.Add(uint64(1), uint64(2))
	ev, javascript := evaluator(f), plain(f)
	e := plainEvent(f)
	f.Fuzz(func(t *testing.T, a, b uint64) {
		s := ev.Begin(e)
		defer s.End()
		w := writer{rand.New(rand.NewPCG(a, b))}
		compare(t, ev, s, javascript, w.expression(1+int(a%6)))
	})
}
