package webhook

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"
)

// MaxDepth is how deep lists and maps may be nested in a field's value.
const MaxDepth = 64

// valueError is an *InvalidError under construction: the path grows on the way
// out of a nested value.
type valueError struct {
	path    string
	message string
}

func (e *valueError) under(field string) error {
	return Invalid(field+e.path, "%s", e.message)
}

// validateValue checks a field's value at the given depth.
func validateValue(value any, depth int) *valueError {
	if depth > MaxDepth {
		return &valueError{message: fmt.Sprintf("is nested more than %d deep", MaxDepth)}
	}
	switch v := value.(type) {
	case nil, bool, int, int8, int16, int32, int64, uint, uint8, uint16, uint32, uint64:
	case string:
		if !utf8.ValidString(v) {
			return &valueError{message: "is not valid UTF-8"}
		}
	case float32:
		return validateValue(float64(v), depth)
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return &valueError{message: "is not a finite number, which JSON cannot hold"}
		}
	case json.Number:
		if !validNumber(string(v)) {
			return &valueError{message: fmt.Sprintf("is not a JSON number: %q", clip(string(v)))}
		}
	case time.Time:
		if y := v.UTC().Year(); y < 0 || y > 9999 {
			return &valueError{message: fmt.Sprintf("is in the year %d, RFC 3339 ends at 9999", y)}
		}
	case []any:
		for i, item := range v {
			if err := validateValue(item, depth+1); err != nil {
				err.path = fmt.Sprintf("[%d]%s", i, err.path)
				return err
			}
		}
	case map[string]any:
		for name, item := range v {
			if err := validateName("", name); err != nil {
				return &valueError{message: "holds a name that is empty or not valid UTF-8"}
			}
			if err := validateValue(item, depth+1); err != nil {
				err.path = "." + clip(name) + err.path
				return err
			}
		}
	default:
		return &valueError{message: fmt.Sprintf("has type %s, use nil, bool, an integer, float64, "+
			"json.Number, string, time.Time, []any or map[string]any", reflect.TypeOf(value))}
	}
	return nil
}

func validateName(field, name string) error {
	if name == "" {
		return Invalid(field, "holds a field without a name")
	}
	if !utf8.ValidString(name) {
		return Invalid(field, "holds a field whose name is not valid UTF-8: %q", clip(name))
	}
	return nil
}

// validNumber reports whether s is a number by the grammar of RFC 8259.
func validNumber(s string) bool {
	if s == "" || s[0] != '-' && (s[0] < '0' || s[0] > '9') {
		return false // a literal or a string; json.Valid would accept it
	}
	last := s[len(s)-1]
	return '0' <= last && last <= '9' && json.Valid([]byte(s))
}

// Equal reports whether two values of fields are the same value, whatever Go
// types carry them: 30, 30.0 and json.Number("30") are equal, and so are a time
// and its RFC 3339 text. Integers are compared exactly, whatever their size.
func Equal(a, b any) bool {
	switch x := a.(type) {
	case []any:
		y, ok := b.([]any)
		return ok && slices.EqualFunc(x, y, Equal)
	case map[string]any:
		y, ok := b.(map[string]any)
		return ok && maps.EqualFunc(x, y, Equal)
	case string:
		if y, ok := b.(string); ok {
			return x == y
		}
	case time.Time:
		if y, ok := b.(time.Time); ok {
			return x.Equal(y)
		}
	}
	var bufA, bufB [64]byte
	textA := AppendJSON(bufA[:0], a)
	textB := AppendJSON(bufB[:0], b)
	return string(textA) == string(textB) || equalNumbers(textA, textB)
}

// equalNumbers compares two numbers that are written differently. Beyond 2^53
// floats lose integers, so there only the text decides.
func equalNumbers(a, b []byte) bool {
	const exact = 1 << 53
	if !numeric(a) || !numeric(b) {
		return false
	}
	x, errX := strconv.ParseFloat(string(a), 64)
	y, errY := strconv.ParseFloat(string(b), 64)
	return errX == nil && errY == nil && x == y && math.Abs(x) < exact
}

func numeric(text []byte) bool {
	return text[0] == '-' || '0' <= text[0] && text[0] <= '9'
}
