package condition

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/ringback-dev/ringback/webhook"
)

// A refusal is the first thing in a source that the gate doesn't let through.
type refusal struct {
	offset  int // in bytes
	message string
}

// refuse makes a refusal; its message goes on after "line 1, column 5: ".
func refuse(offset int, format string, args ...any) *refusal {
	return &refusal{offset, fmt.Sprintf(format, args...)}
}

// of returns the refusal as an error that the source's author can act on.
func (r *refusal) of(source string) error {
	line, column := position(source, r.offset)
	return webhook.Invalid("expression", "line %d, column %d: %s", line, column, r.message)
}

// position converts a byte offset to a line and a column, both from 1. A column is
// a character.
func position(source string, offset int) (line, column int) {
	offset = min(max(offset, 0), len(source))
	starts := lineStarts(source)
	line = len(starts)
	for starts[line-1] > offset {
		line--
	}
	return line, 1 + utf8.RuneCountInString(source[starts[line-1]:offset])
}

// lineStarts returns the offsets at which lines begin (ECMA-262, 12.3).
func lineStarts(source string) []int {
	starts := []int{0}
	for i, r := range source {
		if lineTerminator(r) && !(r == '\r' && i+1 < len(source) && source[i+1] == '\n') {
			starts = append(starts, i+utf8.RuneLen(r))
		}
	}
	return starts
}

// clip keeps text that is quoted in a message short.
func clip(s string, most int) string {
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}
