package main_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
)

// A hostileCase is a source of package condition's catalogue, with what must become of
// it: "refused", a verdict, or the class of a failure.
type hostileCase struct {
	Source, Repeat, Suffix string
	Count                  int
	Event                  string // "", "text" or "lists": what the source is aimed at
	Want                   string
}

// registration returns the body that registers the source.
func (c *hostileCase) registration(t *testing.T, url string) string {
	return marshal(t, map[string]string{"url": url, "expression": c.Source + strings.Repeat(c.Repeat, c.Count) + c.Suffix})
}

// database returns the database that has the records which the source is aimed at.
func (c *hostileCase) database() string { return "hostile" + c.Event }

// readCatalogue returns the cases by their kind.
func readCatalogue(t *testing.T) map[string][]hostileCase {
	t.Helper()
	file, err := os.ReadFile("../../webhook/condition/testdata/hostile.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases map[string][]hostileCase
	if err := json.Unmarshal(file, &cases); err != nil {
		t.Fatal(err)
	}
	if len(cases) == 0 {
		t.Fatal("the catalogue is empty")
	}
	return cases
}

// hostileRecords returns records by database. Those of text and lists are about as
// large as a message may be; the first is large in everything, the others in one
// respect each.
func hostileRecords(t *testing.T) map[string][]string {
	repeat := strings.Repeat
	record := func(interests []string, fields map[string]any) string {
		fields["name"] = "Bob"
		return marshal(t, map[string]any{"fields": fields, "interests": interests})
	}
	texts := func(a, b, u, v, z, y, digits int) string {
		return record([]string{}, map[string]any{
			"a": repeat("a", a), "b": repeat("a", b) + "b",
			"u": repeat("€", u), "v": repeat("€", v) + "x",
			// The bytes of y's UTF-16 are everywhere in z, but never at an even place.
			"z": repeat("慢", z), "y": repeat("扡", y),
			"digits": repeat("1234567890", digits/10),
		})
	}
	lists := func(many, empties, texts, interests, width, depth int) string {
		deep := any("leaf")
		for range depth {
			deep = fill(width, deep)
		}
		return record(fill(interests, "x"), map[string]any{
			"many": fill(many, 1.5), "empties": fill(empties, []any{}), "texts": fill(texts, "t"), "deep": deep,
		})
	}
	small := map[string]any{"company": "Apple", "age": 30, "tags": []any{"a", "b"}, "missing2": nil}
	return map[string][]string{
		"hostile": {record([]string{"mac", "length", "2024", "join"}, small)},
		"hostiletext": {
			texts(120_000, 50_000, 40_000, 20_000, 20_000, 10_000, 50_000),
			texts(480_000, 10, 10, 10, 10, 10, 10),
			texts(300_000, 180_000, 10, 10, 10, 10, 10),
			texts(10, 10, 160_000, 10, 10, 10, 10),
			texts(10, 10, 100_000, 60_000, 10, 10, 10),
			texts(10, 10, 10, 10, 100_000, 60_000, 10),
			texts(10, 10, 10, 10, 10, 10, 480_000),
		},
		"hostilelists": {
			lists(25_000, 25_000, 25_000, 25_000, 2, 12),
			lists(120_000, 1, 1, 1, 1, 12),
			lists(1, 160_000, 1, 1, 1, 12),
			lists(1, 1, 120_000, 1, 1, 12),
			lists(1, 1, 1, 120_000, 1, 12),
			lists(1, 1, 1, 1, 3, 10),
		},
	}
}

// fill returns a list of n equal items.
func fill[T any](n int, item T) []T {
	list := make([]T, n)
	for i := range list {
		list[i] = item
	}
	return list
}
