package webhook

import (
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"strings"
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
	whole   bool // no single field is to blame
}

func (e *valueError) under(field string) error {
	if e.whole {
		return Invalid("", "%s", e.message)
	}
	return Invalid(field+e.path, "%s", e.message)
}

// A valueChecker validates the values of a record's fields. Room is what a
// message has left for them, in bytes: without a limit, lists that hold the same
// list twice, and so on down, would be walked for years.
type valueChecker struct{ room int }

// take takes off what a value adds to a message at least: the given number of
// bytes and a comma.
func (c *valueChecker) take(bytes int) *valueError {
	c.room -= bytes + 1
	if c.room < 0 {
		return &valueError{whole: true, message: fmt.Sprintf(
			"the message would be too large, at most %d bytes are allowed", MaxMessage)}
	}
	return nil
}

// check checks a field's value at the given depth.
func (c *valueChecker) check(value any, depth int) *valueError {
	if depth > MaxDepth {
		return &valueError{message: fmt.Sprintf("is nested more than %d deep", MaxDepth)}
	}
	size := 1
	switch v := value.(type) {
	case nil, bool, int, int8, int16, int32, int64, uint, uint8, uint16, uint32, uint64:
	case string:
		if !utf8.ValidString(v) {
			return &valueError{message: "is not valid UTF-8"}
		}
		size = len(v)
	case float32:
		return c.check(float64(v), depth)
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return &valueError{message: "is not a finite number, which JSON cannot hold"}
		}
	case json.Number:
		if !validNumber(string(v)) {
			return &valueError{message: fmt.Sprintf("is not a JSON number: %q", clip(string(v)))}
		}
		size = len(v)
	case time.Time:
		if y := v.UTC().Year(); y < 0 || y > 9999 {
			return &valueError{message: fmt.Sprintf("is in the year %d, RFC 3339 has the years 0 to 9999", y)}
		}
	case []any:
		for i, item := range v {
			if err := c.check(item, depth+1); err != nil {
				err.path = fmt.Sprintf("[%d]%s", i, err.path)
				return err
			}
		}
	case map[string]any:
		for name, item := range v {
			if validateName("", name) != nil {
				return &valueError{message: "holds a name that is empty or not valid UTF-8"}
			}
			if err := c.take(len(name)); err != nil {
				return err
			}
			if err := c.check(item, depth+1); err != nil {
				err.path = "." + clip(name) + err.path
				return err
			}
		}
	default:
		return &valueError{message: fmt.Sprintf("has type %s, use nil, bool, an integer, float64, "+
			"json.Number, string, time.Time, []any or map[string]any", reflect.TypeOf(value))}
	}
	return c.take(size)
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

// validNumber reports whether s is a number by the grammar of RFC 8259, section 6.
func validNumber(s string) bool {
	s = strings.TrimPrefix(s, "-")
	n := digits(s)
	if n == 0 || n > 1 && s[0] == '0' {
		return false
	}
	s = s[n:]
	if fraction, ok := strings.CutPrefix(s, "."); ok {
		if n = digits(fraction); n == 0 {
			return false
		}
		s = fraction[n:]
	}
	if s == "" {
		return true
	}
	if s[0] != 'e' && s[0] != 'E' {
		return false
	}
	s = s[1:]
	if s != "" && (s[0] == '+' || s[0] == '-') {
		s = s[1:]
	}
	return s != "" && digits(s) == len(s)
}

// digits counts the decimal digits at the beginning of s.
func digits(s string) int {
	n := 0
	for n < len(s) && '0' <= s[n] && s[n] <= '9' {
		n++
	}
	return n
}
