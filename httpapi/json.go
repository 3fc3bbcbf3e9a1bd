package httpapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/ringback-dev/ringback/webhook"
)

// fromJSON returns the properties of a JSON document: the bare object, or the
// envelope around it.
func (s schema) fromJSON(body []byte) (properties, error) {
	var document json.RawMessage
	if err := json.Unmarshal(body, &document); err != nil {
		var syntax *json.SyntaxError
		if errors.As(err, &syntax) {
			return nil, webhook.Invalid("", "the body is not one JSON document: %s (at byte %d)", syntax, syntax.Offset)
		}
		return nil, webhook.Invalid("", "the body is not one JSON document")
	}
	object, err := members(document, "the body")
	if err != nil {
		return nil, err
	}
	if slices.ContainsFunc(object, func(m member) bool { return m.name == "data" }) {
		if object, err = s.open(object); err != nil {
			return nil, err
		}
	}
	given := make(properties)
	for _, m := range object {
		k := s.kindOf(m.name)
		if k == unknown {
			return nil, s.unknownProperty(m.name)
		}
		if k == readOnly {
			continue
		}
		value, err := m.text(k)
		if err != nil {
			return nil, err
		}
		if err := given.set(m.name, k, value); err != nil {
			return nil, err
		}
	}
	return given, nil
}

// open returns the only object in an envelope.
func (s schema) open(envelope []member) ([]member, error) {
	var data []json.RawMessage
	for _, m := range envelope {
		switch m.name {
		case "start", "limit", "total":
		case "data":
			if err := json.Unmarshal(m.value, &data); err != nil || len(data) != 1 {
				return nil, webhook.Invalid("data", "must be a list of exactly one %s", s.subject)
			}
		default:
			return nil, webhook.Invalid(clip(m.name),
				"does not belong beside data: the properties of the %s go into its only element", s.subject)
		}
	}
	return members(data[0], "the element of data")
}

// A member is a name and a value in an object.
type member struct {
	name  string
	value json.RawMessage
}

// members returns what an object holds, in its order. No name may come twice, so
// that nobody who reads the same bytes reads something else.
func members(object json.RawMessage, what string) ([]member, error) {
	d := json.NewDecoder(bytes.NewReader(object))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil, webhook.Invalid("", "%s must be a JSON object", what)
	}
	var all []member
	seen := make(map[string]bool)
	for d.More() {
		token, err := d.Token()
		name, ok := token.(string)
		var value json.RawMessage
		if err != nil || !ok || d.Decode(&value) != nil {
			return nil, webhook.Invalid("", "%s is not valid JSON", what)
		}
		if seen[name] {
			return nil, webhook.Invalid(clip(name), "is given more than once")
		}
		seen[name] = true
		all = append(all, member{name, value})
	}
	return all, nil
}

// text returns the value as a string. An ID may also be a number: a whole one,
// exact whatever its size.
func (m member) text(k kind) (string, error) {
	switch {
	case m.value[0] == '"':
		return unquote(m.name, m.value)
	case m.value[0] == 'n':
		return "", webhook.Invalid(m.name, "must not be null: leave it out instead")
	case k == boundTo || k == identifier:
		if number := string(m.value); strings.Trim(number, "0123456789") == "" {
			return number, nil
		}
		return "", webhook.Invalid(m.name, "must be a string or a whole number from 0, written with digits alone")
	}
	return "", webhook.Invalid(m.name, "must be a string")
}

// unquote decodes a string. Where encoding/json would put U+FFFD for what is no
// text, it returns an error: what is stored must be what was sent.
func unquote(name string, quoted json.RawMessage) (string, error) {
	if !utf8.Valid(quoted) {
		return "", webhook.Invalid(name, "is not valid UTF-8")
	}
	if hasLoneSurrogate(quoted) {
		return "", webhook.Invalid(name, `has half a surrogate pair (\ud800 to \udfff), which is no character`)
	}
	var s string
	if err := json.Unmarshal(quoted, &s); err != nil {
		return "", webhook.Invalid(name, "must be a string")
	}
	return s, nil
}

// hasLoneSurrogate reports whether a valid JSON string has an escaped surrogate
// without its other half.
func hasLoneSurrogate(quoted []byte) bool {
	for i := 0; i < len(quoted); i++ {
		if quoted[i] != '\\' {
			continue
		}
		first, ok := escapedUnit(quoted[i:])
		if !ok {
			i++ // the character that is escaped
			continue
		}
		i += 5
		if !utf16.IsSurrogate(first) {
			continue
		}
		second, ok := escapedUnit(quoted[i+1:])
		if !ok || utf16.DecodeRune(first, second) == utf8.RuneError {
			return true
		}
		i += 6
	}
	return false
}

// escapedUnit returns the UTF-16 unit that the text begins with, if that is \uXXXX.
func escapedUnit(text []byte) (unit rune, ok bool) {
	if len(text) < 6 || text[0] != '\\' || text[1] != 'u' {
		return 0, false
	}
	for _, c := range text[2:6] {
		digit := strings.IndexByte("0123456789abcdef", c|0x20)
		if digit < 0 {
			return 0, false
		}
		unit = unit<<4 | rune(digit)
	}
	return unit, true
}
