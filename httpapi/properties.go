package httpapi

import (
	"net/url"
	"slices"
	"strings"

	"github.com/ringback-dev/ringback/webhook"
)

// Names of the properties of a callback on the wire. Those that are read-only may
// be sent, since answers have them, and are ignored.
const (
	textNames     = "url expression when action method encoding secret"
	bindingNames  = "collection database"
	readOnlyNames = "ID created updated expression_failures expression_error expression_error_event expression_error_time"
)

// A kind is what a property may hold.
type kind int

const (
	unknown  kind = iota
	text          // a string
	boundTo       // an ID as string or number; 0 and "" mean none
	readOnly      // anything
)

func kindOf(name string) kind {
	switch {
	case slices.Contains(strings.Fields(textNames), name):
		return text
	case slices.Contains(strings.Fields(bindingNames), name):
		return boundTo
	case slices.Contains(strings.Fields(readOnlyNames), name):
		return readOnly
	}
	return unknown
}

// properties are those that a message names, by name. A binding to nothing is "".
type properties map[string]string

// set adds a property of a kind that can be written.
func (p properties) set(name, value string) error {
	switch name {
	case "url":
		value = plainURL(value)
	case "database", "collection":
		if value == "0" {
			value = ""
		}
	case "when", "action", "method", "encoding":
		if value == "" {
			return webhook.Invalid(name, "is empty: give a value or leave it out")
		}
	}
	p[name] = value
	return checkText(name, value)
}

// apply changes what is named, but for the bindings, which never change, and the
// secret, which has a resource of its own.
func (p properties) apply(c *webhook.Callback) {
	assign(p, "url", &c.URL)
	assign(p, "expression", &c.Expression)
	assign(p, "when", &c.When)
	assign(p, "action", &c.Action)
	assign(p, "method", &c.Method)
	assign(p, "encoding", &c.Encoding)
}

func assign[T ~string](p properties, name string, to *T) {
	if value, ok := p[name]; ok {
		*to = T(value)
	}
}

// plainURL undoes the encoding of a URL that is percent-encoded as a whole, which
// it then shows by its colon. A plus sign stays one: it stands for a space in
// queries only, and there it still does afterwards.
func plainURL(raw string) string {
	lower := strings.ToLower(raw)
	if strings.Contains(raw, "://") || !strings.HasPrefix(lower, "http%3a") && !strings.HasPrefix(lower, "https%3a") {
		return raw
	}
	plain, err := url.PathUnescape(raw)
	if err != nil {
		return raw
	}
	if lower = strings.ToLower(plain); !strings.HasPrefix(lower, "http://") && !strings.HasPrefix(lower, "https://") {
		return raw
	}
	return plain
}
