package main

import (
	"strconv"
	"time"

	"github.com/ringback-dev/ringback/webhook"
	messages "github.com/ringback-dev/ringback/webhook/message"
)

const (
	// records is how many records the events are about, in turn.
	records = 10_000

	database = "788"
)

// event returns the event of a number: an update, which makes a message of about 400
// bytes.
func event(number int) webhook.Event {
	record := strconv.Itoa(number % records)
	return webhook.Event{
		ID: "e" + strconv.Itoa(number), Action: webhook.ActionUpdate, Database: database, Trigger: "rest",
		Profile: webhook.Record{
			ID: record, Interests: []string{"mac"},
			Fields: map[string]any{"company": "Apple", "age": 30, "email": "someone@example.com"},
		},
		Previous: &webhook.Record{
			Interests: []string{"mac"},
			Fields:    map[string]any{"company": "Microsoft", "age": 30, "email": "someone@example.com"},
		},
	}
}

// message returns the message of an event, for those who get it ready-made.
func message(number int) []byte {
	e := event(number)
	e.Sequence, e.Time = int64(number), time.UnixMilli(1_800_000_000_000)
	return messages.AppendJSON(nil, &e)
}
