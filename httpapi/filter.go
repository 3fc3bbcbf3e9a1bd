package httpapi

import (
	"strings"
	"time"

	"github.com/ringback-dev/ringback/webhook"
)

// deliveryStates are what the state of a delivery may be.
var deliveryStates = []webhook.DeliveryState{
	webhook.DeliveryWaiting, webhook.DeliveryReady, webhook.DeliveryClaimed,
	webhook.DeliveryDelivered, webhook.DeliveryDead,
}

// parseFilters reads state, record, since and until out of a query and lets all else
// pass.
func parseFilters(query string) (webhook.DeliveryQuery, error) {
	var q webhook.DeliveryQuery
	for _, filter := range []struct {
		name  string
		apply func(text string) error
	}{
		{"state", func(text string) (err error) {
			q.State, err = parseState(text, deliveryStates)
			return err
		}},
		{"record", func(text string) error {
			q.Record = text
			return checkRecord(text)
		}},
		{"since", func(text string) (err error) {
			q.Since, err = parseTime("since", text)
			return err
		}},
		{"until", func(text string) (err error) {
			q.Until, err = parseTime("until", text)
			return err
		}},
	} {
		text, given, err := queryValue(query, filter.name)
		if err == nil && given {
			err = filter.apply(text)
		}
		if err != nil {
			return webhook.DeliveryQuery{}, err
		}
	}
	return q, nil
}

// parseState reads one of the states.
func parseState(text string, states []webhook.DeliveryState) (webhook.DeliveryState, error) {
	names := make([]string, len(states))
	for i, state := range states {
		if text == string(state) {
			return state, nil
		}
		names[i] = string(state)
	}
	last := len(names) - 1
	return "", webhook.Invalid("state", "must be %s or %s", strings.Join(names[:last], ", "), names[last])
}

// parseTime reads a bound for times that are kept to the millisecond, and rounds it up to
// one: what is from it on, or before it, stays the same. It never returns the zero time,
// which a store takes for no bound.
func parseTime(name, text string) (time.Time, error) {
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return time.Time{}, webhook.Invalid(name,
			"must be an RFC 3339 time such as 2026-11-23T10:33:00Z (in a query, and in a form, a + is written %%2B)")
	}
	at = at.Add(time.Millisecond - 1).Truncate(time.Millisecond)
	if at.IsZero() {
		at = at.Add(-time.Millisecond) // nothing is older than this either
	}
	return at, nil
}
