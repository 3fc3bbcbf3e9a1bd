package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"unicode/utf8"

	"github.com/ringback-dev/ringback/webhook"
)

// maxBody is the largest request body, in bytes.
const maxBody = 1 << 20

// readChange reads what a request asks of a record: a JSON object with fields (an
// object) and interests (a list of strings), both optional. Errors match
// webhook.ErrInvalid and name the property, or are an *http.MaxBytesError.
func readChange(w http.ResponseWriter, r *http.Request) (change, error) {
	cause, err := causeOf(r.Header)
	if err != nil {
		return change{}, err
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return change{}, err
	case err != nil:
		return change{}, webhook.Invalid("", "the body ends early")
	}
	if !utf8.Valid(body) {
		return change{}, webhook.Invalid("", "the body is not valid UTF-8") // Decode would mend it in silence
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber() // floats would round large integers
	var decoded any
	if err := decoder.Decode(&decoded); err != nil {
		return change{}, webhook.Invalid("", "the body is not JSON: %v", err)
	}
	if _, err := decoder.Token(); err != io.EOF {
		return change{}, webhook.Invalid("", "the body goes on after its JSON object")
	}
	properties, ok := decoded.(map[string]any)
	if !ok {
		return change{}, webhook.Invalid("", `the body must be a JSON object such as {"fields":{},"interests":[]}`)
	}
	return newChange(cause, properties)
}

func newChange(cause *webhook.Cause, properties map[string]any) (change, error) {
	c := change{cause: cause}
	for name, value := range properties {
		var ok bool
		switch name {
		case "fields":
			if c.fields, ok = value.(map[string]any); !ok {
				return change{}, webhook.Invalid(name, "must be an object: names with values of any kind")
			}
		case "interests":
			if c.interests, ok = texts(value); !ok {
				return change{}, webhook.Invalid(name, "must be a list of strings")
			}
		default:
			return change{}, webhook.Invalid(name, "is not known here: give fields, interests or both")
		}
	}
	return c, nil
}

// texts returns a decoded JSON list as strings, never nil if ok.
func texts(value any) (list []string, ok bool) {
	items, ok := value.([]any)
	if !ok {
		return nil, false
	}
	list = make([]string, len(items))
	for i, item := range items {
		if list[i], ok = item.(string); !ok {
			return nil, false
		}
	}
	return list, true
}
