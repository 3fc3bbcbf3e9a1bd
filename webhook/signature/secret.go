package signature

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"strings"
)

// The sizes of a secret, in bytes, and what its text begins with.
const (
	minSize = 24
	maxSize = 64
	newSize = 32

	secretPrefix = "whsec_"
)

// ErrSecret is returned for a text that is no secret.
var ErrSecret = errors.New("signature: a secret is whsec_ and the base64 of 24 to 64 bytes")

// A Secret is the key that a sender and a receiver share. Secrets can be compared
// with ==. The zero value is no secret: it signs nothing and verifies nothing.
//
// Printed, a secret shows nothing of itself: see Reveal.
type Secret struct{ key string }

// NewSecret returns a random secret of 32 bytes.
func NewSecret() Secret {
	var key [newSize]byte
	rand.Read(key[:]) // never fails: see its documentation
	return Secret{string(key[:])}
}

// ParseSecret is the inverse of [Secret.Reveal]. It returns ErrSecret for any
// other text, which the error does not repeat.
func ParseSecret(text string) (Secret, error) {
	encoded, ok := strings.CutPrefix(text, secretPrefix)
	if !ok {
		return Secret{}, ErrSecret
	}
	key, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil || len(key) < minSize || len(key) > maxSize {
		return Secret{}, ErrSecret
	}
	s := Secret{string(key)}
	if s.Reveal() != text {
		return Secret{}, ErrSecret // line breaks, or bits beyond the last byte
	}
	return s, nil
}

// Reveal returns the secret's text, whsec_ and base64, to be stored or handed to
// the receiver. The zero Secret has none.
func (s Secret) Reveal() string {
	if s == (Secret{}) {
		return ""
	}
	return secretPrefix + base64.StdEncoding.EncodeToString([]byte(s.key))
}

// String returns a placeholder, so that a secret does not end up in a log.
func (s Secret) String() string { return secretPrefix + "***" }

// GoString returns the same placeholder.
func (s Secret) GoString() string { return s.String() }
