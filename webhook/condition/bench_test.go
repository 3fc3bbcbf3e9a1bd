package condition_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/ringback-dev/ringback/webhook"
	"github.com/ringback-dev/ringback/webhook/condition"
)

// twenty returns a record's fields.
func twenty() map[string]any {
	fields := map[string]any{"company": "Apple", "age": 30}
	for i := len(fields); i < 20; i++ {
		fields[fmt.Sprintf("field%d", i)] = fmt.Sprintf("the value of field %d", i)
	}
	return fields
}

// BenchmarkEvaluate judges an event of a record with twenty fields for 100
// callbacks, and reports the time for each.
func BenchmarkEvaluate(b *testing.B) {
	for _, source := range []string{
		"company == 'Apple'",
		"profile.fields.age >= 18 && profile.interests.mac",
		"old.company != company",
		"changed.includes('company')",
		`/@example\.(com|org)$/i.test(email) && name.toLowerCase().startsWith('b')`,
		"['nl', 'be'].includes(country) ? age >= 16 : age >= 18",
	} {
		b.Run(source, func(b *testing.B) {
			ev := evaluator(b)
			c, err := ev.Compile(source)
			if err != nil {
				b.Fatal(err)
			}
			fields := twenty()
			fields["email"], fields["name"] = "bob@example.com", "Bob"
			e := update(fields, nil)
			b.ReportAllocs()
			for b.Loop() {
				s := ev.Begin(e)
				for range 100 {
					s.Evaluate(c)
				}
				s.End()
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(100*b.N), "ns/callback")
		})
	}
}

// BenchmarkOneCallback judges an event of a record with twenty fields for one
// callback: what a database with few callbacks pays.
func BenchmarkOneCallback(b *testing.B) {
	ev := evaluator(b)
	c, err := ev.Compile("company == 'Apple'")
	if err != nil {
		b.Fatal(err)
	}
	e := update(twenty(), nil)
	b.ReportAllocs()
	for b.Loop() {
		s := ev.Begin(e)
		s.Evaluate(c)
		s.End()
	}
}

// BenchmarkHundredConditions judges one event by 100 different conditions.
func BenchmarkHundredConditions(b *testing.B) {
	ev := evaluator(b)
	var conditions []*condition.Condition
	for i := range 100 {
		source := fmt.Sprintf("company == 'Company %d'", i)
		switch i % 4 {
		case 1:
			source = fmt.Sprintf("profile.age > %d", i)
		case 2:
			source = fmt.Sprintf("old.field%d != field%d && age > 3", 2+i%18, 2+i%18)
		case 3:
			source = fmt.Sprintf("changed.includes('field%d')", i)
		}
		c, err := ev.Compile(source)
		if err != nil {
			b.Fatal(err)
		}
		conditions = append(conditions, c)
	}
	e := update(twenty(), map[string]any{"company": "Microsoft"})
	b.ReportAllocs()
	for b.Loop() {
		s := ev.Begin(e)
		for _, c := range conditions {
			s.Evaluate(c)
		}
		s.End()
	}
}

// BenchmarkCompile compiles sources that are in no cache.
func BenchmarkCompile(b *testing.B) {
	for name, source := range map[string]string{
		"short":  "company == 'Apple %d'",
		"usual":  "profile.fields.age >= %d && profile.interests.mac && ['nl', 'be'].includes(country)",
		"regexp": `/@example\.(com|org)$/i.test(email) && age > %d`,
	} {
		b.Run(name, func(b *testing.B) {
			ev := evaluator(b)
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				if _, err := ev.Compile(fmt.Sprintf(source, i)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkNew builds a runtime.
func BenchmarkNew(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		evaluator(b)
	}
}

// usual returns the usual event: an update of a profile with a few fields.
func usual() *webhook.Event {
	return &webhook.Event{
		ID: "e1234567", Sequence: 4711, Action: webhook.ActionUpdate, Database: "788", Trigger: "rest",
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

// BenchmarkOneEvent judges the usual event, as the host gave it and as it comes back
// from a store, by one condition.
func BenchmarkOneEvent(b *testing.B) {
	given := usual()
	stored := given.Stored()
	for _, source := range []string{"", "company == 'Apple'", "age > 18", "profile.fields.age >= 18 && profile.interests.mac", "old.company != company",
		"company.startsWith('App')"} {
		for _, kind := range []struct {
			name  string
			event *webhook.Event
		}{{"given", given}, {"stored", &stored}} {
			b.Run(source+"/"+kind.name, func(b *testing.B) {
				ev := evaluator(b)
				c, err := ev.Compile(source)
				if err != nil {
					b.Fatal(err)
				}
				b.ReportAllocs()
				for b.Loop() {
					s := ev.Begin(kind.event)
					if s.Evaluate(c).Verdict != yes {
						b.Fatal("no match")
					}
					s.End()
				}
			})
		}
	}
}

// BenchmarkManyConditions judges one event by 10,000 different conditions, of which one
// matches: simple ones, and some that take the interpreter.
func BenchmarkManyConditions(b *testing.B) {
	b.Run("simple", func(b *testing.B) { manyConditions(b, "company == 'Company %d'") })
	b.Run("interpreted", func(b *testing.B) { manyConditions(b, "company.endsWith(' %d')") })
}

func manyConditions(b *testing.B, source string) {
	ev := evaluator(b)
	var conditions []*condition.Condition
	for i := range 10_000 {
		c, err := ev.Compile(fmt.Sprintf(source, i))
		if err != nil {
			b.Fatal(err)
		}
		conditions = append(conditions, c)
	}
	e := usual()
	e.Profile.Fields["company"] = "Company 9999"
	b.ReportAllocs()
	for b.Loop() {
		s := ev.Begin(e)
		matched := 0
		for _, c := range conditions {
			if s.Evaluate(c).Verdict == yes {
				matched++
			}
		}
		s.End()
		if matched != 1 {
			b.Fatal(matched)
		}
	}
}
