package storetest

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/ringback-dev/ringback/webhook"
)

func valuesTests() []test {
	return []test{
		{"survive", testValuesSurvive},
		{"records", testHardRecords},
		{"large", testLargeEvents},
		{"copied in and out", testEventsCopied},
	}
}

// hardValues are values of fields that are easily damaged.
func hardValues() map[string]any {
	deep := any("bottom")
	for i := range webhook.MaxDepth - 1 {
		if i%2 == 0 {
			deep = []any{deep}
		} else {
			deep = map[string]any{"down": deep}
		}
	}
	return map[string]any{
		"null": nil, "yes": true, "no": false, "empty": "", "zero": 0,
		"int64": int64(math.MaxInt64), "min": int64(math.MinInt64), "uint64": uint64(math.MaxUint64),
		"beyond a double": int64(1<<53 + 1), "number": json.Number("123456789012345678901234567890.10"),
		"float": 0.1, "tiny": 5e-324, "huge": math.MaxFloat64, "float32": float32(0.1),
		"minus zero": math.Copysign(0, -1), "int8": int8(-128), "uint16": uint16(65535),
		"controls": "\x00\x01\t\r\n\x7f", "quotes": `'"` + "`\\", "markup": "<&>]]>",
		"unicode": "é e\u0301 𝄞 👩‍👩‍👧 \u2028\u2029 \ufeff \ufffd \u202e",
		"time":    time.Date(2026, 11, 23, 10, 33, 0, 123456789, time.FixedZone("", 3600)),
		"list":    []any{}, "map": map[string]any{}, "mixed": []any{1, "1", nil, []any{true}, map[string]any{"k": nil}},
		"deep": deep, "Ünï cödé ☎": 1, "'; DROP TABLE x; --": 1, " ": 1, "\x00": 1, "a.b": 1,
	}
}

func testValuesSurvive(h *harness) {
	created := time.Date(1, 1, 1, 0, 0, 0, 1, time.UTC)
	record := webhook.Record{
		ID: "r\x00☎", Fields: hardValues(), Interests: []string{"mac", "", "☎"},
		Created: created, Modified: time.Date(9999, 12, 31, 23, 59, 59, 999_999_999, time.UTC),
	}
	previous := webhook.Record{Fields: map[string]any{"gone": 1}}
	cause := webhook.Cause{Event: "e-0_:", Hops: webhook.MaxHops}
	for i, e := range []webhook.Event{
		{Action: webhook.ActionCreate, Database: "d", Profile: record, Trigger: "rest\x00"},
		{Action: webhook.ActionUpdate, Database: "☎", Profile: record, Previous: &previous, Cause: &cause},
		{
			Action: webhook.ActionDelete, Database: "d", Collection: "c",
			Profile: webhook.Record{ID: "p"}, Subprofile: &record,
		},
		{Action: webhook.ActionDelete, Database: "d", Profile: webhook.Record{ID: "p"}, Time: created},
	} {
		e.ID = fmt.Sprint("e", i)
		if e.Time.IsZero() {
			e.Time = time.Date(2026, 11, 23, 10, 33, 0, 123456789, time.FixedZone("", -3600))
		}
		want, encoded, err := webhook.Prepare(e)
		h.must(err)
		h.dispatch(e)
		pending := h.pending()
		got := pending[len(pending)-1]
		equal(h, "event", string(webhook.EncodeEvent(&got)), string(encoded))
		if !got.Time.Equal(want.Time) {
			h.t.Errorf("time is %v, want %v", got.Time, want.Time)
		}
	}
}

// testHardRecords checks that records are kept apart whatever they are called.
func testHardRecords(h *harness) {
	h.create("", "c")
	h.create("", "cc")
	var events []webhook.Event
	for i, record := range []string{"r", "R", "r ", " r", "r\x00", "\x00r", "é", "e\u0301", "01", "1", "1.0"} {
		for j, database := range []string{"d", "dc", "d\x00", "D"} {
			for k, collection := range []string{"c", "cc"} {
				events = append(events, subprofile(fmt.Sprintf("e%d-%d-%d", i, j, k), database, collection, record))
			}
		}
	}
	h.deliver(events...)
	claimed := h.claim(claimAll(h.join()))
	equal(h, "deliveries about different records that are ready", len(claimed), len(events))
	byID := make(map[string]webhook.Event)
	for _, e := range events {
		byID[e.ID] = e
	}
	for _, c := range claimed {
		e := byID[c.EventID]
		equal(h, "record", c.Record, e.Subprofile.ID)
		equal(h, "database", c.Database, e.Database)
		equal(h, "collection", c.Collection, e.Collection)
	}
}

func testLargeEvents(h *harness) {
	large := strings.Repeat("0123456789abcdef", 400_000/16)
	var events []webhook.Event
	for _, id := range numbered("e", 5) {
		e := profile(id, "r")
		e.Profile.Fields["large"] = large + id
		events = append(events, e)
	}
	h.dispatch(events...)
	for i, got := range h.pending() {
		if got.Profile.Fields["large"] != large+events[i].ID {
			h.t.Errorf("event %s is damaged", got.ID)
		}
	}
}

func testEventsCopied(h *harness) {
	list := []any{"kept"}
	fields := map[string]any{"f": "kept", "list": list}
	interests := []string{"kept"}
	e := webhook.Event{
		ID: "e", Action: webhook.ActionUpdate, Database: "d",
		Profile: webhook.Record{ID: "r", Fields: fields, Interests: interests},
	}
	h.dispatch(e)
	want, _, err := webhook.Prepare(h.pending()[0])
	h.must(err)
	encoded := string(webhook.EncodeEvent(&want))

	fields["f"], list[0], interests[0] = "changed", "changed", "changed"
	out := h.pending()[0]
	equal(h, "after a change to what was put in", string(webhook.EncodeEvent(&out)), encoded)
	out.Profile.Fields["f"], out.Profile.Interests[0] = "changed", "changed"
	out.Profile.Fields["list"].([]any)[0] = "changed"
	again := h.pending()[0]
	equal(h, "after a change to what was got out", string(webhook.EncodeEvent(&again)), encoded)
}
