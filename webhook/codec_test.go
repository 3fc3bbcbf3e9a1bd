package webhook_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/ringback-dev/ringback/webhook"
)

// TestDecodeEvent reads back an event of which every part is set.
func TestDecodeEvent(t *testing.T) {
	e := event(ofSubprofile)
	e.Profile.Modified = time.Date(2026, 11, 23, 11, 33, 0, 1, time.FixedZone("CET", 3600))
	e.Subprofile.Fields = map[string]any{
		"int": int64(1<<53 + 1), "float": 0.1, "time": e.Profile.Modified, "null": nil, "text": "\x00\u2028🙂",
		"list": []any{true, []any{}, map[string]any{"a": 1}},
	}
	e.Subprofile.Interests = []string{"", "a,b"}
	e.Previous = &webhook.Record{ID: "77", Created: e.Profile.Created}
	e.Cause = &webhook.Cause{Event: "e-0", Hops: 3}

	got, err := webhook.DecodeEvent(webhook.EncodeEvent(&e))
	if err != nil {
		t.Fatal(err)
	}
	want := e
	want.Profile.Modified = e.Profile.Modified.UTC()
	want.Profile.Fields = map[string]any{"company": "Apple", "age": json.Number("30")}
	want.Subprofile = &webhook.Record{ID: "77", Interests: []string{"", "a,b"}, Fields: map[string]any{
		"int": json.Number("9007199254740993"), "float": json.Number("0.1"), "time": "2026-11-23T10:33:00.000000001Z",
		"null": nil, "text": "\x00\u2028🙂",
		"list": []any{true, []any{}, map[string]any{"a": json.Number("1")}},
	}}
	want.Previous = &webhook.Record{ID: "77", Created: e.Profile.Created, Fields: map[string]any{}, Interests: []string{}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got\n%+v\nwant\n%+v", got, want)
	}
	for name, value := range e.Subprofile.Fields {
		if !webhook.Equal(value, got.Subprofile.Fields[name]) {
			t.Errorf("%s: %v came back as %v", name, value, got.Subprofile.Fields[name])
		}
	}
}

func TestStored(t *testing.T) {
	e := event(ofSubprofile)
	e.Sequence = 7
	e.Time = time.Now()
	e.Cause = &webhook.Cause{Event: "e-0", Hops: 3}
	e.Subprofile.Created = time.Date(2026, 11, 23, 11, 33, 0, 1, time.FixedZone("CET", 3600))
	e.Subprofile.Interests = []string{"mac"}
	nested := map[string]any{"a": 1}
	e.Subprofile.Fields = map[string]any{
		"int8": int8(-1), "uint64": uint64(math.MaxUint64), "float32": float32(0.1), "float64": 1e21, "number": json.Number("1.50"),
		"bool": true, "nil": nil, "text": "a", "time": e.Subprofile.Created, "list": []any{1, nested}, "map": nested,
	}
	e.Previous = &webhook.Record{Fields: map[string]any{"a": 1}}
	want, err := webhook.DecodeEvent(webhook.EncodeEvent(&e))
	if err != nil {
		t.Fatal(err)
	}
	got := e.Stored()
	// What the caller still holds may change.
	nested["a"] = 2
	e.Subprofile.Interests[0] = "windows"
	e.Cause.Hops = 4
	e.Previous.Fields["a"] = 2
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got\n%+v\nwant\n%+v", got, want)
	}
}

func TestDecodeDamaged(t *testing.T) {
	e := event(func(*webhook.Event) {})
	whole := webhook.EncodeEvent(&e)
	for i := range whole {
		if _, err := webhook.DecodeEvent(whole[:i]); err == nil {
			t.Errorf("the first %d bytes of %s are decoded", i, whole)
		}
	}
	for _, damaged := range []string{
		"null", "{}", "[]", "1", `"a"`, string(whole) + "x", string(whole) + string(whole), string(whole) + "\x00",
		strings.Replace(string(whole), `"id":"e-1"`, `"id":""`, 1),
		strings.Replace(string(whole), `"id":"e-1"`, `"id":"a.b"`, 1),
		strings.Replace(string(whole), `"update"`, `"all"`, 1),
		strings.Replace(string(whole), `"788"`, `788`, 1),
		strings.Replace(string(whole), `"2026-`, `"x`, 1),
	} {
		if got, err := webhook.DecodeEvent([]byte(damaged)); err == nil {
			t.Errorf("%s is decoded as %+v", damaged, got)
		}
	}
	if got, err := webhook.DecodeEvent(append(whole, '\n')); err != nil || got.ID != e.ID {
		t.Errorf("white space behind: got %+v, %v", got, err)
	}
}

// FuzzEncodeEvent: a valid event is the same after any number of trips through
// a store.
func FuzzEncodeEvent(f *testing.F) {
	f.Add("e-1", "update", "788", "", "rest", "mac", int64(1795430000123), `{"a":1,"b":[null]}`, `{"a":1.0}`)
	f.Add("a_b:c", "create", "\u2028", "c/d", "", "\x00", int64(-1), `{"First name":"\ud83d\ude00","t":"2026-11-23T10:33:00Z"}`, "")
	f.Add("", "create", "d", "", "", "", int64(0), `{}`, "")
	f.Add("0", "delete", "d", "0a", "t\n", "", int64(0), `{"n":1e400,"m":-0.0}`, `{}`)
	f.Fuzz(func(t *testing.T, id, action, database, collection, trigger, interest string, ms int64, fields, before string) {
		e := webhook.Event{
			ID: id, Action: webhook.Action(action), Database: database, Collection: collection, Trigger: trigger,
			Time:    time.UnixMilli(ms),
			Profile: webhook.Record{ID: "1", Fields: object(fields), Interests: []string{interest}, Created: time.UnixMilli(ms)},
		}
		if collection != "" {
			e.Subprofile = &webhook.Record{ID: interest, Fields: object(before)}
		}
		if e.Action == webhook.ActionUpdate && before != "" {
			e.Previous = &webhook.Record{Fields: object(before), Interests: []string{interest}}
		}
		prepared, encoded, err := webhook.Prepare(e)
		if err != nil {
			if !errors.Is(err, webhook.ErrInvalid) {
				t.Errorf("%v does not match ErrInvalid", err)
			}
			return
		}
		if again := webhook.EncodeEvent(&prepared); !bytes.Equal(again, encoded) {
			t.Errorf("got %s, and again %s", encoded, again)
		}
		checkComplete(t, e)
		decoded, err := webhook.DecodeEvent(encoded)
		if err != nil {
			t.Fatalf("%v: %s", err, encoded)
		}
		if again := webhook.EncodeEvent(&decoded); !bytes.Equal(again, encoded) {
			t.Errorf("got %s, and after decoding %s", encoded, again)
		}
		if stored := prepared.Stored(); !reflect.DeepEqual(stored, decoded) {
			t.Errorf("stored %+v, and after decoding %+v", stored, decoded)
		}
		if got, want := decoded.Changed(), prepared.Changed(); !reflect.DeepEqual(got, want) {
			t.Errorf("changed %q, and after decoding %q", want, got)
		}
	})
}

// FuzzDecodeEvent: whatever bytes a store gives back, decoding ends well, however they
// are written, and what is decoded is a valid event that stays as it is.
func FuzzDecodeEvent(f *testing.F) {
	for _, change := range []func(*webhook.Event){func(*webhook.Event) {}, ofSubprofile} {
		e := event(change)
		f.Add(webhook.EncodeEvent(&e))
	}
	f.Add([]byte(`{"id":"a","action":"create","database":"d","profile":{"id":"p"}}`))
	f.Add([]byte(`{"ID":"a","Action":"delete","database":"d","time":"9999-12-31T23:59:59-01:00","profile":{"id":"p","fields":null}}`))
	f.Add([]byte(encodedFields(`{"a":"\"\\\n\u2028é","b":[1,-2.5e3,{"c":[[],{}]},null,true],"a":"\ud83d\ude00"}`)))
	f.Add([]byte(`{"id":"a","action":"update","database":"d","collection":"c","cause":{"event":"b","hops":1},"trigger":"t",` +
		`"time":"2026-11-23T10:33:00.5+01:00","profile":{"id":"p","fields":{},"interests":["i"],"created":"2026-11-23T10:33:00Z"},` +
		`"subprofile":{"id":"s","fields":{},"interests":[]},"previous":{"id":"","fields":{"x":1},"interests":["a","b"]}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		e, ok := checkForms(t, string(data))
		if !ok {
			return
		}
		if err := e.Validate(); err != nil || e.ID == "" {
			t.Fatalf("%v: %s", err, data)
		}
		encoded := webhook.EncodeEvent(&e)
		again, err := webhook.DecodeEvent(encoded)
		if err != nil {
			t.Fatalf("%v: %s", err, encoded)
		}
		if got := webhook.EncodeEvent(&again); !bytes.Equal(got, encoded) {
			t.Errorf("got %s, and after decoding %s", encoded, got)
		}
	})
}

// object decodes a JSON object, and makes an empty one of anything else.
func object(text string) map[string]any {
	value, err := decode([]byte(text))
	if m, ok := value.(map[string]any); ok && err == nil {
		return m
	}
	return map[string]any{}
}
