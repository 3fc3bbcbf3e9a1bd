package httpapi

import (
	"time"

	"github.com/ringback-dev/ringback/webhook"
)

// A deliveryItem is a delivery on the wire.
type deliveryItem struct {
	ID           string                `json:"ID"`
	Event        string                `json:"event"`
	Sequence     int64                 `json:"sequence"`
	Callback     string                `json:"callback"`
	Database     binding               `json:"database"`
	Collection   binding               `json:"collection"`
	Record       string                `json:"record"`
	Action       webhook.Action        `json:"action"`
	Method       webhook.Method        `json:"method"`
	Encoding     webhook.Encoding      `json:"encoding"`
	State        webhook.DeliveryState `json:"state"`
	Reason       string                `json:"reason"`
	Passed       bool                  `json:"passed"`
	Replayed     bool                  `json:"replayed"`
	Created      time.Time             `json:"created"`
	Due          time.Time             `json:"due,omitzero"`   // of one that is ready, but not at once
	Ended        time.Time             `json:"ended,omitzero"` // of one that has
	AttemptCount int                   `json:"attempt_count"`
	Attempts     []attemptItem         `json:"attempts,omitzero"` // where one delivery is shown
}

// An attemptItem is an attempt on the wire.
type attemptItem struct {
	Number   int       `json:"number"`
	Time     time.Time `json:"time"`
	Duration int64     `json:"duration_ms"`
	Status   int       `json:"status"` // 0: there was no answer
	Error    string    `json:"error"`
	Answer   string    `json:"answer"`
}

func deliveryItemOf(d webhook.Delivery) deliveryItem {
	shown := deliveryItem{
		ID:           d.ID,
		Event:        d.EventID,
		Sequence:     d.Sequence,
		Callback:     d.Callback,
		Database:     binding(d.Database),
		Collection:   binding(d.Collection),
		Record:       d.Record,
		Action:       d.Action,
		Method:       d.Method,
		Encoding:     d.Encoding,
		State:        d.State,
		Reason:       d.Reason,
		Passed:       d.Passed,
		Replayed:     d.Replayed,
		Created:      d.Created.UTC(),
		Ended:        d.Ended.UTC(),
		AttemptCount: d.Attempts,
	}
	if d.State == webhook.DeliveryReady {
		shown.Due = d.Due.UTC()
	}
	return shown
}

func attemptItemOf(a webhook.Attempt) attemptItem {
	return attemptItem{a.Number, a.Time.UTC(), a.Duration.Milliseconds(), a.Status, a.Error, a.Answer}
}
