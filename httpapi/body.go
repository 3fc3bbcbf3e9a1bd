package httpapi

import (
	"bytes"
	"errors"
	"io"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"slices"

	"github.com/ringback-dev/ringback/webhook"
)

// maxBody is the largest size of a request's body, in bytes.
const maxBody = 64 << 10

// The types that a body may have.
const (
	typeJSON = "application/json"
	typeForm = "application/x-www-form-urlencoded"
)

// read returns the properties that the request's body names.
func (s schema) read(r *http.Request) (properties, error) {
	given, err := s.readOptional(r)
	if err == nil && given == nil {
		err = webhook.Invalid("", "the body is empty: name the properties of the %s", s.subject)
	}
	return given, err
}

// readOptional returns nil for a request without a body; its length alone does not
// tell, nor does its type. It does not use r.PostForm, which lacks the pairs that are
// malformed: without its expression a callback would fire always.
func (s schema) readOptional(r *http.Request) (properties, error) {
	body, err := io.ReadAll(r.Body)
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return nil, err
	case err != nil:
		return nil, webhook.Invalid("", "the body ends early")
	case len(bytes.TrimSpace(body)) == 0:
		return nil, nil
	}
	switch contentType, err := mediaType(r.Header); {
	case err != nil:
		return nil, err
	case contentType == typeJSON:
		return s.fromJSON(body)
	case contentType == typeForm:
		form, err := url.ParseQuery(string(body))
		if err != nil {
			return nil, webhook.Invalid("", "the form is not properly encoded")
		}
		return s.fromForm(form)
	}
	return nil, errContentType
}

// mediaType returns the type of the body, "" where the request does not say.
// Parameters are ignored: the text is UTF-8 whatever they claim (RFC 8259, 8.1).
func mediaType(h http.Header) (string, error) {
	given := h.Values("Content-Type")
	if len(given) == 0 {
		return "", nil
	}
	contentType, _, err := mime.ParseMediaType(given[0])
	if err != nil && !errors.Is(err, mime.ErrInvalidMediaParameter) || len(given) > 1 {
		return "", errContentType
	}
	if contentType != typeJSON && contentType != typeForm {
		return "", errContentType
	}
	return contentType, nil
}

// fromForm returns the properties of a form.
func (s schema) fromForm(form url.Values) (properties, error) {
	given := make(properties)
	for _, name := range slices.Sorted(maps.Keys(form)) { // so that the same form gives the same error
		switch k := s.kindOf(name); {
		case k == unknown:
			return nil, s.unknownProperty(name)
		case len(form[name]) != 1:
			return nil, webhook.Invalid(name, "is given more than once")
		case k != readOnly:
			if err := given.set(name, k, form[name][0]); err != nil {
				return nil, err
			}
		}
	}
	return given, nil
}
