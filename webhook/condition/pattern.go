package condition

import (
	"io"
	"regexp"
	"regexp/syntax"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/dop251/goja"
	"github.com/dop251/goja/parser"
)

// A pattern is a regular expression literal, compiled for Go's engine, which takes
// time in proportion to the text. It is immutable and shared by all runtimes.
type pattern struct {
	source, flags string
	unicode       bool // by code points rather than UTF-16 units
	lines         bool // lines end at \r, U+2028 and U+2029 too
	compiled      *regexp.Regexp
	size          int // instructions: what each character of the text may cost
}

// namesLineEnd finds, in a pattern, what may stand for one kind of line end.
var namesLineEnd = regexp.MustCompile(`[\x{2028}\x{2029}]|\\[rnuxc]`)

// maxPatternText bounds the text of all patterns of a condition together. A few
// bytes of a class such as [!-ￗ] with flag i take Go a millisecond to compile.
const maxPatternText = 512

// compilePattern translates a literal; most bounds its size in instructions.
// The error text says what to do.
func compilePattern(source, flags string, most int) (*pattern, string) {
	p := &pattern{source: source, flags: flags}
	mode := ""
	for _, flag := range flags {
		switch flag {
		case 'i', 'm', 's':
			mode += string(flag)
		case 'u':
			p.unicode = true
		default:
			return nil, "the flag " + string(flag) + " is not available here: use i, m, s or u"
		}
		if strings.Count(flags, string(flag)) > 1 {
			return nil, "the flag " + string(flag) + " is given twice"
		}
	}
	if message := unsupported(source, p.unicode); message != "" {
		return nil, message
	}
	// With flag m Go's lines end at \n alone, so the others are read as \n; not by a
	// pattern that tells them apart.
	p.lines = strings.Contains(mode, "m") && !namesLineEnd.MatchString(source)
	translated, err := parser.TransformRegExp(source, strings.Contains(mode, "s"), p.unicode)
	if err != nil {
		if _, lacks := err.(parser.RegexpErrorIncompatible); lacks {
			return nil, "look-around, back-references, and \\S in a class are not available here: join simpler tests by && and ||"
		}
		return nil, "this regular expression is not valid: " + clip(err.Error(), 80)
	}
	translated = "(?" + mode + ":" + translated + ")"
	tree, err := syntax.Parse(translated, syntax.Perl)
	if err != nil {
		return nil, "this regular expression is not valid: " + clip(err.Error(), 80)
	}
	if weight(tree) > most {
		return nil, "this regular expression is too large: make it shorter, or its counts smaller"
	}
	if p.compiled, err = regexp.Compile(translated); err != nil {
		return nil, "this regular expression is not valid: " + clip(err.Error(), 80)
	}
	p.size = weight(tree)
	return p, ""
}

// unsupported finds what the translation to Go's syntax would get wrong.
func unsupported(source string, unicode bool) string {
	class := false
	for i := 0; i+1 < len(source); i++ {
		switch source[i] {
		case '[':
			if class && source[i+1] == ':' {
				return "a class such as [[:alpha:]] is not available here: name the characters, or write \\[ for a bracket"
			}
			class = true
		case ']':
			class = false
		}
		if source[i] != '\\' {
			continue
		}
		i++
		switch rest := source[i:]; {
		case rest[0] == 'p' || rest[0] == 'P':
			return "classes by Unicode property (\\p) are not available here: name the characters, as in [a-zà-ÿ]"
		case len(rest) > 2 && rest[0] == 'u' && rest[1]|0x20 == 'd' && strings.IndexByte("89abcdefABCDEF", rest[2]) >= 0:
			return "halves of surrogate pairs are not available here: write the character itself, with flag u"
		}
	}
	if !unicode {
		for _, r := range source {
			if r > 0xffff {
				return "this regular expression needs the flag u, for the character " + string(r)
			}
		}
	}
	return ""
}

// weight estimates the instructions of a program before it is built: counted
// repetition is written out.
func weight(re *syntax.Regexp) int {
	const enough = 1 << 20
	sum := 1
	if re.Op == syntax.OpLiteral {
		sum = len(re.Rune)
	}
	for _, sub := range re.Sub {
		sum = min(sum+weight(sub), enough)
	}
	if re.Op == syntax.OpRepeat {
		sum = min(sum*max(re.Min, re.Max, 1), enough)
	}
	return sum
}

// directWork bounds size × length for a match that can't be stopped: a few
// milliseconds at most.
const directWork = 1 << 19

// find returns the first match as pairs of UTF-16 positions, nil when there is
// none. It stops with the evaluation.
func (p *pattern) find(r *realm, text goja.String) []int {
	if length := text.Length(); length*p.size <= directWork {
		if s := text.String(); len(s) == length { // ASCII: bytes are units
			if p.lines {
				s = strings.ReplaceAll(s, "\r", "\n")
			}
			return p.compiled.FindStringSubmatchIndex(s)
		}
	}
	units := &unitReader{text: text, length: text.Length(), pairs: p.unicode, lines: p.lines, stopped: r.expired, every: max(1, directWork/p.size)}
	found := p.compiled.FindReaderSubmatchIndex(units)
	if units.aborted {
		r.expire()
	}
	return found
}

// A unitReader reads a JavaScript string for a pattern, and pretends that it ends
// when the evaluation has expired.
type unitReader struct {
	text    goja.String
	pos     int
	length  int
	pairs   bool
	lines   bool
	stopped func() bool
	every   int
	aborted bool
}

// ReadRune returns a code point, or a UTF-16 unit; the size is counted in units.
func (u *unitReader) ReadRune() (rune, int, error) {
	if u.pos%u.every == 0 && u.stopped() {
		u.aborted = true
	}
	if u.aborted || u.pos >= u.length {
		return 0, 0, io.EOF
	}
	first := rune(u.text.CharAt(u.pos))
	u.pos++
	if u.lines && (first == '\r' || first == '\u2028' || first == '\u2029') {
		return '\n', 1, nil
	}
	if u.pairs && u.pos < u.length && utf16.IsSurrogate(first) {
		if r := utf16.DecodeRune(first, rune(u.text.CharAt(u.pos))); r != utf8.RuneError {
			u.pos++
			return r, 2, nil
		}
	}
	return first, 1, nil
}
