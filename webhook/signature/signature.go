// Package signature signs and verifies HTTP requests by the symmetric scheme of
// Standard Webhooks (https://www.standardwebhooks.com): HMAC-SHA256 over
// "id.timestamp.body", in the headers webhook-id, webhook-timestamp and
// webhook-signature.
//
// A receiver reads the body, verifies, and only then looks at what is in it:
//
//	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 4<<20))
//	…
//	err = signature.Verify(r.Header, body, []signature.Secret{secret}, nil)
//
// Delivery is at least once: the receiver keeps the webhook-id of what it has
// handled, and answers 200 to what it has seen before.
package signature

import (
	"net/http"
	"strconv"
	"time"
)

// The headers of a signed request.
const (
	HeaderID        = "Webhook-Id"
	HeaderTimestamp = "Webhook-Timestamp"
	HeaderSignature = "Webhook-Signature"
)

// Sign sets the three headers for a request with the given body. The id is that
// of the message, the same on every attempt, without full stops; at is the time of
// this attempt, sent to the second.
//
// Each secret makes a signature, so that one can be replaced while receivers still
// know the other. Without secrets there is no signature header.
func Sign(h http.Header, id string, at time.Time, body []byte, secrets ...Secret) {
	timestamp := strconv.FormatInt(at.Unix(), 10)
	h.Set(HeaderID, id)
	h.Set(HeaderTimestamp, timestamp)
	h.Del(HeaderSignature)
	if signatures := NewSigner(secrets...).Append(nil, id, timestamp, body); signatures != nil {
		h.Set(HeaderSignature, string(signatures))
	}
}
