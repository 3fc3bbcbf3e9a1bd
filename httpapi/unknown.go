package httpapi

import (
	"strings"

	"github.com/ringback-dev/ringback/webhook"
)

// unknownProperty returns the error for a property nobody knows. A mistyped
// expression must not mean "always".
func unknownProperty(name string) error {
	if meant := nearest(name); meant != "" {
		return webhook.Invalid(name, "is not a property of a callback: did you mean %s?", meant)
	}
	return webhook.Invalid(clip(name), "is not a property of a callback; those are %s",
		strings.Join(strings.Fields(textNames+" "+bindingNames), ", "))
}

// clip keeps a name that a client made up short.
func clip(name string) string {
	const most = 40
	if runes := []rune(name); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return name
}

// nearest returns the property that was probably meant, or "".
func nearest(name string) string {
	const longest, most = 20, 2
	if len(name) > longest {
		return ""
	}
	best, distance := "", most+1
	for _, known := range strings.Fields(textNames + " " + bindingNames + " " + readOnlyNames) {
		if strings.EqualFold(known, name) {
			return known
		}
		if d := editDistance(known, name); d < distance && 2*d < len(known) {
			best, distance = known, d
		}
	}
	return best
}

// editDistance counts the bytes to insert, delete or replace to get from a to b
// (Levenshtein's distance).
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			replaced := diagonal
			if a[i] != b[j] {
				replaced++
			}
			diagonal = row[j+1]
			row[j+1] = min(replaced, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
