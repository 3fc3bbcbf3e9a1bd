package httpapi

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"github.com/ringback-dev/ringback/webhook"
)

// An envelope is the body of every answer that shows callbacks or deliveries.
type envelope struct {
	Start json.Number `json:"start"`
	// Limit is a string where the request gave it, and a number where not.
	Limit any  `json:"limit"`
	Total *int `json:"total,omitempty"`
	Data  any  `json:"data"` // a list
}

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

// writeOne answers with one callback.
func writeOne(w http.ResponseWriter, status int, c webhook.Callback) error {
	return writeEnvelope(w, status, []item{itemOf(c)})
}

// writeWithSecret answers with one callback and its secret, which is not shown again.
func writeWithSecret(w http.ResponseWriter, status int, c webhook.Callback) error {
	shown := itemOf(c)
	shown.Secret = c.Secret.Reveal()
	return writeEnvelope(w, status, []item{shown})
}

// writeEnvelope answers with a list of one.
func writeEnvelope(w http.ResponseWriter, status int, data any) error {
	total := 1
	return write(w, status, envelope{Start: "0", Limit: 1, Total: &total, Data: data})
}

// write answers with a body. When it returns an error nothing is written yet.
func write(w http.ResponseWriter, status int, body any) error {
	var buffer bytes.Buffer
	encoder := json.NewEncoder(&buffer)
	encoder.SetEscapeHTML(false) // URLs and conditions stay readable; nosniff keeps it from being HTML
	if err := encoder.Encode(body); err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", typeJSON)
	h.Set("Content-Length", strconv.Itoa(buffer.Len()))
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	w.Write(buffer.Bytes()) // an error means that the client is gone
	return nil
}
