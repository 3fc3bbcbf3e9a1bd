package message_test

import (
	"testing"

	"github.com/ringback-dev/ringback/webhook"
	"github.com/ringback-dev/ringback/webhook/message"
)

func BenchmarkEncode(b *testing.B) {
	for _, name := range []string{"update", "values"} {
		event := events()[name]
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
