package webhook

import (
	"crypto/rand"
	"encoding/hex"
	"time"
)

// newEventID returns a UUID of version 7 (RFC 9562, 5.7): 48 bits of Unix time
// in milliseconds, then random bits.
func newEventID(now time.Time) string {
	var u [16]byte
	rand.Read(u[:]) // never fails: see its documentation
	ms := uint64(now.UnixMilli())
	for i := range 6 {
		u[i] = byte(ms >> (40 - 8*i))
	}
	u[6] = u[6]&0x0f | 0x70
	u[8] = u[8]&0x3f | 0x80
	var text [36]byte
	hex.Encode(text[0:8], u[0:4])
	hex.Encode(text[9:13], u[4:6])
	hex.Encode(text[14:18], u[6:8])
	hex.Encode(text[19:23], u[8:10])
	hex.Encode(text[24:36], u[10:16])
	text[8], text[13], text[18], text[23] = '-', '-', '-', '-'
	return string(text[:])
}
