package httpapi

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strconv"

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
