package condition

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// number passes over anything that begins like a number; the parser is exact.
func (l *lexer) number() {
	start := l.pos
	for l.pos < len(l.src) {
		c := l.src[l.pos]
		sign := (c == '+' || c == '-') && (l.src[l.pos-1]|0x20) == 'e' && !strings.HasPrefix(strings.ToLower(l.src[start:]), "0x")
		if !digit(c) && c != '.' && !sign && !asciiLetter(c) && c != '_' {
			break
		}
		l.pos++
	}
	l.operand, l.dot = true, false
}

// quoted passes over a string literal.
func (l *lexer) quoted(quote byte) *refusal {
	start := l.pos
	for l.pos++; l.pos < len(l.src); l.pos++ {
		switch c := l.src[l.pos]; c {
		case quote:
			l.pos++
			l.operand, l.dot = true, false
			return nil
		case '\\':
			l.pos++
			if strings.HasPrefix(l.src[l.pos:], "\r\n") {
				l.pos++
			}
		case '\n', '\r':
			return refuse(start, "this string is not closed on its line: end it with %c", quote)
		}
	}
	return refuse(start, "this string is not closed: end it with %c", quote)
}

// pattern passes over a regular expression literal with its flags.
func (l *lexer) pattern() *refusal {
	start, class := l.pos, false
	for l.pos++; l.pos < len(l.src); l.pos++ {
		r, _ := utf8.DecodeRuneInString(l.src[l.pos:])
		switch {
		case lineTerminator(r):
			return refuse(start, "this regular expression is not closed on its line: end it with /")
		case r == '\\':
			l.pos++
			if r, _ := utf8.DecodeRuneInString(l.src[min(l.pos, len(l.src)):]); lineTerminator(r) {
				return refuse(start, "this regular expression is not closed on its line: end it with /")
			}
		case r == '[':
			class = true
		case r == ']':
			class = false
		case r == '/' && !class:
			for l.pos++; l.pos < len(l.src) && namePart(l.src[l.pos:]); l.pos++ {
			}
			l.operand, l.dot = true, false
			return nil
		}
	}
	return refuse(start, "this regular expression is not closed: end it with /")
}

func digit(c byte) bool { return '0' <= c && c <= '9' }

func asciiLetter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }

func nameStart(s string) bool {
	r, _ := utf8.DecodeRuneInString(s)
	return r == '$' || r == '_' || unicode.IsLetter(r) || unicode.Is(unicode.Nl, r)
}

func namePart(s string) bool {
	r, _ := utf8.DecodeRuneInString(s)
	return nameStart(s) || unicode.IsDigit(r) || unicode.In(r, unicode.Mn, unicode.Mc, unicode.Pc) ||
		r == '\u200c' || r == '\u200d'
}
