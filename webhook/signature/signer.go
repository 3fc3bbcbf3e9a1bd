package signature

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"hash"
	"sync"
)

// version marks the symmetric scheme among the signatures of a header.
const version = "v1,"

// A Signer makes the signatures of many messages with the same secrets, for less than
// [Sign] does. It may be used by many goroutines at the same time.
type Signer struct{ keys []*key }

// NewSigner returns a signer with these secrets, each of which makes a signature.
func NewSigner(secrets ...Secret) *Signer {
	s := new(Signer)
	for _, secret := range secrets {
		if secret != (Secret{}) {
			s.keys = append(s.keys, newKey(secret))
		}
	}
	return s
}

// Append appends the value of HeaderSignature for a message whose other two headers are
// these: its ID, without full stops, and the time of this attempt in seconds since 1970.
// Without secrets it appends nothing.
func (s *Signer) Append(b []byte, id, timestamp string, body []byte) []byte {
	for i, k := range s.keys {
		if i > 0 {
			b = append(b, ' ')
		}
		b = k.append(b, id, timestamp, body)
	}
	return b
}

// A key is a secret, ready to be used.
type key struct {
	secret Secret
	mu     sync.Mutex
	mac    hash.Hash
	used   bool   // the mac was
	room   []byte // for what comes before the body, and for the sum
}

func newKey(s Secret) *key {
	return &key{secret: s, mac: hmac.New(sha256.New, []byte(s.key))}
}

// append appends the signature of a message, as it stands in the header.
func (k *key) append(b []byte, id, timestamp string, body []byte) []byte {
	if !k.mu.TryLock() {
		// Another one is signing. To wait would take as long as its body asks for.
		return newKey(k.secret).append(b, id, timestamp, body)
	}
	defer k.mu.Unlock()
	if k.used {
		k.mac.Reset()
	}
	k.used = true
	k.room = append(append(append(append(k.room[:0], id...), '.'), timestamp...), '.')
	k.mac.Write(k.room)
	k.mac.Write(body)
	k.room = k.mac.Sum(k.room[:0])
	return base64.StdEncoding.AppendEncode(append(b, version...), k.room)
}
