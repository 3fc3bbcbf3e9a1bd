package webhook_test

import (
	"strconv"
	"testing"
	"time"

	"github.com/ringback-dev/ringback/webhook"
)

// usual returns the usual event: an update of a profile with a few fields.
func usual() webhook.Event {
	return webhook.Event{
		ID: "e1234567", Action: webhook.ActionUpdate, Database: "788", Trigger: "rest",
		Time: time.Date(2026, 11, 23, 10, 33, 0, 123e6, time.UTC),
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

// wide returns an event of a record with fifty fields, some of them nested.
func wide() webhook.Event {
	fields := map[string]any{
		"list": []any{1, 2.5, "three", nil, true}, "map": map[string]any{"a": 1, "b": []any{"c"}},
		"time": time.Date(2026, 11, 23, 11, 33, 0, 0, time.FixedZone("CET", 3600)),
	}
	for i := len(fields); i < 50; i++ {
		fields["field"+strconv.Itoa(i)] = "the größe of field " + strconv.Itoa(i)
	}
	e := usual()
	e.Profile.Fields = fields
	e.Profile.Created, e.Profile.Modified = e.Time, e.Time
	return e
}

// benchmarkEvents runs a benchmark for either event.
func benchmarkEvents(b *testing.B, run func(b *testing.B, e webhook.Event)) {
	for _, kind := range []struct {
		name  string
		event webhook.Event
	}{{"usual", usual()}, {"wide", wide()}} {
		b.Run(kind.name, func(b *testing.B) {
			b.ReportAllocs()
			run(b, kind.event)
		})
	}
}

func BenchmarkPrepare(b *testing.B) {
	benchmarkEvents(b, func(b *testing.B, e webhook.Event) {
		for b.Loop() {
			if _, _, err := webhook.Prepare(e); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("without ID", func(b *testing.B) {
		b.ReportAllocs()
		e := usual()
		e.ID = ""
		for b.Loop() {
			if _, _, err := webhook.Prepare(e); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkComplete does what most events need that are appended through an engine.
func BenchmarkComplete(b *testing.B) {
	benchmarkEvents(b, func(b *testing.B, e webhook.Event) {
		for b.Loop() {
			if _, err := e.Complete(); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkValidate(b *testing.B) {
	benchmarkEvents(b, func(b *testing.B, e webhook.Event) {
		for b.Loop() {
			if err := e.Validate(); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkDecodeEvent(b *testing.B) {
	benchmarkEvents(b, func(b *testing.B, e webhook.Event) {
		encoded := webhook.EncodeEvent(&e)
		b.SetBytes(int64(len(encoded)))
		for b.Loop() {
			if _, err := webhook.DecodeEvent(encoded); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkStored(b *testing.B) {
	benchmarkEvents(b, func(b *testing.B, e webhook.Event) {
		for b.Loop() {
			e.Stored()
		}
	})
}

func BenchmarkParameters(b *testing.B) {
	benchmarkEvents(b, func(b *testing.B, e webhook.Event) {
		for b.Loop() {
			e.Parameters()
		}
	})
}
