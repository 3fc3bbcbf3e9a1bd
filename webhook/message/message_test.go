package message_test

import (
	"bytes"
	"errors"
	"flag"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ringback-dev/ringback/webhook"
	"github.com/ringback-dev/ringback/webhook/message"
)

var update = flag.Bool("update", false, "write the golden files")

var methods = []webhook.Method{webhook.MethodJSON, webhook.MethodXML}

// TestGolden fixes the bytes of every kind of message. A file that changes is a
// change of the wire format.
func TestGolden(t *testing.T) {
	for name, event := range events() {
		for _, method := range methods {
			t.Run(name+"."+string(method), func(t *testing.T) {
				got := encode(t, method, &event)
				file := filepath.Join("testdata", name+"."+string(method))
				if *update {
					if err := os.WriteFile(file, got, 0o644); err != nil {
						t.Fatal(err)
					}
				}
				want, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				if !bytes.Equal(got, want) {
					t.Errorf("got\n%s\nwant\n%s", got, want)
				}
			})
		}
	}
}

// TestNoStrayGolden keeps the directory in step with the events.
func TestNoStrayGolden(t *testing.T) {
	all := events()
	for _, method := range methods {
		files, err := filepath.Glob(filepath.Join("testdata", "*."+string(method)))
		if err != nil {
			t.Fatal(err)
		}
		if len(files) != len(all) {
			t.Errorf("%d .%s files for %d events", len(files), method, len(all))
		}
	}
}

// TestStored: an event read back from a store makes the bytes that the host's
// own makes, and both make them again.
func TestStored(t *testing.T) {
	for name, event := range events() {
		t.Run(name, func(t *testing.T) { checkStored(t, event) })
	}
}

func checkStored(t *testing.T, event webhook.Event) {
	t.Helper()
	prepared, encoded, err := webhook.Prepare(event)
	if err != nil {
		t.Fatal(err)
	}
	stored, err := webhook.DecodeEvent(encoded)
	if err != nil {
		t.Fatal(err)
	}
	stored.Sequence = event.Sequence
	for _, method := range methods {
		want := encode(t, method, &event)
		for from, e := range map[string]*webhook.Event{"host": &event, "prepared": &prepared, "stored": &stored} {
			if got := encode(t, method, e); !bytes.Equal(got, want) {
				t.Errorf("%s from %s:\n%s\nwant\n%s", method, from, got, want)
			}
		}
	}
}

func TestAppendKeepsWhatIsThere(t *testing.T) {
	event := events()["update"]
	for method, appendTo := range map[webhook.Method]func([]byte, *webhook.Event) []byte{
		webhook.MethodJSON: message.AppendJSON,
		webhook.MethodXML:  message.AppendXML,
	} {
		want := "before" + string(encode(t, method, &event))
		if got := appendTo([]byte("before"), &event); string(got) != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

func TestEncodeRefuses(t *testing.T) {
	event := events()["update"]
	_, err := message.Encode("yaml", &event)
	var invalid *webhook.InvalidError
	if !errors.As(err, &invalid) || invalid.Field != "method" {
		t.Errorf("unknown method: got %v, want an InvalidError for method", err)
	}

	if _, err := message.Encode("", &event); err != nil {
		t.Errorf("empty method: %v", err)
	}
}

// TestEncodeLimit uses a delete, which has its fields in the message once.
func TestEncodeLimit(t *testing.T) {
	event := events()["delete"]
	for _, method := range methods {
		event.Profile.Fields = map[string]any{"f": ""}
		room := webhook.MaxMessage - len(encode(t, method, &event))
		event.Profile.Fields["f"] = strings.Repeat("a", room)
		if got := encode(t, method, &event); len(got) != webhook.MaxMessage {
			t.Fatalf("%s has %d bytes, the test wants %d", method, len(got), webhook.MaxMessage)
		}
		event.Profile.Fields["f"] = strings.Repeat("a", room+1)
		if got, err := message.Encode(method, &event); !errors.Is(err, message.ErrTooLarge) || got != nil {
			t.Errorf("%s: got %d bytes and %v, want ErrTooLarge", method, len(got), err)
		}
	}
}

// TestXMLOverLimit: what fits as JSON need not fit as XML.
func TestXMLOverLimit(t *testing.T) {
	event := events()["empty"]
	event.Profile.Fields = map[string]any{"list": make([]any, 100_000)}
	prepared, _, err := webhook.Prepare(event)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := message.Encode(webhook.MethodJSON, &prepared); err != nil {
		t.Errorf("JSON: %v", err)
	}
	if _, err := message.Encode(webhook.MethodXML, &prepared); !errors.Is(err, message.ErrTooLarge) {
		t.Errorf("XML: got %v, want ErrTooLarge", err)
	}
}

func TestRequest(t *testing.T) {
	tests := []struct {
		method   webhook.Method
		encoding webhook.Encoding
		want     string
		field    string
	}{
		{webhook.MethodJSON, webhook.EncodingBody, "application/json; charset=utf-8", ""},
		{webhook.MethodXML, webhook.EncodingBody, "application/xml; charset=utf-8", ""},
		{"", "", "application/json; charset=utf-8", ""},
		{webhook.MethodJSON, webhook.EncodingForm, "application/x-www-form-urlencoded", "json"},
		{webhook.MethodXML, webhook.EncodingForm, "application/x-www-form-urlencoded", "xml"},
		{"", webhook.EncodingForm, "application/x-www-form-urlencoded", "json"},
	}
	for _, test := range tests {
		msg := []byte(`{"a":"+ &=%;` + "\n\t" + `🙂<>"}`)
		contentType, body := message.Request(test.method, test.encoding, msg)
		if contentType != test.want {
			t.Errorf("%q, %q: Content-Type is %q, want %q", test.method, test.encoding, contentType, test.want)
		}
		if test.field == "" {
			if !bytes.Equal(body, msg) {
				t.Errorf("%q, %q: body is %q, want the message", test.method, test.encoding, body)
			}
			continue
		}
		form, err := url.ParseQuery(string(body))
		if err != nil || len(form) != 1 || form.Get(test.field) != string(msg) {
			t.Errorf("%q, %q: body %q reads as %v, %v", test.method, test.encoding, body, form, err)
		}
	}
}

// TestFormSize: a form has at most three bytes for each of the message, whatever that
// holds; senders reckon with it.
func TestFormSize(t *testing.T) {
	every := make([]byte, 256)
	for i := range every {
		every[i] = byte(i)
	}
	for name, msg := range map[string][]byte{
		"quotes":     bytes.Repeat([]byte(`"`), 1000),
		"spaces":     bytes.Repeat([]byte(" "), 1000),
		"letters":    bytes.Repeat([]byte("a"), 1000),
		"every byte": every,
	} {
		for _, method := range methods {
			_, form := message.Request(method, webhook.EncodingForm, msg)
			if most := len(method) + 1 + 3*len(msg); len(form) > most {
				t.Errorf("%s: %d bytes as a form, want at most %d", name, len(form), most)
			}
		}
	}
}

func encode(t testing.TB, method webhook.Method, e *webhook.Event) []byte {
	t.Helper()
	b, err := message.Encode(method, e)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
