package httpapi

import (
	"encoding/json"
	"math"
	"net/url"
	"strconv"
	"strings"

	"github.com/ringback-dev/ringback/webhook"
)

const (
	defaultLimit = 100
	maxLimit     = 1000
)

// A window is the part of a listing that a query asks for.
type window struct {
	start, limit int
	total        bool
	// What the envelope echoes.
	startEcho json.Number
	limitEcho any
}

// parseWindow reads start, limit and total out of a query and lets all else pass.
func parseWindow(query string) (window, error) {
	w := window{startEcho: "0", limit: defaultLimit, limitEcho: defaultLimit, total: true}
	if text, given, err := queryValue(query, "start"); err != nil {
		return w, err
	} else if given {
		if !isWhole(text) {
			return w, webhook.Invalid("start", "must be a whole number from 0")
		}
		w.startEcho = json.Number(text)
		w.start, err = strconv.Atoi(text)
		if err != nil || w.start > math.MaxInt32 {
			w.start = math.MaxInt32 // beyond every end, and stores can add to it
		}
	}
	if text, given, err := queryValue(query, "limit"); err != nil {
		return w, err
	} else if given {
		w.limitEcho = text
		w.limit, err = strconv.Atoi(text)
		if err != nil || !isWhole(text) || w.limit < 1 || w.limit > maxLimit {
			return w, webhook.Invalid("limit", "must be a whole number from 1 to %d", maxLimit)
		}
	}
	text, _, err := queryValue(query, "total")
	w.total = text != "false"
	return w, err
}

// envelope returns the answer: the part that was asked for, and how many there are.
func (w window) envelope(data any, total int) envelope {
	e := envelope{Start: w.startEcho, Limit: w.limitEcho, Data: data}
	if w.total {
		e.Total = &total
	}
	return e
}

// queryValue returns the value of a key. Unlike url.ParseQuery it does not mind
// what the other pairs look like: they are none of our business.
func queryValue(query, name string) (value string, given bool, err error) {
	for pair := range strings.SplitSeq(query, "&") {
		key, text, _ := strings.Cut(pair, "=")
		if key, err := url.QueryUnescape(key); err != nil || key != name {
			continue
		}
		if given {
			return "", false, webhook.Invalid(name, "is given more than once")
		}
		given = true
		if value, err = url.QueryUnescape(text); err != nil {
			return "", false, webhook.Invalid(name, "is not properly percent-encoded")
		}
	}
	return value, given, nil
}

// isWhole reports whether text is a whole number from 0 as JSON writes it.
func isWhole(text string) bool {
	if text == "" || text[0] == '0' && text != "0" {
		return false
	}
	return strings.Trim(text, "0123456789") == ""
}
