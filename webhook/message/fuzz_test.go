package message_test

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/ringback-dev/ringback/webhook"
)

// FuzzMessage: whatever a valid event holds, both messages are well-formed, carry
// the same tree, and are the same from an event that was stored.
func FuzzMessage(f *testing.F) {
	f.Add("update", "", "name", "text", 1.5, `{"a":1,"b":[null,{"c":"d"}]}`, `{"a":2}`)
	f.Add("create", "5", "First name", "<&>\r\n]]>", -1.0, `{"_x0020_":"\u0000","xml":[],":":{}}`, "")
	f.Add("delete", "", "🙂", "\x00\x1f\u2028\ufffe", 1e300, `{"n":123456789012345678901234567890}`, `{}`)
	f.Add("update", "\r", "a:b", " ", 5e-324, `{"n":-0.0e-0,"N":1E+400,"_":{"item":[[],[[]]]}}`, `{"gone":true}`)
	for _, event := range events() {
		fields := webhook.AppendJSON(nil, event.Profile.Fields)
		f.Add(string(event.Action), event.Collection, "name", "text", 0.0, string(fields), string(fields))
	}
	f.Fuzz(func(t *testing.T, action, collection, name, text string, number float64, fields, before string) {
		event := webhook.Event{
			ID: "e", Sequence: 1, Action: webhook.Action(action), Database: "1", Collection: collection,
			Trigger: text, Time: when, Profile: webhook.Record{ID: "1", Interests: []string{text, name}},
		}
		record := &event.Profile
		if collection != "" {
			record = &webhook.Record{ID: "2"}
			event.Subprofile = record
		}
		record.Fields = object(fields)
		record.Fields[name] = text
		record.Fields["number"] = number
		if previous := object(before); event.Action == webhook.ActionUpdate && len(previous) > 0 {
			event.Previous = &webhook.Record{Fields: previous}
		}
		if len(name)+len(text)+len(fields)+len(before) > 10_000 || event.Validate() != nil {
			return
		}
		checkTree(t, &event)
		checkStored(t, event)
	})
}

// object decodes a JSON object, and makes an empty one of anything else.
func object(text string) map[string]any {
	m := map[string]any{}
	d := json.NewDecoder(bytes.NewReader([]byte(text)))
	d.UseNumber()
	if err := d.Decode(&m); err != nil || m == nil {
		return map[string]any{}
	}
	return m
}
