package condition_test

import (
	"fmt"
	"testing"

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
