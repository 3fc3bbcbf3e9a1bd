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

// stateNumber returns a state as an argument.
func stateNumber(state string) int64 { return int64(state[0] - '0') }

// What of a delivery's track matters to the order; see the column.
const (
	passed   = "1" // a bit
	replayed = "2" // the other bit
)

// states are the states by number.
var states = [...]webhook.DeliveryState{
	webhook.DeliveryWaiting, webhook.DeliveryReady, webhook.DeliveryReady,
	webhook.DeliveryClaimed, webhook.DeliveryDelivered, webhook.DeliveryDead,
}

// stateConditions are what selects them.
var stateConditions = map[webhook.DeliveryState]string{
	webhook.DeliveryWaiting:   "state = " + waiting,
	webhook.DeliveryReady:     "state IN (" + scheduled + ", " + ready + ")",
	webhook.DeliveryClaimed:   "state = " + claimed,
	webhook.DeliveryDelivered: "state = " + delivered,
	webhook.DeliveryDead:      "state = " + dead,
}

// The methods and encodings by number.
var (
	methods   = [...]webhook.Method{webhook.MethodJSON, webhook.MethodXML}
	encodings = [...]webhook.Encoding{webhook.EncodingBody, webhook.EncodingForm}
)

// What else a callback may be, which the database has as text.
var (
	whens     = [...]webhook.When{webhook.WhenMatches, webhook.WhenEnters, webhook.WhenLeaves, webhook.WhenChanges}
	actions   = [...]webhook.Action{webhook.ActionAll, webhook.ActionCreate, webhook.ActionUpdate, webhook.ActionDelete}
	orderings = [...]webhook.Ordering{webhook.OrderingHold, webhook.OrderingSkip}
	standings = [...]webhook.State{webhook.StateActive, webhook.StateDisabled}
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
func lane(database, collection, record string) int64 {
	text := make([]byte, 0, 128)
	for _, id := range []string{database, collection, record} {
		text = binary.BigEndian.AppendUint32(text, uint32(len(id)))
		text = append(text, id...)
	}
	sum := sha256.Sum256(text)
	return int64(binary.BigEndian.Uint64(sum[:8]))
}
