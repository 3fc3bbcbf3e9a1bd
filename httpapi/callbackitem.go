package httpapi

import (
	"time"

	"github.com/ringback-dev/ringback/webhook"
)

// An item is a callback on the wire.
type item struct {
	ID         string           `json:"ID"`
	URL        string           `json:"url"`
	Expression string           `json:"expression"`
	Method     webhook.Method   `json:"method"`
	Action     webhook.Action   `json:"action"`
	Collection binding          `json:"collection"`
	Database   binding          `json:"database"`
	Encoding   webhook.Encoding `json:"encoding"`
	When       webhook.When     `json:"when"`
	Ordering   webhook.Ordering `json:"ordering"`
	State      webhook.State    `json:"state"`
	Reason     string           `json:"reason"`
	Secret     string           `json:"secret,omitempty"` // in the answer to whoever sets it only
	Created    time.Time        `json:"created"`
	Updated    time.Time        `json:"updated"`

	// How the receiver has answered; the times are left out when it is not failing, and
	// when it is not paused.
	Successes           int64     `json:"successes"`
	ConsecutiveFailures int64     `json:"consecutive_failures"`
	FailingSince        time.Time `json:"failing_since,omitzero"`
	PausedUntil         time.Time `json:"paused_until,omitzero"`

	// How often the condition came to no answer; then the last time it did.
	ExpressionFailures   int64     `json:"expression_failures"`
	ExpressionError      string    `json:"expression_error"`
	ExpressionErrorEvent string    `json:"expression_error_event,omitempty"`
	ExpressionErrorTime  time.Time `json:"expression_error_time,omitzero"`
}

// A binding is the ID of a database or collection: a string, or the number 0
// where there is none.
type binding string

// MarshalJSON implements json.Marshaler.
func (b binding) MarshalJSON() ([]byte, error) {
	if b == "" {
		return []byte("0"), nil
	}
	return webhook.AppendJSONString(nil, string(b)), nil
}

func itemOf(c webhook.Callback) item {
	shown := item{
		ID:         c.ID,
		URL:        c.URL,
		Expression: c.Expression,
		Method:     c.Method,
		Action:     c.Action,
		Collection: binding(c.Collection),
		Database:   binding(c.Database),
		Encoding:   c.Encoding,
		When:       c.When,
		Ordering:   c.Ordering,
		State:      c.State,
		Reason:     c.Reason,
		Created:    c.Created.UTC(),
		Updated:    c.Updated.UTC(),

		Successes:           c.Health.Successes,
		ConsecutiveFailures: c.Health.Failures,
		FailingSince:        c.Health.FailingSince.UTC(),

		ExpressionFailures:   c.ExpressionFailures,
		ExpressionError:      c.ExpressionError.Message,
		ExpressionErrorEvent: c.ExpressionError.Event,
		ExpressionErrorTime:  c.ExpressionError.Time.UTC(),
	}
	if c.Health.Paused(time.Now()) {
		shown.PausedUntil = c.Health.PausedUntil.UTC()
	}
	return shown
}
