package webhook_test

import (
	"bytes"
	"encoding/json"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/ringback-dev/ringback/webhook"
)

func TestAppendJSON(t *testing.T) {
	cet := time.FixedZone("CET", 3600)
	tests := []struct {
		value any
		want  string
	}{
		{nil, `null`}, {true, `true`}, {false, `false`},
		{int64(math.MinInt64), `-9223372036854775808`}, {uint64(math.MaxUint64), `18446744073709551615`},
		{int8(-128), `-128`}, {uint8(255), `255`}, {int16(-1), `-1`}, {uint16(1), `1`}, {int32(-1), `-1`}, {uint32(1), `1`}, {uint(1), `1`},
		{json.Number("1.50"), `1.50`}, {json.Number("1E+400"), `1E+400`},
		{30.0, `30`}, {0.1, `0.1`}, {float32(0.1), `0.1`}, {1e20, `100000000000000000000`}, {1e21, `1e+21`},
		{1e-6, `0.000001`}, {1e-7, `1e-7`}, {5e-324, `5e-324`}, {math.MaxFloat64, `1.7976931348623157e+308`},
		{math.Copysign(0, -1), `-0`},
		{time.Date(2026, 11, 23, 11, 33, 0, 0, cet), `"2026-11-23T10:33:00Z"`},
		{time.Date(2026, 11, 23, 11, 33, 0, 120e6, cet), `"2026-11-23T10:33:00.12Z"`},
		{time.Date(0, 1, 1, 0, 0, 0, 1, time.UTC), `"0000-01-01T00:00:00.000000001Z"`},
		{"", `""`},
		{"\"\\/\b\f\n\r\t\x00\x1f\x7f", `"\"\\/\u0008\u000c\n\r\t\u0000\u001f` + "\x7f" + `"`},
		{"<&>'\u2028\u2029\u0085é🙂", `"<&>'\u2028\u2029` + "\u0085é🙂" + `"`},
		{"a\xffb\xed\xa0\x80", "\"a\ufffdb\ufffd\ufffd\ufffd\""},
		{[]any{}, `[]`}, {[]any(nil), `[]`}, {[]any{1, []any{nil}, "a"}, `[1,[null],"a"]`},
		{map[string]any{}, `{}`}, {map[string]any(nil), `{}`},
		{map[string]any{"b": 1, "a": 2, "B": 3, "": 4, "é": 5, "\u2028": 6}, `{"":4,"B":3,"a":2,"b":1,"é":5,"\u2028":6}`},

		// Not valid, and still JSON.
		{math.NaN(), `null`}, {math.Inf(1), `null`}, {json.Number("a"), `null`}, {json.Number(""), `null`}, {struct{}{}, `null`},
	}
	for _, test := range tests {
		got := webhook.AppendJSON([]byte("before "), test.value)
		if string(got) != "before "+test.want {
			t.Errorf("%T %v: got %s, want %s", test.value, test.value, got, test.want)
		}
		if !json.Valid([]byte(test.want)) || !utf8.ValidString(test.want) {
			t.Errorf("%s is not JSON", test.want)
		}
	}
}

// FuzzAppendJSON compares with encoding/json.
func FuzzAppendJSON(f *testing.F) {
	f.Add("", 0.0, int64(0), `{"b":[1,{"a":null}],"":1.0}`)
	f.Add("\u2028\xff\x00\"\\", 1e21, int64(math.MinInt64), `[1e400,-0,"\ud800"]`)
	f.Add("<&>", 1e-7, int64(1<<53+1), `"text"`)
	f.Fuzz(func(t *testing.T, text string, number float64, integer int64, document string) {
		value, err := decode([]byte(document))
		if err != nil {
			value = document
		}
		if math.IsNaN(number) || math.IsInf(number, 0) {
			number = 0
		}
		values := []any{text, number, float32(integer), integer, uint64(integer), value, map[string]any{text: number, "value": value}}
		got := webhook.AppendJSON(nil, values)
		want, err := json.Marshal(values)
		if err != nil {
			t.Fatal(err)
		}
		gotTree, err := decode(got)
		if err != nil {
			t.Fatalf("%v: %s", err, got)
		}
		wantTree, err := decode(want)
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(gotTree, wantTree) {
			t.Errorf("got %s, want the values of %s", got, want)
		}
		if again := webhook.AppendJSON(nil, gotTree); !bytes.Equal(again, got) {
			t.Errorf("got %s, and read back and written again %s", got, again)
		}
	})
}

// decode reads one JSON value, its numbers as they are written.
func decode(text []byte) (value any, err error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	err = d.Decode(&value)
	return value, err
}

func BenchmarkAppendJSONString(b *testing.B) {
	text := strings.Repeat("plain text, größe\n", 50)
	dst := webhook.AppendJSONString(nil, text)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		dst = webhook.AppendJSONString(dst[:0], text)
	}
}
