package message_test

import (
	"bytes"
	"encoding/xml"
	"io"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/ringback-dev/ringback/webhook"
	"github.com/ringback-dev/ringback/webhook/message"
)

// TestNames: each field of the event has the name of its element as its value.
func TestNames(t *testing.T) {
	event := events()["names"]
	got := string(encode(t, webhook.MethodXML, &event))
	for name, element := range hardNames() {
		want := "<" + element.(string) + ">" + element.(string) + "</" + element.(string) + ">"
		if !strings.Contains(got, want) {
			t.Errorf("%q: no %s in\n%s", name, want, got)
		}
	}
}

// TestNamesOfAllCharacters maps every character of the Basic Multilingual Plane,
// and some beyond, in either position of a name: an escape stands where, and only
// where, encoding/xml would refuse the character itself, and can be undone.
func TestNamesOfAllCharacters(t *testing.T) {
	for _, prefix := range []string{"", "n"} {
		event := events()["empty"]
		event.Action = webhook.ActionDelete
		event.Profile.Fields = map[string]any{}
		for r := rune(0); r <= utf8.MaxRune; r++ {
			if utf8.ValidRune(r) {
				event.Profile.Fields[prefix+string(r)] = ""
			}
			if r > 0xFFFF {
				r += 0xFE
			}
		}
		d := xml.NewDecoder(bytes.NewReader(message.AppendXML(nil, &event)))
		seen := 0
		for {
			token, err := d.Token()
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			e, ok := token.(xml.StartElement)
			if !ok {
				continue
			}
			name := unmapName(e.Name.Local)
			if _, ok := event.Profile.Fields[name]; ok {
				seen++
			}
			if name != e.Name.Local && isName(name) {
				t.Errorf("%q is escaped without need: %s", name, e.Name.Local)
			}
		}
		if seen != len(event.Profile.Fields) {
			t.Errorf("%d of %d names came back", seen, len(event.Profile.Fields))
		}
	}
}

// isName reports whether encoding/xml takes the text as a name without a colon.
func isName(text string) bool {
	if strings.ContainsAny(text, ":!?/ \t\r\n>") {
		return false // read as something else
	}
	token, err := xml.NewDecoder(strings.NewReader("<" + text + "></" + text + ">")).Token()
	e, ok := token.(xml.StartElement)
	return err == nil && ok && e.Name.Local == text && len(e.Attr) == 0
}
