package message_test

import (
	"testing"

	"github.com/ringback-dev/ringback/webhook"
	"github.com/ringback-dev/ringback/webhook/message"
)

// usual returns the usual event: an update of a profile with a few fields.
func usual() webhook.Event {
	return webhook.Event{
		ID: "e1234567", Sequence: 4711, Action: webhook.ActionUpdate, Database: "788", Trigger: "rest", Time: when.UTC(),
		Profile: webhook.Record{
			ID: "4711", Interests: []string{"mac"},
			Fields: map[string]any{"company": "Apple", "age": 30, "email": "someone@example.com"},
		},
		Previous: &webhook.Record{
			Interests: []string{"mac"},
			Fields:    map[string]any{"company": "Microsoft", "age": 30, "email": "someone@example.com"},
		},
	}
}

func BenchmarkEncode(b *testing.B) {
	for _, name := range []string{"usual", "update", "values"} {
		event, ok := events()[name]
		if !ok {
			event = usual()
		}
		for _, method := range methods {
			b.Run(name+"/"+string(method), func(b *testing.B) {
				b.ReportAllocs()
				b.SetBytes(int64(len(encode(b, method, &event))))
				for b.Loop() {
					if _, err := message.Encode(method, &event); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

func BenchmarkRequestForm(b *testing.B) {
	event := events()["values"]
	msg := encode(b, webhook.MethodXML, &event)
	b.ReportAllocs()
	for b.Loop() {
		message.Request(webhook.MethodXML, webhook.EncodingForm, msg)
	}
}
