package httpapi

import (
	"strings"

	"github.com/ringback-dev/ringback/webhook"
)

// A kind is what a property may hold.
type kind int

const (
	unknown    kind = iota
	text            // a string
	word            // a string that is not empty
	location        // a URL, plain or percent-encoded as a whole
	boundTo         // an ID as string or number; 0 and "" mean none
	identifier      // an ID as string or number
	readOnly        // anything
)

// A property is a name that a body may have.
type property struct {
	name string
	kind kind
}

// A schema is all that a body may name. What is read-only may be sent, since answers
// have it, and is ignored.
type schema struct {
	subject    string
	properties []property
}

var callbackSchema = schema{"callback", []property{
	{"url", location},
	{"expression", text},
	{"when", word},
	{"action", word},
	{"method", word},
	{"encoding", word},
	{"ordering", word},
	{"state", word},
	{"secret", text},
	{"collection", boundTo},
	{"database", boundTo},
	{"ID", readOnly},
	{"reason", readOnly},
	{"created", readOnly},
	{"updated", readOnly},
	{"successes", readOnly},
	{"consecutive_failures", readOnly},
	{"failing_since", readOnly},
	{"paused_until", readOnly},
	{"expression_failures", readOnly},
	{"expression_error", readOnly},
	{"expression_error_event", readOnly},
	{"expression_error_time", readOnly},
}}

var replaySchema = schema{"replay", []property{
	{"since", text},
	{"state", word},
}}

// emptySchema is that of a request which needs no body.
var emptySchema = schema{subject: "replay"}

var purgeSchema = schema{"purge", []property{
	{"database", boundTo},
	{"collection", boundTo},
	{"record", identifier},
}}

func (s schema) kindOf(name string) kind {
	for _, p := range s.properties {
		if p.name == name {
			return p.kind
		}
	}
	return unknown
}

// unknownProperty returns the error for a property nobody knows. A mistyped
// expression must not mean "always".
func (s schema) unknownProperty(name string) error {
	if meant := s.nearest(name); meant != "" {
		return webhook.Invalid(name, "is not a property of a %s: did you mean %s?", s.subject, meant)
	}
	var writable []string
	for _, p := range s.properties {
		if p.kind != readOnly {
			writable = append(writable, p.name)
		}
	}
	if len(writable) == 0 {
		return webhook.Invalid(clip(name), "is not known here: leave the body empty")
	}
	return webhook.Invalid(clip(name), "is not a property of a %s; those are %s",
		s.subject, strings.Join(writable, ", "))
}

// clip keeps a name that a client made up short, and a secret out of it: a value whose name
// or = was forgotten, say, is taken for a name.
func clip(name string) string {
	if before, _, found := strings.Cut(name, "whsec_"); found {
		name = before + "whsec_…"
	}
	return clipTo(40, name)
}

// clipTo returns what a text begins with, where it has more characters than most.
func clipTo(most int, text string) string {
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return text
}

// nearest returns the property that was probably meant, or "".
func (s schema) nearest(name string) string {
	const longest, most = 20, 2
	if len(name) > longest {
		return ""
	}
	best, distance := "", most+1
	for _, known := range s.properties {
		if strings.EqualFold(known.name, name) {
			return known.name
		}
		if d := editDistance(known.name, name); d < distance && 2*d < len(known.name) {
			best, distance = known.name, d
		}
	}
	return best
}
