package message

import (
	"slices"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/ringback-dev/ringback/webhook"
)

// xmlHeader opens every document. The namespace is that of xsi:nil, which
// marks null.
const xmlHeader = `<?xml version="1.0" encoding="UTF-8"?>` + "\n" +
	`<callback xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">`

// AppendXML appends the message for a valid event as XML, of whatever size.
//
// Names of fields become names of elements as in SQL/XML (ISO 9075-14): "First
// name" is First_x0020_name. Characters that no XML 1.0 document may hold are
// replaced by U+FFFD.
func AppendXML(dst []byte, e *webhook.Event) []byte {
	dst = append(dst, xmlHeader...)
	dst = appendTextElement(dst, "action", string(e.Action))
	dst = appendTimeElement(dst, "timestamp", e.Time)
	dst = appendTextElement(dst, "event", e.ID)
	dst = append(dst, "<sequence>"...)
	dst = strconv.AppendInt(dst, e.Sequence, 10)
	dst = append(dst, "</sequence>"...)
	if e.Cause != nil {
		dst = append(dst, "<hops>"...)
		dst = strconv.AppendInt(dst, int64(e.Hops()), 10)
		dst = append(dst, "</hops>"...)
		dst = appendTextElement(dst, "cause", e.Cause.Event)
	}
	dst = appendTextElement(dst, "database", e.Database)
	if e.Collection == "" {
		dst = append(dst, "<collection>0</collection>"...)
	} else {
		dst = appendTextElement(dst, "collection", e.Collection)
	}
	if e.Trigger != "" {
		dst = appendTextElement(dst, "trigger", e.Trigger)
	}
	dst = append(dst, "<profile>"...)
	dst = appendRecordXML(dst, &e.Profile)
	dst = append(dst, "</profile>"...)
	if e.Subprofile != nil {
		dst = append(dst, "<subprofile>"...)
		dst = appendRecordXML(dst, e.Subprofile)
		dst = append(dst, "</subprofile>"...)
	}
	dst = append(dst, "<parameters>"...)
	dst = appendParametersXML(dst, e)
	dst = append(dst, "</parameters>"...)
	if old := replaced(e); old != nil {
		dst = append(dst, "<old>"...)
		dst = appendStateXML(dst, old)
		dst = append(dst, "</old>"...)
	}
	return append(dst, "</callback>"...)
}

func appendRecordXML(dst []byte, r *webhook.Record) []byte {
	dst = appendTextElement(dst, "ID", r.ID)
	dst = appendStateXML(dst, r)
	if !r.Created.IsZero() {
		dst = appendTimeElement(dst, "created", r.Created)
	}
	if !r.Modified.IsZero() {
		dst = appendTimeElement(dst, "modified", r.Modified)
	}
	return dst
}

// appendStateXML appends what both a record and "old" have.
func appendStateXML(dst []byte, r *webhook.Record) []byte {
	dst = append(dst, "<fields>"...)
	dst = appendMembers(dst, r.Fields)
	dst = append(dst, "</fields><interests>"...)
	for _, interest := range r.Interests {
		dst = appendTextElement(dst, "interest", interest)
	}
	return append(dst, "</interests>"...)
}

// appendMembers appends an element for each member of a map, in the order that
// JSON has too: that of the names, not of what the mapping makes of them.
func appendMembers(dst []byte, m map[string]any) []byte {
	var buf [manyFields]string
	names := buf[:0]
	if len(m) > len(buf) {
		names = make([]string, 0, len(m))
	}
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		dst = appendElement(dst, name, m[name])
	}
	return dst
}

// appendParametersXML appends the members of e.Parameters(), without making that map.
func appendParametersXML(dst []byte, e *webhook.Event) []byte {
	var buf [manyFields]string
	fields := e.Record().Fields
	for _, name := range e.AppendChanged(buf[:0]) {
		if value, ok := fields[name]; ok {
			dst = appendElement(dst, name, value)
		}
	}
	return dst
}

// appendTextElement appends a text as an element with a name that needs no mapping.
func appendTextElement(dst []byte, name, text string) []byte {
	dst = appendOpening(dst, name)
	dst = appendText(dst, text)
	return appendClosing(dst, name)
}

// appendTimeElement appends a time as an element with a name that needs no mapping.
func appendTimeElement(dst []byte, name string, t time.Time) []byte {
	dst = appendOpening(dst, name)
	dst = webhook.AppendTime(dst, t)
	return appendClosing(dst, name)
}

func appendOpening(dst []byte, name string) []byte {
	dst = append(dst, '<')
	dst = append(dst, name...)
	return append(dst, '>')
}

func appendClosing(dst []byte, name string) []byte {
	dst = append(dst, "</"...)
	dst = append(dst, name...)
	return append(dst, '>')
}

// appendElement appends a value as an element of the name.
func appendElement(dst []byte, name string, value any) []byte {
	dst = append(dst, '<')
	from := len(dst)
	dst = appendName(dst, name)
	to := len(dst)
	if value == nil {
		return append(dst, ` xsi:nil="true"/>`...)
	}
	dst = append(dst, '>')
	switch v := value.(type) {
	case string:
		dst = appendText(dst, v)
	case time.Time:
		dst = webhook.AppendTime(dst, v)
	case []any:
		for _, item := range v {
			dst = appendElement(dst, "item", item)
		}
	case map[string]any:
		dst = appendMembers(dst, v)
	default: // numbers and booleans
		dst = webhook.AppendJSON(dst, v)
	}
	dst = append(dst, "</"...)
	dst = append(dst, dst[from:to]...)
	return append(dst, '>')
}

// appendText appends the content of an element. A carriage return is written as
// a reference, since parsers turn a literal one into a line feed (XML 1.0, 2.11);
// > always is, so that ]]> can't come about (2.4). Other white space is kept as
// it is, which parsers have to pass on (2.10).
func appendText(dst []byte, s string) []byte {
	start := 0
	for i := 0; i < len(s); {
		var with string
		r, size := rune(s[i]), 1
		if r >= utf8.RuneSelf {
			r, size = utf8.DecodeRuneInString(s[i:])
		}
		switch {
		case r == '&':
			with = "&amp;"
		case r == '<':
			with = "&lt;"
		case r == '>':
			with = "&gt;"
		case r == '\r':
			with = "&#xD;"
		case !xmlChar(r) || r == utf8.RuneError && size == 1:
			with = "\uFFFD"
		default:
			i += size
			continue
		}
		dst = append(dst, s[start:i]...)
		dst = append(dst, with...)
		i += size
		start = i
	}
	return append(dst, s[start:]...)
}

// xmlChar reports whether a document may hold the character (XML 1.0, 2.2),
// given that it comes out of UTF-8 and so is no surrogate.
func xmlChar(r rune) bool {
	return r >= ' ' && r != 0xFFFE && r != 0xFFFF || r == '\t' || r == '\n' || r == '\r'
}
