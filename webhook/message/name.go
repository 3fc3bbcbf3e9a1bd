package message

import (
	"unicode"
	"unicode/utf8"
)

// appendName appends the name of a field as the name of an element, by the fully
// escaped mapping of SQL identifiers to XML names (ISO 9075-14, 9.1): what a name
// may not hold becomes _xHHHH_, or _xHHHHHH_ beyond the Basic Multilingual Plane;
// so do every colon, an underscore before an x (so that the mapping can be undone),
// and the first letter of a name that begins with xml, which XML reserves.
func appendName(dst []byte, name string) []byte {
	for i, r := range name {
		next := i + 1 // of interest behind ASCII only
		switch {
		case r == '_' && next < len(name) && name[next] == 'x',
			i == 0 && reserved(name),
			!nameRune(r, i == 0):
			dst = appendEscaped(dst, r)
		default:
			dst = utf8.AppendRune(dst, r)
		}
	}
	return dst
}

// appendEscaped appends the _xHHHH_ of a character.
func appendEscaped(dst []byte, r rune) []byte {
	const hex = "0123456789ABCDEF"
	digits := 4
	if r > 0xFFFF {
		digits = 6
	}
	dst = append(dst, "_x"...)
	for shift := 4 * (digits - 1); shift >= 0; shift -= 4 {
		dst = append(dst, hex[r>>shift&0xF])
	}
	return append(dst, '_')
}

// reserved reports whether the name begins with xml, in whatever case.
func reserved(name string) bool {
	return len(name) >= 3 && name[0]|0x20 == 'x' && name[1]|0x20 == 'm' && name[2]|0x20 == 'l'
}

// nameRune reports whether a name may hold the character, or begin with it. The
// colon is left to namespaces.
func nameRune(r rune, first bool) bool {
	if r < utf8.RuneSelf {
		return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || r == '_' ||
			!first && ('0' <= r && r <= '9' || r == '-' || r == '.')
	}
	return unicode.Is(nameStart, r) || !first && unicode.Is(nameRest, r)
}
