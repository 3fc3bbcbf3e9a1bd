package webhook

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"time"
)

// Equal reports whether two values of fields are the same value, whatever Go
// types carry them: 30, 30.0 and json.Number("3e1") are equal, and so are a time
// and its RFC 3339 text in UTC. Numbers are compared exactly, as the decimals they
// are in messages. Values that are nested more than MaxDepth deep are not equal.
func Equal(a, b any) bool { return equal(a, b, 1) }

func equal(a, b any, depth int) bool {
	if depth > MaxDepth {
		return false
	}
	nested := func(a, b any) bool { return equal(a, b, depth+1) }
	switch x := a.(type) {
	case []any:
		y, ok := b.([]any)
		return ok && slices.EqualFunc(x, y, nested)
	case map[string]any:
		y, ok := b.(map[string]any)
		return ok && maps.EqualFunc(x, y, nested)
	case string:
		if y, ok := b.(string); ok {
			return x == y
		}
	case json.Number: // the usual case: both come from the same JSON
		if y, ok := b.(json.Number); ok && x == y {
			return true
		}
	case time.Time:
		if y, ok := b.(time.Time); ok {
			return x.Equal(y)
		}
	}
	switch b.(type) {
	case []any, map[string]any:
		return false
	}
	var bufA, bufB [64]byte
	textA, textB := AppendJSON(bufA[:0], a), AppendJSON(bufB[:0], b)
	return bytes.Equal(textA, textB) || equalNumbers(textA, textB)
}

// equalNumbers reports whether both texts are numbers, and the same one.
func equalNumbers(a, b []byte) bool {
	var bufA, bufB [64]byte
	x, okX := parseDecimal(bufA[:0], a)
	y, okY := parseDecimal(bufB[:0], b)
	return okX && okY && x.negative == y.negative && x.exponent == y.exponent && bytes.Equal(x.digits, y.digits)
}

// A decimal is the number 0.digits * 10^exponent, in the one way to write it so
// in which no zero stands at either end of digits. Zero has no digits.
type decimal struct {
	negative bool
	digits   []byte
	exponent int
}

// parseDecimal reads a JSON number, appending its digits to buf. It is not ok for
// other JSON, and for an exponent whose size is beyond 10^15.
func parseDecimal(buf, text []byte) (d decimal, ok bool) {
	text, d.negative = bytes.CutPrefix(text, []byte("-"))
	if len(text) == 0 || text[0] < '0' || text[0] > '9' {
		return decimal{}, false
	}
	mantissa, power := text, []byte(nil)
	if i := bytes.IndexAny(text, "eE"); i >= 0 {
		mantissa, power = text[:i], text[i+1:]
	}
	whole, fraction, _ := bytes.Cut(mantissa, []byte("."))
	all := append(append(buf, whole...), fraction...)
	d.digits = bytes.TrimLeft(all, "0")
	d.exponent = len(whole) - (len(all) - len(d.digits))
	d.digits = bytes.TrimRight(d.digits, "0")
	if len(d.digits) == 0 {
		return decimal{}, true // whatever its sign and exponent
	}
	power, down := bytes.CutPrefix(power, []byte("-"))
	power = bytes.TrimLeft(power, "+0")
	if len(power) > 15 {
		return decimal{}, false
	}
	n := 0
	for _, digit := range power {
		n = 10*n + int(digit-'0')
	}
	if down {
		n = -n
	}
	d.exponent += n
	return d, true
}
