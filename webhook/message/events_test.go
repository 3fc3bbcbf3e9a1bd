package message_test

import (
	"encoding/json"
	"math"
	"time"

	"github.com/ringback-dev/ringback/webhook"
)

// when is the time of every event here: not in UTC, and with a fraction.
var when = time.Date(2026, 11, 23, 11, 33, 0, 123e6, time.FixedZone("CET", 3600))

// events returns the events of the golden files, by the files' names.
func events() map[string]webhook.Event {
	profile := webhook.Record{
		ID:        "1",
		Fields:    map[string]any{"company": "Apple", "age": 30},
		Interests: []string{"mac"},
		Created:   time.Date(2014, 2, 10, 10, 33, 28, 0, time.UTC),
		Modified:  time.Date(2026, 11, 23, 10, 33, 0, 0, time.UTC),
	}
	base := webhook.Event{
		ID: "01938f6e-2a2b-7c3d-8e4f-5a6b7c8d9e0f", Sequence: 4711, Action: webhook.ActionUpdate,
		Database: "788", Trigger: "rest", Time: when, Profile: profile,
	}

	update := base
	update.Previous = &webhook.Record{
		ID: "1", Fields: map[string]any{"company": "Microsoft", "age": 30}, Interests: []string{"mac"},
		Created: profile.Created, Modified: profile.Created,
	}

	fields := base
	fields.Profile = webhook.Record{ID: "1", Interests: []string{}, Fields: map[string]any{
		"same": json.Number("1.50"), "changed": "b", "new": nil, "nested": map[string]any{"a": []any{1, 2}},
	}}
	fields.Previous = &webhook.Record{Interests: []string{"windows", "mac"}, Fields: map[string]any{
		"same": 1.5, "changed": "a", "gone": "x", "nested": map[string]any{"a": []any{1, 3}},
	}}

	unknown := base
	unknown.Trigger = ""

	caused := base
	caused.Cause = &webhook.Cause{Event: "01938f6e-1111-7c3d-8e4f-5a6b7c8d9e0f", Hops: 2}

	create := base
	create.Action = webhook.ActionCreate

	remove := base
	remove.Action = webhook.ActionDelete
	remove.Previous = update.Previous

	subprofile := base
	subprofile.Collection = "orders/2026"
	subprofile.Subprofile = &webhook.Record{
		ID: "77", Fields: map[string]any{"amount": 12.5, "paid": true}, Interests: []string{"books", "music"},
		Created: when,
	}
	subprofile.Previous = &webhook.Record{Fields: map[string]any{"amount": 12.5, "paid": false}}

	empty := webhook.Event{
		ID: "e", Action: webhook.ActionCreate, Database: "empty", Time: when, Profile: webhook.Record{ID: "1"},
	}

	values := create
	values.Profile = webhook.Record{ID: `<"&'>`, Interests: []string{"", " ", "a&b", "c<d", "\t"}, Fields: hardValues()}
	values.Trigger = "</trigger><!--"

	names := remove
	names.Profile = webhook.Record{ID: "1", Fields: hardNames()}

	return map[string]webhook.Event{
		"update": update, "update-fields": fields, "update-unknown": unknown, "caused": caused, "create": create, "delete": remove,
		"subprofile": subprofile, "empty": empty, "values": values, "names": names,
	}
}

func hardValues() map[string]any {
	return map[string]any{
		"text_unicode":    "Größe 名前 🙂 e\u0301 \u202e\u2028\u2029\u0085\ufeff",
		"text_markup":     `<a href="x">&amp; 'q' ]]> <![CDATA[ --></a>`,
		"text_control":    "nul\x00 bell\x07 esc\x1b del\x7f",
		"text_lines":      "\n\r\n\r tab\t end\n",
		"text_spaces":     "  two on either side  ",
		"text_blank":      " \t ",
		"text_nonchars":   "\ufffe \uffff \ufffd \U0001fffe",
		"text_backslash":  `\u0041 \n "quoted"`,
		"text_empty":      "",
		"text_number":     "007",
		"null":            nil,
		"bool_true":       true,
		"bool_false":      false,
		"int_zero":        0,
		"int_2^53+1":      int64(1<<53 + 1),
		"int_min":         int64(math.MinInt64),
		"int_max":         uint64(math.MaxUint64),
		"number_big":      json.Number("123456789012345678901234567890"),
		"number_decimals": json.Number("0.10000000000000000000000000001"),
		"number_trailing": json.Number("1.50"),
		"number_exponent": json.Number("-1.5E+400"),
		"float_third":     1.0 / 3,
		"float_large":     1e21,
		"float_small":     1e-7,
		"float_whole":     float64(1e20),
		"float_minuszero": math.Copysign(0, -1),
		"float32":         float32(0.1),
		"time":            when,
		"time_nano":       time.Date(1, 1, 1, 0, 0, 0, 1, time.UTC),
		"list":            []any{nil, "a", 1, []any{}, []any{[]any{"deep"}}, map[string]any{"k": nil}},
		"list_empty":      []any{},
		"list_nil":        []any(nil),
		"map":             map[string]any{"b": map[string]any{"item": []any{1}, "a": "x"}, "a": "<>"},
		"map_empty":       map[string]any{},
		"map_nil":         map[string]any(nil),
	}
}

// hardNames holds names of fields with, as values, the elements that ISO 9075-14
// makes of them.
func hardNames() map[string]any {
	return map[string]any{
		"First name":    "First_x0020_name",
		"first-name":    "first-name",
		"first.name":    "first.name",
		"first_name":    "first_name",
		"-minus":        "_x002D_minus",
		".dot":          "_x002E_dot",
		"1st":           "_x0031_st",
		"a1":            "a1",
		"ns:name":       "ns_x003A_name",
		":name":         "_x003A_name",
		"_x0020_":       "_x005F_x0020_",
		"a_x":           "a_x005F_x",
		"a_X":           "a_X",
		"__x":           "__x005F_x",
		"_":             "_",
		"a_":            "a_",
		"xml":           "_x0078_ml",
		"XMLhttp":       "_x0058_MLhttp",
		"xMl.":          "_x0078_Ml.",
		"xm":            "xm",
		"axml":          "axml",
		"Größe":         "Größe",
		"名前":            "名前",
		"a\u0301":       "a\u0301",
		"\u0301a":       "_x0301_a",
		"e\u00b7":       "e\u00b7",
		"🙂":             "_x01F642_",
		"a\U00010400":   "a_x010400_",
		"\U0010ffff":    "_x10FFFF_",
		"\x00":          "_x0000_",
		"tab\tnl\ncr\r": "tab_x0009_nl_x000A_cr_x000D_",
		`<a b="c">&'`:   "_x003C_a_x0020_b_x003D__x0022_c_x0022__x003E__x0026__x0027_",
		"\ufffe\uffff":  "_xFFFE__xFFFF_",
		"\u00d7\u00f7":  "_x00D7__x00F7_",
		"\ufffd":        "_xFFFD_",
		"item":          "item",
		"__proto__":     "__proto__",
		"ID":            "ID",
	}
}
