package webhook_test

import (
	"encoding/json"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/ringback-dev/ringback/webhook"
)

// event returns a valid update of a profile, changed.
func event(change func(*webhook.Event)) webhook.Event {
	e := webhook.Event{
		ID: "e-1", Action: webhook.ActionUpdate, Database: "788", Trigger: "rest",
		Time: time.Date(2026, 11, 23, 10, 33, 0, 123e6, time.UTC),
		Profile: webhook.Record{
			ID: "1", Fields: map[string]any{"company": "Apple", "age": 30}, Interests: []string{"mac"},
			Created: time.Date(2014, 2, 10, 10, 33, 28, 0, time.UTC),
		},
		Previous: &webhook.Record{Fields: map[string]any{"company": "Microsoft", "age": 30}},
	}
	change(&e)
	return e
}

// ofSubprofile makes the event one of a subprofile.
func ofSubprofile(e *webhook.Event) {
	e.Collection = "8550"
	e.Subprofile = &webhook.Record{ID: "77", Fields: map[string]any{"amount": 12.5}}
	e.Previous = nil
}

func TestEventValidate(t *testing.T) {
	year := func(y int) time.Time { return time.Date(y, 1, 1, 0, 0, 0, 0, time.UTC) }
	tests := []struct {
		name   string
		field  string // to blame; empty where the event is valid
		change func(*webhook.Event)
	}{
		{"update", "", func(e *webhook.Event) {}},
		{"update of unknown", "", func(e *webhook.Event) { e.Previous = nil }},
		{"create", "", func(e *webhook.Event) { e.Action, e.Previous = webhook.ActionCreate, nil }},
		{"delete", "", func(e *webhook.Event) { e.Action, e.Previous = webhook.ActionDelete, nil }},
		{"delete with previous", "", func(e *webhook.Event) { e.Action = webhook.ActionDelete }},
		{"delete with a previous that would not do", "", func(e *webhook.Event) {
			e.Action, e.Previous = webhook.ActionDelete, &webhook.Record{ID: "another"}
		}},
		{"subprofile", "", ofSubprofile},
		{"to be filled in", "", func(e *webhook.Event) { e.ID, e.Time = "", time.Time{} }},
		{"least", "", func(e *webhook.Event) {
			*e = webhook.Event{Action: webhook.ActionCreate, Database: "d", Profile: webhook.Record{ID: "p"}}
		}},
		{"longest", "", func(e *webhook.Event) {
			e.ID = strings.Repeat("-_:aZ9", webhook.MaxEventID/6)
			e.Database, e.Profile.ID = strings.Repeat("d", webhook.MaxID), strings.Repeat("p", webhook.MaxID)
			e.Trigger = strings.Repeat("t", webhook.MaxID)
		}},
		{"previous with ID", "", func(e *webhook.Event) { e.Previous.ID = "1" }},
		{"first and last year", "", func(e *webhook.Event) { e.Profile.Created, e.Profile.Modified = year(0), year(9999) }},

		{"caused", "", func(e *webhook.Event) { e.Cause = &webhook.Cause{Event: "e", Hops: webhook.MaxHops + 1} }},

		{"cause without event", "cause.event", func(e *webhook.Event) { e.Cause = &webhook.Cause{Hops: 1} }},
		{"cause that is no ID", "cause.event", func(e *webhook.Event) { e.Cause = &webhook.Cause{Event: "a b"} }},
		{"negative hops", "cause.hops", func(e *webhook.Event) { e.Cause = &webhook.Cause{Event: "e", Hops: -1} }},
		{"endless hops", "cause.hops", func(e *webhook.Event) { e.Cause = &webhook.Cause{Event: "e", Hops: math.MaxInt32} }},
		{"long ID", "ID", func(e *webhook.Event) { e.ID = strings.Repeat("a", webhook.MaxEventID+1) }},
		{"ID with a stop", "ID", func(e *webhook.Event) { e.ID = "a.b" }},
		{"ID with a slash", "ID", func(e *webhook.Event) { e.ID = "a/b" }},
		{"ID with a line feed", "ID", func(e *webhook.Event) { e.ID = "a\n" }},
		{"ID with a letter beyond ASCII", "ID", func(e *webhook.Event) { e.ID = "é" }},
		{"ID not UTF-8", "ID", func(e *webhook.Event) { e.ID = "\xff" }},
		{"no action", "action", func(e *webhook.Event) { e.Action = "" }},
		{"action all", "action", func(e *webhook.Event) { e.Action = webhook.ActionAll }},
		{"no database", "database", func(e *webhook.Event) { e.Database = "" }},
		{"database 0", "database", func(e *webhook.Event) { e.Database = "0" }},
		{"database not UTF-8", "database", func(e *webhook.Event) { e.Database = "\xff" }},
		{"long trigger", "trigger", func(e *webhook.Event) { e.Trigger = strings.Repeat("t", webhook.MaxID+1) }},
		{"trigger not UTF-8", "trigger", func(e *webhook.Event) { e.Trigger = "\xff" }},
		{"time after 9999", "time", func(e *webhook.Event) { e.Time = year(10000) }},
		{"time before 0", "time", func(e *webhook.Event) { e.Time = year(-1) }},
		{"time after 9999 in UTC only", "time", func(e *webhook.Event) {
			e.Time = time.Date(9999, 12, 31, 23, 0, 0, 0, time.FixedZone("", -7200))
		}},
		{"no profile", "profile.ID", func(e *webhook.Event) { e.Profile, e.Previous = webhook.Record{}, nil }},
		{"long profile ID", "profile.ID", func(e *webhook.Event) { e.Profile.ID = strings.Repeat("p", webhook.MaxID+1) }},
		{"field without a name", "profile.fields", func(e *webhook.Event) { e.Profile.Fields[""] = 1 }},
		{"field name not UTF-8", "profile.fields", func(e *webhook.Event) { e.Profile.Fields["\xff"] = 1 }},
		{"interest not UTF-8", "profile.interests", func(e *webhook.Event) { e.Profile.Interests = []string{"a", "\xff"} }},
		{"long interest not UTF-8", "profile.interests", func(e *webhook.Event) {
			e.Profile.Interests = []string{strings.Repeat("\xff", 10_000)}
		}},
		{"created", "profile.created", func(e *webhook.Event) { e.Profile.Created = year(-5) }},
		{"modified", "profile.modified", func(e *webhook.Event) { e.Profile.Modified = year(12000) }},
		{"subprofile without collection", "subprofile", func(e *webhook.Event) { ofSubprofile(e); e.Collection = "" }},
		{"collection without subprofile", "subprofile", func(e *webhook.Event) { ofSubprofile(e); e.Subprofile = nil }},
		{"collection 0", "collection", func(e *webhook.Event) { ofSubprofile(e); e.Collection = "0" }},
		{"subprofile without ID", "subprofile.ID", func(e *webhook.Event) { ofSubprofile(e); e.Subprofile.ID = "" }},
		{"subprofile's field", "subprofile.fields.f", func(e *webhook.Event) { ofSubprofile(e); e.Subprofile.Fields["f"] = 'x' + 1i }},
		{"create with previous", "previous", func(e *webhook.Event) { e.Action = webhook.ActionCreate }},
		{"previous of another", "previous.ID", func(e *webhook.Event) { e.Previous.ID = "2" }},
		{"previous of the parent", "previous.ID", func(e *webhook.Event) {
			ofSubprofile(e)
			e.Previous = &webhook.Record{ID: e.Profile.ID}
		}},
		{"previous field", "previous.fields.f", func(e *webhook.Event) { e.Previous.Fields["f"] = math.NaN() }},
		{"previous interest", "previous.interests", func(e *webhook.Event) { e.Previous.Interests = []string{"\x80"} }},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			e := event(test.change)
			checkInvalid(t, e.Validate(), test.field)
		})
	}
}

func TestFieldValues(t *testing.T) {
	type text string
	deepest := any("leaf")
	for range webhook.MaxDepth - 1 {
		deepest = []any{deepest}
	}
	var none *int
	long := strings.Repeat("é", 50)

	tests := []struct {
		name  string
		field string // to blame below profile.fields; empty where the value is valid
		value any
	}{
		{"nil", "", nil}, {"bool", "", true}, {"string", "", "\x00\u2028🙂"}, {"empty", "", ""},
		{"int", "", int(-1)}, {"int8", "", int8(-1)}, {"int16", "", int16(-1)}, {"int32", "", int32(-1)}, {"int64", "", int64(math.MinInt64)},
		{"uint", "", uint(1)}, {"uint8", "", uint8(1)}, {"uint16", "", uint16(1)}, {"uint32", "", uint32(1)}, {"uint64", "", uint64(math.MaxUint64)},
		{"float32", "", float32(0.1)}, {"float64", "", math.MaxFloat64},
		{"time", "", time.Now()}, {"time in year 0", "", time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC)},
		{"list", "", []any{1, nil, []any{}}}, {"nil list", "", []any(nil)},
		{"map", "", map[string]any{"a": map[string]any{}}}, {"nil map", "", map[string]any(nil)},
		{"deepest", "", deepest},
		{"number", "", json.Number("-12.50e+7")}, {"number beyond floats", "", json.Number("1e999999999")},
		{"long number", "", json.Number(strings.Repeat("9", 5000))},

		{"NaN", "f", math.NaN()}, {"infinity", "f", math.Inf(-1)}, {"float32 infinity", "f", float32(math.Inf(1))},
		{"string not UTF-8", "f", "\xff"}, {"surrogate", "f", "\xed\xa0\x80"},
		{"named type", "f", text("a")}, {"slice of strings", "f", []string{"a"}}, {"map of strings", "f", map[string]string{}},
		{"struct", "f", struct{}{}}, {"bytes", "f", []byte("a")}, {"duration", "f", time.Second}, {"nil pointer", "f", none},
		{"function", "f", func() {}}, {"channel", "f", make(chan int)}, {"error", "f", errors.New("e")}, {"raw JSON", "f", json.RawMessage("1")},
		{"time in year 10000", "f", time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)},
		{"too deep", "f" + strings.Repeat("[0]", webhook.MaxDepth), []any{deepest}},
		{"in a list", "f[1]", []any{1, "\xff"}},
		{"in a map", "f.a", map[string]any{"a": make(chan int)}},
		{"further in", "f[0].a.b[1]", []any{map[string]any{"a": map[string]any{"b": []any{0, math.NaN()}}}}},
		{"in a long name", "f." + strings.Repeat("é", 20) + "…", map[string]any{long: 1i}},
		{"name empty in a map", "f", map[string]any{"": 1}},
		{"name not UTF-8 in a list's map", "f[0]", []any{map[string]any{"\xff": 1}}},
	}
	for _, number := range []string{"", "-", "+1", "01", "-01", "1.", ".5", "1.e5", "1e", "1e+", "1e5.", "0x10", "1_000", "1,5",
		" 1", "1 ", "NaN", "Infinity", "null", "true", `"1"`, "[]", "1\n", "1 2", "1}", "١"} {
		tests = append(tests, struct {
			name  string
			field string
			value any
		}{"number " + number, "f", json.Number(number)})
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			e := event(func(e *webhook.Event) { e.Profile.Fields["f"] = test.value })
			field := test.field
			if field != "" {
				field = "profile.fields." + field
			}
			checkInvalid(t, e.Validate(), field)
		})
	}
}

// TestEndlessValues: values that refer to themselves, and lists that are shared
// so often that they could not be walked in a lifetime, are refused at once.
func TestEndlessValues(t *testing.T) {
	list := []any{1, nil}
	list[1] = list
	twice := map[string]any{}
	twice["a"], twice["b"] = twice, twice
	shared := any("leaf")
	for range webhook.MaxDepth - 1 {
		shared = []any{shared, shared}
	}
	text := strings.Repeat("t", 1000)
	bulky := make([]any, 1100)
	for i := range bulky {
		bulky[i] = text
	}
	for name, value := range map[string]any{"list": list, "map": twice, "shared": shared, "bulky": bulky} {
		t.Run(name, func(t *testing.T) {
			e := event(func(e *webhook.Event) { e.Profile.Fields = map[string]any{"f": value} })
			var invalid *webhook.InvalidError
			if err := e.Validate(); !errors.As(err, &invalid) {
				t.Fatalf("got %v, want an InvalidError", err)
			}
			tooLarge := name == "shared" || name == "bulky"
			if (invalid.Field == "") != tooLarge {
				t.Errorf("blames %q: %v", invalid.Field, invalid)
			}
			if !tooLarge && webhook.Equal(value, value) {
				t.Error("is equal to itself, which cannot be known")
			}
		})
	}
}

func TestInvalidError(t *testing.T) {
	err := webhook.Invalid("url", "is %d%% wrong", 100)
	if !errors.Is(err, webhook.ErrInvalid) || errors.Is(err, webhook.ErrNotFound) {
		t.Errorf("%v does not match ErrInvalid alone", err)
	}
	if got, want := err.Error(), "webhook: invalid url: is 100% wrong"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := webhook.Invalid("", "is wrong").Error(), "webhook: invalid: is wrong"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
