package signature

import (
	"crypto/hmac"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// DefaultTolerance is how far a request's timestamp may be from the receiver's
// clock.
const DefaultTolerance = 5 * time.Minute

// Errors of [Verify]. They tell apart what is wrong for the receiver's log; to the
// sender all of them are a 401.
var (
	// ErrHeader: a header is missing, there twice, or malformed.
	ErrHeader = errors.New("signature: webhook-id, webhook-timestamp or webhook-signature is missing or malformed")

	// ErrTime: the request is too old, which it is when it is replayed, or from
	// the future.
	ErrTime = errors.New("signature: the timestamp is too far from the present")

	// ErrMismatch: no signature was made with one of the secrets for this message.
	ErrMismatch = errors.New("signature: no signature matches")
)

// VerifyOptions change how [Verify] works.
type VerifyOptions struct {
	// Tolerance is how far the timestamp may be from the present, in either
	// direction; 0 is DefaultTolerance.
	Tolerance time.Duration
	// Now is the clock; nil is time.Now.
	Now func() time.Time
}

// Verify checks that the request with these headers and this body, all of it and
// byte for byte, was signed with one of the secrets, and not long ago. Nil opts
// are the defaults. It returns nil, ErrHeader, ErrTime or ErrMismatch.
//
// Of several signatures in the header one has to match; those of other versions
// are passed over. Comparing takes the same time wherever a signature differs.
func Verify(h http.Header, body []byte, secrets []Secret, opts *VerifyOptions) error {
	id, timestamp, signatures := single(h, HeaderID), single(h, HeaderTimestamp), single(h, HeaderSignature)
	// A full stop in the ID could move the border between ID, timestamp and body.
	if id == "" || strings.Contains(id, ".") || signatures == "" {
		return ErrHeader
	}
	at, err := parseTimestamp(timestamp)
	if err != nil {
		return ErrHeader
	}
	now, tolerance := time.Now, DefaultTolerance
	if opts != nil && opts.Now != nil {
		now = opts.Now
	}
	if opts != nil && opts.Tolerance != 0 {
		tolerance = opts.Tolerance
	}
	if now().Sub(at).Abs() > tolerance {
		return ErrTime
	}
	for _, secret := range secrets {
		if secret == (Secret{}) {
			continue // anyone could sign with no key
		}
		want := newKey(secret).append(nil, id, timestamp, body)
		for signature := range strings.SplitSeq(signatures, " ") {
			if hmac.Equal([]byte(signature), want) {
				return nil
			}
		}
	}
	return ErrMismatch
}

// single returns the value of a header that is there once, and nothing otherwise.
func single(h http.Header, name string) string {
	if values := h.Values(name); len(values) == 1 {
		return values[0]
	}
	return ""
}

// parseTimestamp reads seconds since 1970, in digits only.
func parseTimestamp(text string) (time.Time, error) {
	seconds, err := strconv.ParseUint(text, 10, 40) // for some 35,000 years
	return time.Unix(int64(seconds), 0), err
}
