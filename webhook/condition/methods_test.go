package condition_test

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/ringback-dev/ringback/webhook/condition"
)

// methodExamples has an example of each method, on each type that has it.
var methodExamples = map[string][]string{
	"at":            {"'abc'.at(-1) == 'c'", "[1, 2].at(-1) == 2", "tags.at(0) == 'a'", "tags.at(-1) == 'b'", "tags.at(5) === undefined"},
	"charAt":        {"'abc'.charAt(1) == 'b'", "'abc'.charAt(9) === ''"},
	"charCodeAt":    {"'a'.charCodeAt(0) == 97", "'€'.charCodeAt(0) == 8364"},
	"codePointAt":   {"'😀'.codePointAt(0) == 128512"},
	"endsWith":      {"'abc'.endsWith('bc')", "!'abc'.endsWith('b')"},
	"includes":      {"'abc'.includes('b')", "!'abc'.includes('b', 2)", "[1, 2].includes(2)", "tags.includes('b')", "!tags.includes('c')", "!tags.includes('a', 1)", "[NaN].includes(NaN)", "numbers.includes(2)", "!numbers.includes('2')", "!numbers.includes(NaN)"},
	"indexOf":       {"'abcb'.indexOf('b') == 1", "'abcb'.indexOf('b', 2) == 3", "'abc'.indexOf('') == 0", "['x', 'y'].indexOf('y') == 1", "tags.indexOf('b') == 1", "tags.indexOf('z') == -1", "tags.indexOf('a', -1) == -1", "numbers.indexOf(3) == 2"},
	"join":          {"['a', 'b'].join('') == 'ab'", "tags.join() == 'a,b'", "tags.join(' and ') == 'a and b'", "[1, null, undefined, 2].join() == '1,,,2'", "[[1, 2], 3].join(';') == '1,2;3'"},
	"lastIndexOf":   {"'abcb'.lastIndexOf('b') == 3", "'abcb'.lastIndexOf('b', 2) == 1", "'aaa'.lastIndexOf('aa') == 1", "'abc'.lastIndexOf('') == 3", "tags.lastIndexOf('a') == 0", "[1, 2, 1].lastIndexOf(1) == 2", "tags.lastIndexOf('b', -2) == -1", "tags.lastIndexOf('b', 9) == 1"},
	"match":         {"'a-12'.match(/(\\d)(\\d)/)[2] == '2'", "'abc'.match(/x/) === null", "'abc'.match(/c/).index == 2", "'2026-01'.match(/(?<year>\\d+)-/).groups.year == '2026'", "'a'.match(/(a)|(b)/)[2] === undefined"},
	"search":        {"'abc'.search(/c/) == 2", "'abc'.search(/x/) == -1", "'é€c'.search(/c/) == 2", "'😀c'.search(/c/u) == 2"},
	"slice":         {"'abc'.slice(1) == 'bc'", "'abc'.slice(-2, -1) == 'b'", "[1, 2, 3].slice(1).join() == '2,3'", "tags.slice(1)[0] == 'b'", "tags.slice(-1).length == 1", "tags.slice(0, -1).join() == 'a'"},
	"split":         {"'a,b'.split(',')[1] == 'b'", "'a,b'.split(',', 1).length == 1", "'abc'.split('').length == 3", "'abc'.split().length == 1", "''.split(',').length == 1", "''.split('').length === 0", "'a,'.split(',')[1] === ''", "'ab'.split('ab').length == 2", "'é,€'.split(',')[1] == '€'"},
	"startsWith":    {"'abc'.startsWith('ab')", "'abc'.startsWith('b', 1)"},
	"substr":        {"'abc'.substr(1, 1) == 'b'", "'abc'.substr(-1) == 'c'"},
	"substring":     {"'abc'.substring(2, 1) == 'b'"},
	"toLowerCase":   {"'ABC É'.toLowerCase() == 'abc é'"},
	"toString":      {"'a'.toString() == 'a'", "(255).toString(16) == 'ff'", "true.toString() == 'true'", "tags.toString() == 'a,b'", "/a/i.toString() == '/a/i'"},
	"toUpperCase":   {"'abc é'.toUpperCase() == 'ABC É'"},
	"trim":          {"' a '.trim() == 'a'"},
	"trimEnd":       {"' a '.trimEnd() == ' a'"},
	"trimStart":     {"' a '.trimStart() == 'a '"},
	"exec":          {"/b(.)/.exec('abc')[1] == 'c'", "/x/.exec('abc') === null"},
	"test":          {"/b/.test('abc')", "!/x/.test('abc')", "/^.$/s.test('\\n')", "/^b$/m.test('a\\nb')", "/É/i.test('é')", "/^.$/u.test('😀')", "!/^.$/.test('😀')", "/undefined/.test()", "/a.b/.test('a' + 'é' + 'b')"},
	"isArray":       {"Array.isArray(tags)", "Array.isArray([])", "!Array.isArray('a')", "!Array.isArray(profile)"},
	"isFinite":      {"Number.isFinite(1)", "!Number.isFinite('1')"},
	"isInteger":     {"Number.isInteger(1)", "!Number.isInteger(1.5)"},
	"isNaN":         {"Number.isNaN(NaN)", "!Number.isNaN('a')"},
	"isSafeInteger": {"Number.isSafeInteger(1)"},
	"now":           {"Date.now() == 1795429980123", "Date.now() - Date.parse(profile.created) > 1000 * 60 * 60 * 24 * 365"},
	"parse": {
		"Date.parse('1970-01-01') === 0", "Date.parse('1970-01-01T00:00:01Z') === 1000", "Date.parse('1970-01-01T01:00:00.5+01:00') === 500",
		"Date.parse('1970-01-01T00:00') === 0", "Date.parse('1970') === 0", "Date.parse('1970-02') > 0", "Number.isNaN(Date.parse('1 January 1970'))",
		"Number.isNaN(Date.parse('1970-13-01'))", "Number.isNaN(Date.parse())",
	},
	"parseFloat": {
		"Number.parseFloat('1.5kg') == 1.5", "parseFloat(' -.5e1x') == -5", "parseFloat('1e') == 1", "parseFloat('1.') == 1", "parseFloat('1..5') == 1",
		"isNaN(parseFloat('.'))", "isNaN(parseFloat('e5'))", "isNaN(parseFloat('-'))", "parseFloat('-Infinityx') == -Infinity", "parseFloat('+Infinity') == Infinity",
		"parseFloat('1e999') == Infinity", "1 / parseFloat('-0') == -Infinity", "isNaN(parseFloat(''))", "parseFloat('0x10') === 0", "parseFloat('1_0') == 1", "isNaN(parseFloat('inf'))",
	},
	"parseInt":      {"Number.parseInt('12px') == 12", "parseInt('ff', 16) == 255"},
	"toExponential": {"(123).toExponential(1) == '1.2e+2'"},
	"toFixed":       {"(1.25).toFixed(1) == '1.3' || (1.25).toFixed(1) == '1.2'", "(2).toFixed(2) == '2.00'"},
	"toPrecision":   {"(123.456).toPrecision(4) == '123.5'"},

	"abs": {"Math.abs(-1) == 1"}, "acos": {"Math.acos(1) == 0"}, "acosh": {"Math.acosh(1) == 0"}, "asin": {"Math.asin(0) == 0"},
	"asinh": {"Math.asinh(0) == 0"}, "atan": {"Math.atan(0) == 0"}, "atan2": {"Math.atan2(0, 1) == 0"}, "atanh": {"Math.atanh(0) == 0"},
	"cbrt": {"Math.cbrt(8) == 2"}, "ceil": {"Math.ceil(1.2) == 2"}, "clz32": {"Math.clz32(1) == 31"}, "cos": {"Math.cos(0) == 1"},
	"cosh": {"Math.cosh(0) == 1"}, "exp": {"Math.exp(0) == 1"}, "expm1": {"Math.expm1(0) == 0"}, "floor": {"Math.floor(-1.2) == -2"},
	"fround": {"Math.fround(1.5) == 1.5"}, "hypot": {"Math.hypot(3, 4) == 5"}, "imul": {"Math.imul(2, 3) == 6"}, "log": {"Math.log(1) == 0"},
	"log10": {"Math.log10(100) == 2"}, "log1p": {"Math.log1p(0) == 0"}, "log2": {"Math.log2(8) == 3"}, "max": {"Math.max(1, 3, 2) == 3"},
	"min": {"Math.min(1, 3, 2) == 1"}, "pow": {"Math.pow(2, 3) == 8"}, "round": {"Math.round(1.5) == 2"}, "sign": {"Math.sign(-3) == -1"},
	"sin": {"Math.sin(0) == 0"}, "sinh": {"Math.sinh(0) == 0"}, "sqrt": {"Math.sqrt(9) == 3"}, "tan": {"Math.tan(0) == 0"},
	"tanh": {"Math.tanh(0) == 0"}, "trunc": {"Math.trunc(-1.7) == -1"},
}

func TestMethods(t *testing.T) {
	ev := evaluator(t)
	e := update(map[string]any{"tags": []any{"a", "b"}, "numbers": []any{1, 2.0, 3}}, nil)
	for _, name := range condition.Methods() {
		examples := methodExamples[name]
		if len(examples) == 0 {
			t.Errorf("%s has no example", name)
		}
		for _, source := range examples {
			if !strings.Contains(source, name) {
				t.Errorf("%s is no example of %s", source, name)
			}
			check(t, ev, e, []expect{{source, yes}})
		}
	}
	if !slices.IsSorted(condition.Methods()) {
		t.Error("Methods is not sorted")
	}
	check(t, ev, e, []expect{
		{"Number('5') === 5 && Number() === 0 && Number('x') != Number('x')", yes},
		{"String(5) === '5' && String() === '' && String(null) === 'null' && String(tags) === 'a,b' && String(true) === 'true'", yes},
		{"Boolean(1) === true && Boolean() === false && Boolean('') === false", yes},
		{"isNaN('x') && isFinite('5') && parseInt('12.7') === 12", yes},
		{"tags == 'a,b' && tags + '' == 'a,b' && [5] == 5 && [5] > 4", yes},
		{"Number.MAX_SAFE_INTEGER == 9007199254740991 && Number.EPSILON > 0 && Math.PI > 3.14 && Math.E < 2.72", yes},
	})
}

// TestInABubble shows that an evaluator works under testing/synctest, as hosts test
// with it, whether or not it was made in the same bubble.
func TestInABubble(t *testing.T) {
	outside := evaluator(t)
	e := update(map[string]any{"a": 1}, nil)
	check(t, outside, e, []expect{{"a == 1", yes}})
	synctest.Test(t, func(t *testing.T) {
		check(t, outside, e, []expect{{"a == 1", yes}})
		check(t, evaluator(t), e, []expect{{"a == 1", yes}})
	})
	check(t, outside, e, []expect{{"a == 1", yes}})
}
