package main

import (
	"errors"
	"net/http"
	"strconv"
	"strings"

	"github.com/ringback-dev/ringback/webhook"
)

// The headers by which a receiver that writes back says what made it do so: the event
// and the hops of the message that it got.
const (
	eventHeader = "Ringback-Event"
	hopsHeader  = "Ringback-Hops"
)

// causeOf returns the event that led to a request, nil where it names none. Errors match
// webhook.ErrInvalid and name the header.
func causeOf(h http.Header) (*webhook.Cause, error) {
	for _, name := range []string{eventHeader, hopsHeader} {
		if len(h.Values(name)) > 1 {
			return nil, webhook.Invalid(name, "is given more than once")
		}
	}
	if len(h.Values(eventHeader)) == 0 && len(h.Values(hopsHeader)) == 0 {
		return nil, nil
	}
	cause := &webhook.Cause{Event: h.Get(eventHeader)}
	if hops := h.Get(hopsHeader); hops != "" {
		var err error
		if cause.Hops, err = strconv.Atoi(hops); err != nil || strings.Trim(hops, "0123456789") != "" {
			return nil, webhook.Invalid(hopsHeader,
				"must be a whole number: it is the hops property of the message, 0 where that has none")
		}
	}
	// Dispatch checks it too, but does not hear of a change that makes no difference.
	probe := webhook.Event{
		Action: webhook.ActionDelete, Database: "1", Profile: webhook.Record{ID: "1"}, Cause: cause,
	}
	var invalid *webhook.InvalidError
	if err := probe.Validate(); errors.As(err, &invalid) {
		header := map[string]string{"cause.event": eventHeader, "cause.hops": hopsHeader}[invalid.Field]
		return nil, webhook.Invalid(header, "%s", invalid.Message)
	}
	return cause, nil
}
