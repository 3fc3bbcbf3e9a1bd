package httpapi

import (
	"net/url"
	"strings"

	"github.com/ringback-dev/ringback/webhook"
)

// properties are those that a message names, by name. A binding to nothing is "".
type properties map[string]string

// set adds a property of a kind that can be written.
func (p properties) set(name string, k kind, value string) error {
	switch {
	case k == location:
		value = plainURL(value)
	case k == boundTo && value == "0":
		value = ""
	case k == word && value == "":
		return webhook.Invalid(name, "is empty: give a value or leave it out")
	}
	p[name] = value
	return checkText(name, value)
}

// byHand is why a callback is disabled that its owner has disabled.
const byHand = "disabled over the API"

// apply changes what is named, but for the bindings, which never change, and the
// secret, which has a resource of its own.
func (p properties) apply(c *webhook.Callback) {
	assign(p, "url", &c.URL)
	assign(p, "expression", &c.Expression)
	assign(p, "when", &c.When)
	assign(p, "action", &c.Action)
	assign(p, "method", &c.Method)
	assign(p, "encoding", &c.Encoding)
	assign(p, "ordering", &c.Ordering)
	before := c.State
	if assign(p, "state", &c.State); c.State == before {
		return
	}
	c.Reason = ""
	if c.State == webhook.StateDisabled {
		c.Reason = byHand
	}
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
