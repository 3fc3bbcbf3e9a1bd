package webhook_test

import (
	"encoding/json"
	"math"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/ringback-dev/ringback/webhook"
)

func TestEqual(t *testing.T) {
	utc := time.Date(2026, 11, 23, 10, 33, 0, 5e8, time.UTC)
	number := func(s string) json.Number { return json.Number(s) }
	list := func(items ...any) []any { return items }

	// Values of one class are equal to each other and to no others.
	classes := [][]any{
		{nil},
		{true},
		{false},
		{""},
		{"a"},
		{"A"},
		{"30"},
		{"null"},
		{"[]"},
		{30, int8(30), int16(30), int32(30), int64(30), uint(30), uint8(30), uint16(30), uint32(30), uint64(30),
			30.0, float32(30), number("30"), number("30.0"), number("3e1"), number("0.3E+2"), number("3000e-2")},
		{-30, number("-30"), -30.0},
		{0, 0.0, math.Copysign(0, -1), number("0"), number("-0"), number("0.000"), number("0e999999999999999999999")},
		{0.1, float32(0.1), number("0.1"), number("0.10"), number("1e-1"), number("1E-01")},
		{number("0.10000000000000000001")}, // the same float64 as 0.1
		{int64(1 << 53), float64(1 << 53), number("9007199254740992")},
		{int64(1<<53 + 1), number("9007199254740993"), number("9007199254740993.0")}, // the same float64 as 2^53
		{uint64(math.MaxUint64), number("18446744073709551615")},
		{int64(math.MinInt64), number("-9223372036854775808")},
		{1e21, number("1e21"), number("1000000000000000000000"), number("1E+0021")},
		{number("1e400"), number("10e399"), number("0.01e402")}, // no float64
		{number("1e-400"), number("0.1e-399")},
		{number("1e400001")},
		{number("1e999999999999999999999999")},
		{number("1e999999999999999999999998")},
		{number(strings.Repeat("9", 100)), number(strings.Repeat("9", 100) + ".0")},
		{number(strings.Repeat("9", 99) + "8")},
		{utc, utc.In(time.FixedZone("", 3600)), "2026-11-23T10:33:00.5Z"},
		{utc.Add(time.Nanosecond)},
		{list(), []any(nil)},
		{list(nil)},
		{list(1, 2), list(1.0, number("2"))},
		{list(2, 1)},
		{list(list(1, 2))},
		{list("2026-11-23T10:33:00.5Z"), list(utc)},
		{map[string]any{}, map[string]any(nil)},
		{map[string]any{"a": nil}},
		{map[string]any{"b": nil}},
		{map[string]any{"a": 1, "b": list(1)}, map[string]any{"b": list(1.0), "a": number("1")}},
		{map[string]any{"a": 1, "b": list(2)}},
	}
	for i, class := range classes {
		for _, a := range class {
			for j, other := range classes {
				for _, b := range other {
					if got, want := webhook.Equal(a, b), i == j; got != want {
						t.Errorf("Equal(%T %v, %T %v) is %v", a, a, b, b, got)
					}
				}
			}
		}
	}
}

// FuzzEqualNumbers compares with package math/big.
func FuzzEqualNumbers(f *testing.F) {
	for _, a := range []string{"0", "-0.0", "30", "3e1", "0.10", "1E-1", "9007199254740993", "123e-45", "100", "1.0e+2", "00", "1e", ""} {
		f.Add(a, "100")
		f.Add("1e-1", a)
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		x, okX := rational(a)
		y, okY := rational(b)
		if !okX || !okY {
			return
		}
		got, want := webhook.Equal(json.Number(a), json.Number(b)), x.Cmp(y) == 0
		if got != want {
			t.Errorf("Equal(%s, %s) is %v", a, b, got)
		}
		if !webhook.Equal(json.Number(a), json.Number(a)) {
			t.Errorf("%s is not equal to itself", a)
		}
	})
}

// rational reads a valid JSON number of moderate size.
func rational(s string) (*big.Rat, bool) {
	e := event(func(e *webhook.Event) { e.Profile.Fields["n"] = json.Number(s) })
	if e.Validate() != nil || len(s) > 100 {
		return nil, false
	}
	if i := strings.IndexAny(s, "eE"); i >= 0 && len(s)-i > 5 {
		return nil, false
	}
	return new(big.Rat).SetString(s)
}
