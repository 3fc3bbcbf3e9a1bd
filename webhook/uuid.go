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
	text := make([]byte, 0, 36)
	for i, group := range [][]byte{u[0:4], u[4:6], u[6:8], u[8:10], u[10:16]} {
		if i > 0 {
			text = append(text, '-')
		}
		text = hex.AppendEncode(text, group)
	}
	return string(text)
}
