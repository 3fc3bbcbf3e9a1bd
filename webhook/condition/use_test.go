package condition_test

import (
	"testing"
	"time"

	"github.com/ringback-dev/ringback/webhook"
)

// TestRealUse has a condition for each thing that people want to be told of. The
// event matches all of them.
func TestRealUse(t *testing.T) {
	e := &webhook.Event{
		ID: "e", Action: webhook.ActionUpdate, Database: "788", Trigger: "import",
		Time: time.Date(2026, 11, 23, 10, 33, 0, 0, time.UTC),
		Profile: webhook.Record{
			ID: "1",
			Fields: map[string]any{
				"company": "Apple", "country": "nl", "email": "Bob@example.com", "First name": "Bob", "age": 30, "score": 82.5,
				"newsletter": "unsubscribed", "phone": "+31 6 1234 5678", "status": "customer", "notes": "Called; wants a quote for 3 licences",
				"tags": []any{"vip", "trade fair"}, "address": map[string]any{"city": "Delft", "zip": "2611 GG"},
				"renewal": "2026-12-15", "lastOrder": time.Date(2026, 8, 1, 0, 0, 0, 0, time.UTC), "total": 1250, "paid": 1000, "vat": nil,
				"customerNumber": int64(9_007_199_254_740_993),
			},
			Interests: []string{"mac", "ipad"},
			Created:   time.Date(2014, 2, 10, 10, 33, 28, 0, time.UTC), Modified: time.Date(2026, 11, 23, 10, 33, 0, 0, time.UTC),
		},
		Previous: &webhook.Record{
			Fields: map[string]any{
				"company": "Apple", "country": "nl", "email": "bob@example.com", "First name": "Bob", "age": 30, "score": 61, "newsletter": "subscribed",
				"phone": "+31 6 1234 5678", "status": "lead", "notes": "Called", "tags": []any{"trade fair"},
			},
			Interests: []string{"mac"},
		},
	}
	ev := evaluator(t)
	for name, source := range map[string]string{
		"a field has a value":            "newsletter == 'unsubscribed'",
		"a field has one of some values": "['nl', 'be', 'lu'].includes(country)",
		"a field with a space":           "profile.fields['First name'] == 'Bob'",
		"a field is filled in":           "!!phone",
		"a field is missing or empty":    "!vat",
		"a field exists":                 "'vat' in profile.fields && !('fax' in profile.fields)",
		"a number in a range":            "age >= 18 && age < 65",
		"numbers that belong together":   "total - paid > 100",
		"a threshold was passed":         "score >= 80 && old.score < 80",
		"a transition":                   "old.status == 'lead' && status == 'customer'",
		"a field changed":                "changed.includes('email')",
		"one of some fields changed":     "changed.includes('phone') || changed.includes('email')",
		"only the spelling changed":      "old.email != email && old.email.toLowerCase() == email.toLowerCase()",
		"an interest":                    "profile.interests.mac && !profile.interests.windows",
		"an interest is new":             "profile.interests.ipad && !old.interests.ipad",
		"a tag in a list":                "tags.includes('vip') && !old.tags.includes('vip')",
		"a value in a map":               "address.city == 'Delft' && address.zip.startsWith('26')",
		"a value in a map, if there":     "profile.shipping?.city == undefined",
		"the domain of an address":       `/@example\.(com|org)$/i.test(email)`,
		"the same without a pattern":     "email.toLowerCase().split('@')[1] == 'example.com'",
		"a word in a text":               "notes.toLowerCase().includes('quote')",
		"a number in a text":             `Number(notes.match(/(\d+) licences/)?.[1]) >= 3`,
		"a date before another":          "renewal < '2027-01-01'",
		"an age in days":                 "Date.now() - Date.parse(lastOrder) > 90 * 24 * 3600 * 1000",
		"a date within a month":          "Date.parse(renewal) - Date.now() < 30 * 24 * 3600 * 1000",
		"created in a year":              "profile.created.slice(0, 4) == '2014'",
		"by the kind of change":          "action != 'delete' && trigger == 'import'",
		"an if":                          "country == 'nl' ? age >= 16 : age >= 18",
		"a fallback":                     "(profile.language ?? country) == 'nl'",
		"a large number, exactly":        "customerNumber == '9007199254740993'",
		"with a comment":                 "company == 'Apple' // the account of the month",
	} {
		t.Run(name, func(t *testing.T) {
			check(t, ev, e, []expect{{source, yes}})
		})
	}
}
