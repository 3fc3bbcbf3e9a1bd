package webhook

import (
	"strings"
	"time"
)

// A DeliveryState is where a delivery stands.
type DeliveryState string

// The states. Waiting, ready and claimed deliveries are open; delivered and dead
// ones have ended.
const (
	// DeliveryWaiting: an earlier delivery about the same record to the same
	// callback has not ended, nor been passed.
	DeliveryWaiting DeliveryState = "waiting"
	// DeliveryReady: to be attempted when it is due.
	DeliveryReady DeliveryState = "ready"
	// DeliveryClaimed: a worker is attempting it.
	DeliveryClaimed DeliveryState = "claimed"
	// DeliveryDelivered: the receiver has answered with success.
	DeliveryDelivered DeliveryState = "delivered"
	// DeliveryDead: given up; Reason says why.
	DeliveryDead DeliveryState = "dead"
)

// Ended reports whether the delivery is delivered or dead.
func (s DeliveryState) Ended() bool { return s == DeliveryDelivered || s == DeliveryDead }

// A Delivery is one event on its way to one callback.
type Delivery struct {
	// ID identifies the delivery: see DeliveryID. It is the webhook-id of every
	// attempt.
	ID string

	// EventID and Sequence are the event's; Callback is the callback's ID.
	EventID  string
	Sequence int64
	Callback string

	// Database, Collection and Record say which record changed, Action how.
	Database   string
	Collection string
	Record     string
	Action     Action

	// Method and Encoding are the callback's when the event was fanned out: later
	// attempts send the same bytes, whatever becomes of the callback.
	Method   Method
	Encoding Encoding

	State DeliveryState
	// Reason says why a delivery is dead.
	Reason string
	// Passed is set once the later deliveries about the record no longer wait for this
	// one.
	Passed bool
	// Replayed is set once the delivery was replayed. From then on it is outside the
	// order of those that were not, and keeps order with the replayed ones only.
	Replayed bool
	// Attempts is how many have been made; Earlier how many of them before it was
	// last replayed.
	Attempts int
	Earlier  int
	// Due is when the next attempt may be made, zero for at once; of meaning
	// while ready. At once depends on no clock, so clocks that jump or differ
	// delay nothing.
	Due time.Time
	// Created is when the event was fanned out, Ended when the delivery came to
	// its end; zero while open. Both to the millisecond.
	Created time.Time
	Ended   time.Time
}

// DeliveryID returns the ID of an event's delivery to a callback. It is the same
// however often the event is fanned out.
func DeliveryID(eventID, callbackID string) string { return eventID + "_" + callbackID }

// SplitDeliveryID is the inverse of [DeliveryID]. It reports false for what is no
// delivery's ID.
func SplitDeliveryID(id string) (eventID, callbackID string, ok bool) {
	i := strings.LastIndexByte(id, '_')
	if i <= 0 || i == len(id)-1 {
		return "", "", false
	}
	return id[:i], id[i+1:], true
}

// An Attempt is one request that was made, or tried, for a delivery.
type Attempt struct {
	// Number counts from 1.
	Number int
	// Time is when it began, to the millisecond; Duration how long it took.
	Time     time.Time
	Duration time.Duration
	// Status is the HTTP status of the answer, 0 where none came.
	Status int
	// Error says what went wrong, in a few words that may be shown to the
	// callback's owner; empty for a success.
	Error string
	// Answer is the beginning of the answer's body.
	Answer string
}
