package sqlite

import (
	"crypto/sha256"
	"encoding/binary"
	"time"

	"github.com/ringback-dev/ringback/webhook"
)

// The states of a delivery as the database has them. Partial indexes are found by
// these very literals, so statements have them in their text.
const (
	waiting   = "0"
	scheduled = "1" // ready once it is due
	ready     = "2"
	claimed   = "3"
	delivered = "4"
	dead      = "5"
)

// states are the states by number.
var states = [...]webhook.DeliveryState{
	webhook.DeliveryWaiting, webhook.DeliveryReady, webhook.DeliveryReady,
	webhook.DeliveryClaimed, webhook.DeliveryDelivered, webhook.DeliveryDead,
}

// stateNumbers are the conditions that select them.
var stateNumbers = map[webhook.DeliveryState]string{
	webhook.DeliveryWaiting:   "= " + waiting,
	webhook.DeliveryReady:     "IN (" + scheduled + ", " + ready + ")",
	webhook.DeliveryClaimed:   "= " + claimed,
	webhook.DeliveryDelivered: "= " + delivered,
	webhook.DeliveryDead:      "= " + dead,
}

// The methods and encodings by number.
var (
	methods   = [...]webhook.Method{webhook.MethodJSON, webhook.MethodXML}
	encodings = [...]webhook.Encoding{webhook.EncodingBody, webhook.EncodingForm}
)

// code returns the number of a value in a list; empty is the first.
func code[T ~string](list []T, field string, value T) (int, error) {
	for i, known := range list {
		if value == known || value == "" {
			return i, nil
		}
	}
	return 0, webhook.Invalid(field, "is %q", value)
}

// millis returns a time as the database has it.
func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

// fromMillis is the inverse of millis.
func fromMillis(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

// lane returns what stands for a record in the order of deliveries. It must never
// be computed in another way: what is in the database would lose its order. Two
// records with the same lane would only wait for each other.
func lane(e *webhook.Event) int64 {
	text := make([]byte, 0, 128)
	for _, id := range []string{e.Database, e.Collection, e.Record().ID} {
		text = binary.BigEndian.AppendUint32(text, uint32(len(id)))
		text = append(text, id...)
	}
	sum := sha256.Sum256(text)
	return int64(binary.BigEndian.Uint64(sum[:8]))
}
