package webhook

import (
	"bytes"
	"encoding/json"
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
	// The usual case is that both are of one type. What can't be told so is told by
	// their JSON.
	switch x := a.(type) {
	case []any:
		y, ok := b.([]any)
		return ok && equalLists(x, y, depth+1)
	case map[string]any:
		y, ok := b.(map[string]any)
		return ok && equalMaps(x, y, depth+1)
	case string:
		if y, ok := b.(string); ok {
			return x == y
		}
	case nil:
		if b == nil {
			return true
		}
	case bool:
		if y, ok := b.(bool); ok {
			return x == y
		}
	case int:
		if y, ok := b.(int); ok {
			return x == y
		}
	case int64:
		if y, ok := b.(int64); ok {
			return x == y
		}
	case float64:
		if y, ok := b.(float64); ok && x == y {
			return true
		}
	case json.Number:
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

func equalLists(a, b []any, depth int) bool {
	if len(a) != len(b) {
		return false
	}
	for i, item := range a {
		if !equal(item, b[i], depth) {
			return false
		}
	}
	return true
}

func equalMaps(a, b map[string]any, depth int) bool {
	if len(a) != len(b) {
		return false
	}
	for name, value := range a {
		if other, ok := b[name]; !ok || !equal(value, other, depth) {
			return false
		}
	}
	return true
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
