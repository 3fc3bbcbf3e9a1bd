package webhook_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/ringback-dev/ringback/webhook"
)

// checkForms checks that what an encoded event decodes to, or that it is damaged, does
// not depend on whether it is in exactly the form that EncodeEvent writes: one with a
// space in front is not, and means the same.
func checkForms(t *testing.T, encoded string) (e webhook.Event, ok bool) {
	t.Helper()
	got, err := webhook.DecodeEvent([]byte(encoded))
	want, wantErr := webhook.DecodeEvent([]byte(" " + encoded))
	if (err == nil) != (wantErr == nil) {
		t.Fatalf("%s: got %v, and with a space in front %v", encoded, err, wantErr)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s: got\n%+v\nand with a space in front\n%+v", encoded, got, want)
	}
	return got, err == nil
}

// encodedFields returns an encoded event whose fields are the given JSON.
func encodedFields(fields string) string {
	return `{"id":"a","action":"create","database":"d","time":"2026-11-23T10:33:00Z","profile":{"id":"p","fields":` +
		fields + `,"interests":[]}}`
}

func TestDecodeEventForms(t *testing.T) {
	every := event(ofSubprofile)
	every.Cause = &webhook.Cause{Event: "e-0", Hops: 3}
	every.Profile.Modified = every.Time
	every.Previous = &webhook.Record{ID: "77", Interests: []string{"a\nb", "é"}}
	whole := string(webhook.EncodeEvent(&every))
	if _, ok := checkForms(t, whole); !ok {
		t.Errorf("%s is damaged", whole)
	}
	for i := range whole {
		checkForms(t, whole[:i])
		for _, with := range []string{"", "0", `"`, "\\", "}", " ", "\x00", "\xff"} {
			checkForms(t, whole[:i]+with+whole[i+1:])
		}
	}
	for fields, valid := range map[string]bool{
		`{}`: true, `null`: true, `{"a":1,"a":2}`: true, `{"a":{"b":1},"a":{"c":1}}`: true, `{"b":[],"a":[[],{},null,true,false]}`: true,
		`{"":1}`: false, `[]`: false, `{"a"}`: false, `{"a":}`: false, `{"a":1,}`: false, `{"a":[1,]}`: false, `{,}`: false, `{"a":1 }`: true,
		`{"a":01}`: false, `{"a":-}`: false, `{"a":1.}`: false, `{"a":1e}`: false, `{"a":-0.0e-0}`: true, `{"a":1E+400}`: true, `{"a":1-1}`: false,
		`{"a":tru}`: false, `{"a":nul}`: false, `{"a":undefined}`: false, `{"a":NaN}`: false,
		`{"a":"\"\\\/\b\f\n\r\t\u0000\u2028é"}`: true, `{"\u0061":"\uD83D\ude00\ud83d\ufffd\uFFFE"}`: true, `{"a":"\ude00"}`: true,
		`{"a":"\x"}`: false, `{"a":"\u00"}`: false, `{"a":"\u+123"}`: false, `{"a":"\u12_3"}`: false, `{"a":"` + "\n" + `"}`: false,
		`{"a":"` + "\x7f\u2028" + `"}`: true, `{"a":"` + "\xff" + `"}`: true,
		`{"a":` + strings.Repeat("[", webhook.MaxDepth-1) + strings.Repeat("]", webhook.MaxDepth-1) + `}`: true,
		`{"a":` + strings.Repeat("[", webhook.MaxDepth) + strings.Repeat("]", webhook.MaxDepth) + `}`:     true,
		`{"a":` + strings.Repeat("[", 100) + strings.Repeat("]", 100) + `}`:                               false,
		`{"a":"` + strings.Repeat("long", 5000) + `","b":["c",1]}`:                                        true,
	} {
		if _, ok := checkForms(t, encodedFields(fields)); ok != valid {
			t.Errorf("%.100s: valid is %v, want %v", fields, ok, valid)
		}
	}
	for _, encoded := range []string{
		`{"Database":"d","action":"create","ID":"a","more":[1],"profile":{"id":"p"}}`,
		strings.Replace(whole, `"hops":3`, `"hops":null`, 1), strings.Replace(whole, `"previous":{`, `"previous":null,"x":{`, 1),
		whole + "\n", strings.ReplaceAll(whole, ",", " ,\n"), strings.ReplaceAll(whole, "Z", "+01:00"),
	} {
		if _, ok := checkForms(t, encoded); !ok {
			t.Errorf("%s is damaged", encoded)
		}
	}
}

// TestDecodeEventIsQuick counts allocations, of which the way through encoding/json
// takes several times as many.
func TestDecodeEventIsQuick(t *testing.T) {
	e := usual()
	encoded := webhook.EncodeEvent(&e)
	if n := testing.AllocsPerRun(100, func() { webhook.DecodeEvent(encoded) }); n > 25 {
		t.Errorf("%v allocations", n)
	}
	if n := testing.AllocsPerRun(100, func() { webhook.Prepare(e) }); n > 3 {
		t.Errorf("preparing takes %v allocations", n)
	}
}
