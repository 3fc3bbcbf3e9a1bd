package condition

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// A lexer looks at a source before the parser does, to keep from the parser what
// would make it run for ever or overflow: nesting, and everything that functions are
// written with. It knows strings, regular expressions and comments, so that it
// doesn't refuse text that merely looks dangerous inside of these.
//
// It is exact for whatever is an expression in the end. Where it is in doubt it
// refuses: braces, which could hide what a slash means, never get through.
type lexer struct {
	src     string
	pos     int
	depth   int
	most    int  // of depth
	operand bool // the last token ends an operand: a slash divides
	dot     bool // the last token is a dot: a name is a property
	ended   bool // a semicolon was passed
}

// lex checks a source; at most depth brackets may be open at a time.
func lex(source string, depth int) *refusal {
	l := lexer{src: source, most: depth}
	for {
		if r := l.skipSpace(); r != nil {
			return r
		}
		if l.pos >= len(l.src) {
			return nil
		}
		if l.ended {
			return refuse(l.pos, "a condition is one expression: nothing may follow the semicolon; join conditions by && or ||")
		}
		if r := l.token(); r != nil {
			return r
		}
	}
}

// peek returns the byte at the given distance, 0 at the end.
func (l *lexer) peek(distance int) byte {
	if i := l.pos + distance; i < len(l.src) {
		return l.src[i]
	}
	return 0
}

// skipSpace passes over white space and comments.
func (l *lexer) skipSpace() *refusal {
	for l.pos < len(l.src) {
		rest := l.src[l.pos:]
		switch {
		case strings.HasPrefix(rest, "//"):
			end := strings.IndexFunc(rest, lineTerminator)
			if end < 0 {
				end = len(rest)
			}
			l.pos += end
		case strings.HasPrefix(rest, "/*"):
			end := strings.Index(rest[2:], "*/")
			if end < 0 {
				return refuse(l.pos, "this comment is not closed: end it with */")
			}
			l.pos += end + 4
		default:
			r, size := utf8.DecodeRuneInString(rest)
			if !unicode.IsSpace(r) && r != '\ufeff' {
				return nil
			}
			l.pos += size
		}
	}
	return nil
}

func lineTerminator(r rune) bool {
	return r == '\n' || r == '\r' || r == '\u2028' || r == '\u2029'
}

// token passes over one token.
func (l *lexer) token() *refusal {
	c := l.src[l.pos]
	switch {
	case nameStart(l.src[l.pos:]):
		return l.name()
	case digit(c), c == '.' && digit(l.peek(1)):
		l.number()
		return nil
	case c == '"' || c == '\'':
		return l.quoted(c)
	case c == '/' && !l.operand:
		return l.pattern()
	}
	return l.punctuation(c)
}

// punctuation passes over an operator, bracket or separator, or a part of one.
func (l *lexer) punctuation(c byte) *refusal {
	start, wasOperand := l.pos, l.operand
	rest := l.src[start:]
	for _, p := range refusedPunctuation {
		if strings.HasPrefix(rest, p.text) {
			return refuse(start, "%s", p.message)
		}
	}
	l.pos++
	l.operand, l.dot = false, false
	switch c {
	case '(', '[':
		if l.depth++; l.depth > l.most {
			return refuse(start, "brackets are nested more than %d deep", l.most)
		}
	case ')', ']':
		if l.depth--; l.depth < 0 {
			return refuse(start, "this %c closes nothing", c)
		}
		l.operand = true
	case '.':
		l.dot = true
	case '?':
		if l.peek(0) == '.' && !digit(l.peek(1)) {
			l.pos++
			l.dot = true
		}
	case ';':
		if !wasOperand {
			return refuse(start, "an expression is missing before this semicolon")
		}
		l.ended = true
	case ',', ':', '+', '-', '*', '/', '%', '<', '>', '=', '!', '&', '|', '^', '~':
	default:
		r, _ := utf8.DecodeRuneInString(rest)
		return refuse(start, "the character %q is not part of JavaScript here", r)
	}
	return nil
}

// name passes over an identifier or keyword.
func (l *lexer) name() *refusal {
	start := l.pos
	for l.pos < len(l.src) && namePart(l.src[l.pos:]) {
		_, size := utf8.DecodeRuneInString(l.src[l.pos:])
		l.pos += size
	}
	name, property := l.src[start:l.pos], l.dot
	l.dot, l.operand = false, true
	if property {
		return nil
	}
	if message, refused := refusedKeywords[name]; refused {
		if l.meansField() {
			message += "; a field of this name is profile." + name
		}
		return refuse(start, "%s", message)
	}
	switch name {
	case "typeof", "void", "in":
		l.operand = false
	}
	return nil
}

// meansField reports whether the keyword just passed seems to be meant as the name of
// a field: it is compared, or stands alone.
func (l *lexer) meansField() bool {
	rest := strings.TrimLeft(l.src[l.pos:], " \t\n\r")
	return rest == "" || strings.IndexByte("=!<>&|?.)],;+-*%", rest[0]) >= 0
}
