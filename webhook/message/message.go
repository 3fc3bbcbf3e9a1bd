// Package message turns an event into the bytes that receivers get: a JSON or
// an XML document, both of the same tree.
//
//	action, timestamp, event, sequence, database, collection, trigger,
//	profile, subprofile, parameters, old
//
// Trigger is left out when empty, subprofile when the change is one of a
// profile, and old unless the event is an update that says what was before. The
// same event always makes the same bytes, whether it comes from the host or
// from [webhook.DecodeEvent].
package message

import (
	"errors"
	"net/url"

	"github.com/ringback-dev/ringback/webhook"
)

// ErrTooLarge is returned for an event whose message would be larger than
// [webhook.MaxMessage]. Dispatch refuses an event that is too large for JSON;
// XML may need several times as much.
var ErrTooLarge = errors.New("message: larger than webhook.MaxMessage")

// Encode returns the message for a valid event in the format m; empty is
// webhook.MethodJSON.
//
// It returns ErrTooLarge, and an error that matches [webhook.ErrInvalid] for a
// method it does not know.
func Encode(m webhook.Method, e *webhook.Event) ([]byte, error) {
	var dst []byte
	switch m {
	case "", webhook.MethodJSON:
		dst = AppendJSON(make([]byte, 0, room(e, 256, 32)), e)
	case webhook.MethodXML:
		dst = AppendXML(make([]byte, 0, room(e, 512, 48)), e)
	default:
		return nil, webhook.Invalid("method", "is %q, use json or xml", m)
	}
	if len(dst) > webhook.MaxMessage {
		return nil, ErrTooLarge
	}
	return dst, nil
}

// room returns about how many bytes the message for an event takes whose values are
// short: those of the message without fields, and those of each field.
func room(e *webhook.Event, empty, perField int) int {
	fields := len(e.Profile.Fields) + len(e.Profile.Interests)
	for _, r := range []*webhook.Record{e.Subprofile, e.Previous} {
		if r != nil {
			fields += len(r.Fields) + len(r.Interests)
		}
	}
	return empty + perField*fields
}

// Request returns the body of the request that carries a message of format m,
// and its Content-Type. In webhook.EncodingForm the message becomes the one
// field, named after its format, of an application/x-www-form-urlencoded body;
// in any other encoding it is the body itself, not a copy. An empty method is
// webhook.MethodJSON.
func Request(m webhook.Method, enc webhook.Encoding, message []byte) (contentType string, body []byte) {
	if m == "" {
		m = webhook.MethodJSON
	}
	if enc == webhook.EncodingForm {
		return "application/x-www-form-urlencoded", []byte(string(m) + "=" + url.QueryEscape(string(message)))
	}
	return "application/" + string(m) + "; charset=utf-8", message
}
