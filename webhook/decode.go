package webhook

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// A decoder reads events in exactly the form that EncodeEvent writes. That takes a
// fraction of the time of encoding/json, which is asked about whatever is not in this
// form: so the decoder refuses all that it has any doubt about, and what it accepts it
// decodes as encoding/json does.
type decoder struct {
	text    string
	at      int
	share   bool // texts may be parts of the whole one
	depth   int
	refused bool
}

// sharedText is up to how many bytes of an encoded event are kept as a whole, with its
// texts as parts of it. Of a larger one each text is copied: what is kept of an event
// may be its ID alone.
const sharedText = 2048

// decodeExact decodes an event. It is not ok where the form is not exactly that of
// EncodeEvent, which need not mean that it is wrong.
func decodeExact(encoded []byte) (e Event, ok bool) {
	if !utf8.Valid(encoded) {
		return Event{}, false
	}
	d := decoder{text: string(encoded), share: len(encoded) <= sharedText}
	d.event(&e)
	return e, !d.refused && d.at == len(d.text)
}

func (d *decoder) event(e *Event) {
	d.expect(`{"id":`)
	e.ID = d.string()
	d.expect(`,"action":`)
	e.Action = Action(d.string())
	d.expect(`,"database":`)
	e.Database = d.string()
	if d.skip(`,"collection":`) {
		e.Collection = d.string()
	}
	if d.skip(`,"cause":`) {
		e.Cause = d.cause()
	}
	if d.skip(`,"trigger":`) {
		e.Trigger = d.string()
	}
	d.expect(`,"time":`)
	e.Time = d.time()
	d.expect(`,"profile":`)
	d.record(&e.Profile)
	if d.skip(`,"subprofile":`) {
		e.Subprofile = new(Record)
		d.record(e.Subprofile)
	}
	if d.skip(`,"previous":`) {
		e.Previous = new(Record)
		d.record(e.Previous)
	}
	d.expect(`}`)
}

func (d *decoder) cause() *Cause {
	c := new(Cause)
	d.expect(`{"event":`)
	c.Event = d.string()
	d.expect(`,"hops":`)
	hops, err := strconv.Atoi(d.number())
	if err != nil {
		d.refuse()
	}
	c.Hops = hops
	d.expect(`}`)
	return c
}

func (d *decoder) record(r *Record) {
	d.expect(`{"id":`)
	r.ID = d.string()
	d.expect(`,"fields":`)
	r.Fields = d.object()
	d.expect(`,"interests":`)
	r.Interests = d.interests()
	if d.skip(`,"created":`) {
		r.Created = d.time()
	}
	if d.skip(`,"modified":`) {
		r.Modified = d.time()
	}
	d.expect(`}`)
}

func (d *decoder) interests() []string {
	interests := []string{}
	d.expect(`[`)
	if d.skip(`]`) {
		return interests
	}
	for {
		interests = append(interests, d.string())
		if !d.skip(`,`) {
			d.expect(`]`)
			return interests
		}
	}
}

func (d *decoder) object() map[string]any {
	d.expect(`{`)
	if d.skip(`}`) {
		return map[string]any{}
	}
	var buf [16]member // a map that is made in its size costs less than one that grows
	members := buf[:0]
	for {
		name := d.string()
		d.expect(`:`)
		members = append(members, member{name, d.value()})
		if !d.skip(`,`) {
			break
		}
	}
	d.expect(`}`)
	object := make(map[string]any, len(members))
	for i := range members {
		object[members[i].name] = members[i].value // the last of a name counts
	}
	return object
}

func (d *decoder) list() []any {
	list := []any{}
	d.expect(`[`)
	if d.skip(`]`) {
		return list
	}
	for {
		list = append(list, d.value())
		if !d.skip(`,`) {
			d.expect(`]`)
			return list
		}
	}
}

func (d *decoder) value() any {
	switch d.next() {
	case '"':
		return d.string()
	case '{', '[':
		return d.nested()
	case 't':
		d.expect(`true`)
		return true
	case 'f':
		d.expect(`false`)
		return false
	case 'n':
		d.expect(`null`)
		return nil
	}
	return json.Number(d.own(d.number()))
}

// nested decodes a map or a list, if it is not deeper than a valid event has them.
func (d *decoder) nested() (value any) {
	if d.depth++; d.depth > MaxDepth {
		d.refuse()
		return nil
	}
	if d.next() == '{' {
		value = d.object()
	} else {
		value = d.list()
	}
	d.depth--
	return value
}

// number returns a number as it is written.
func (d *decoder) number() string {
	start := d.at
	for d.at < len(d.text) && strings.IndexByte("+-.0123456789Ee", d.text[d.at]) >= 0 {
		d.at++
	}
	number := d.text[start:d.at]
	if !validNumber(number) {
		d.refuse()
	}
	return number
}

// time decodes as time.Time does from JSON.
func (d *decoder) time() (t time.Time) {
	text, escaped := d.quoted()
	if escaped || t.UnmarshalText([]byte(text)) != nil {
		d.refuse()
	}
	return t
}

// string decodes a string.
func (d *decoder) string() string {
	text, escaped := d.quoted()
	if !escaped {
		return d.own(text)
	}
	return d.unescape(text)
}

// own returns a part of the whole text in a form that may be kept.
func (d *decoder) own(part string) string {
	if d.share {
		return part
	}
	return strings.Clone(part)
}

// quoted returns what stands between quotes, and whether there are escapes in it.
func (d *decoder) quoted() (text string, escaped bool) {
	d.expect(`"`)
	start := d.at
	for d.at < len(d.text) {
		switch c := d.text[d.at]; {
		case plain[c] || c >= utf8.RuneSelf: // the whole text is UTF-8
			d.at++
		case c == '"':
			d.at++
			return d.text[start : d.at-1], escaped
		case c == '\\' && d.at+1 < len(d.text):
			escaped = true
			d.at += 2
		default:
			d.refuse()
		}
	}
	d.refuse()
	return "", false
}

// unescape undoes the escapes that AppendJSONString makes.
func (d *decoder) unescape(s string) string {
	text := make([]byte, 0, len(s))
	for {
		i := strings.IndexByte(s, '\\')
		if i < 0 {
			return string(append(text, s...))
		}
		text = append(text, s[:i]...)
		s = s[i+1:]
		switch c := s[0]; c {
		case '"', '\\':
			text = append(text, c)
		case 'n':
			text = append(text, '\n')
		case 'r':
			text = append(text, '\r')
		case 't':
			text = append(text, '\t')
		case 'u':
			if len(s) < 5 {
				d.refuse()
				return ""
			}
			r, err := strconv.ParseUint(s[1:5], 16, 16)
			if err != nil || !utf8.ValidRune(rune(r)) { // half of a surrogate pair
				d.refuse()
				return ""
			}
			text = utf8.AppendRune(text, rune(r))
			s = s[4:]
		default:
			d.refuse()
			return ""
		}
		s = s[1:]
	}
}

// next returns the next byte, 0 at the end.
func (d *decoder) next() byte {
	if d.at < len(d.text) {
		return d.text[d.at]
	}
	return 0
}

// skip passes over what comes next if it is s.
func (d *decoder) skip(s string) bool {
	if strings.HasPrefix(d.text[d.at:], s) {
		d.at += len(s)
		return true
	}
	return false
}

// expect passes over s.
func (d *decoder) expect(s string) {
	if !d.skip(s) {
		d.refuse()
	}
}

// refuse ends the decoding: from here on nothing is as it is expected.
func (d *decoder) refuse() {
	d.refused = true
	d.at = len(d.text)
}
