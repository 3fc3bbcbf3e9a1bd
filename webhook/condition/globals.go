package condition

import (
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/dop251/goja"
	"github.com/dop251/goja/parser"
)

// installNumbers puts the methods of numbers and booleans on their prototypes.
func (r *realm) installNumbers(t *taken) {
	for _, name := range []string{"toExponential", "toFixed", "toPrecision", "toString"} {
		r.method(t.number, name, t.methods[t.number][name])
	}
	r.method(t.boolean, "toString", t.methods[t.boolean]["toString"])
}

// installGlobals makes the built-ins that have names of their own.
func (r *realm) installGlobals(t *taken) {
	r.builtins = map[string]goja.Value{
		"Math": r.mathematics(t), "Array": r.namespace(), "Date": r.namespace(),
		"Number": r.function("Number", r.numberOf), "String": r.function("String", r.textOf),
		"Boolean": r.function("Boolean", func(call goja.FunctionCall) goja.Value {
			return r.vm.ToValue(call.Argument(0).ToBoolean())
		}),
	}
	for _, name := range []string{"isFinite", "isNaN", "parseInt"} {
		r.builtins[name] = r.function(name, t.global[name])
	}
	r.builtins["parseFloat"] = r.function("parseFloat", r.parseFloat)

	number := r.builtins["Number"].ToObject(r.vm)
	for _, name := range []string{"isFinite", "isInteger", "isNaN", "isSafeInteger", "parseInt"} {
		r.method(number, name, t.methods[t.numberFunction][name])
	}
	r.method(number, "parseFloat", r.parseFloat)
	for _, name := range []string{"EPSILON", "MAX_SAFE_INTEGER", "MAX_VALUE", "MIN_SAFE_INTEGER", "MIN_VALUE",
		"NEGATIVE_INFINITY", "NaN", "POSITIVE_INFINITY"} {
		number.Set(name, t.numberFunction.Get(name))
	}
	r.method(r.builtins["Array"].ToObject(r.vm), "isArray", func(call goja.FunctionCall) goja.Value {
		object, ok := call.Argument(0).(*goja.Object)
		return r.vm.ToValue(ok && object.ClassName() == "Array")
	})
	date := r.builtins["Date"].ToObject(r.vm)
	r.method(date, "now", r.now)
	r.method(date, "parse", func(call goja.FunctionCall) goja.Value { return r.vm.ToValue(parseDate(call.Argument(0))) })
}

// namespace makes an object for methods.
func (r *realm) namespace() *goja.Object { return r.vm.CreateObject(r.plain) }

// mathematics makes Math: all of it that is a function of its arguments.
func (r *realm) mathematics(t *taken) *goja.Object {
	object := r.namespace()
	for name, f := range t.methods[t.math] {
		if _, available := methodSymbols[name]; available {
			r.method(object, name, f)
		}
	}
	for _, name := range []string{"E", "LN10", "LN2", "LOG10E", "LOG2E", "PI", "SQRT1_2", "SQRT2"} {
		object.Set(name, t.math.Get(name))
	}
	return object
}

// now implements Date.now(), which is the time of the event.
func (r *realm) now(goja.FunctionCall) goja.Value {
	if r.eventTime.IsZero() {
		return goja.NaN()
	}
	return r.vm.ToValue(r.eventTime.UnixMilli())
}

// numberOf implements Number(x).
func (r *realm) numberOf(call goja.FunctionCall) goja.Value {
	if len(call.Arguments) == 0 {
		return r.vm.ToValue(0)
	}
	return call.Argument(0).ToNumber()
}

// textOf implements String(x).
func (r *realm) textOf(call goja.FunctionCall) goja.Value {
	if len(call.Arguments) == 0 {
		return r.vm.ToValue("")
	}
	return r.toText(call.Argument(0))
}

// parseFloat implements parseFloat(x) (ECMA-262, 19.2.4). goja does it by a regular
// expression, which takes long for long texts.
func (r *realm) parseFloat(call goja.FunctionCall) goja.Value {
	text := r.toText(call.Argument(0))
	r.charge(textSize(text.Length()))
	s := strings.TrimLeft(text.String(), parser.WhitespaceChars)
	sign := 0
	if s != "" && (s[0] == '+' || s[0] == '-') {
		sign = 1
	}
	if strings.HasPrefix(s[sign:], "Infinity") {
		return r.vm.ToValue(math.Inf(1 - 2*strings.Count(s[:sign], "-")))
	}
	f, err := strconv.ParseFloat(s[:decimal(s, sign)], 64)
	if err != nil && !math.IsInf(f, 0) {
		return goja.NaN()
	}
	return r.vm.ToValue(f)
}

// decimal returns where the decimal literal ends that begins s, behind a sign.
func decimal(s string, sign int) int {
	digits := func(i int) int {
		for i < len(s) && digit(s[i]) {
			i++
		}
		return i
	}
	end := digits(sign)
	if end < len(s) && s[end] == '.' {
		if fraction := digits(end + 1); fraction > end+1 || end > sign {
			end = fraction
		}
	}
	if end > sign && end < len(s) && s[end]|0x20 == 'e' {
		exponent := end + 1
		if exponent < len(s) && (s[exponent] == '+' || s[exponent] == '-') {
			exponent++
		}
		if last := digits(exponent); last > exponent {
			end = last
		}
	}
	return end
}

// parseDate implements Date.parse for the forms that mean the same everywhere:
// RFC 3339, and the forms of ECMAScript's date time strings (ECMA-262, 21.4.1.32)
// that are a part of it. The result is NaN for anything else.
func parseDate(v goja.Value) any {
	s, ok := v.(goja.String)
	if !ok || s.Length() > len("2006-01-02T15:04:05.999999999+00:00") {
		return goja.NaN()
	}
	text := s.String()
	for _, layout := range []string{time.RFC3339, time.DateOnly, "2006-01-02T15:04:05", "2006-01-02T15:04Z07:00", "2006-01-02T15:04", "2006-01", "2006"} {
		if t, err := time.Parse(layout, text); err == nil {
			return t.UnixMilli()
		}
	}
	return goja.NaN()
}
