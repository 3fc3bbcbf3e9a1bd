package storetest

import (
	"testing"

	"github.com/ringback-dev/ringback/webhook"
)

// Expanded prepares an event for AppendAndClaim of a [webhook.AppendClaimer], for what a
// store tests or measures by itself. expand returns what the event fans out to, given it with
// its sequence.
func Expanded(t testing.TB, e webhook.Event, expand func(e webhook.Event) webhook.Expansion) webhook.ExpandedEvent {
	t.Helper()
	e, encoded, err := webhook.Prepare(e)
	if err != nil {
		t.Fatal(err)
	}
	return &expandedEvent{e, encoded, expand}
}

// An expandedEvent is a [webhook.ExpandedEvent].
type expandedEvent struct {
	event   webhook.Event
	encoded []byte
	expand  func(e webhook.Event) webhook.Expansion
}

func (e *expandedEvent) Event() *webhook.Event { return &e.event }

func (e *expandedEvent) Encode() []byte { return e.encoded }

func (e *expandedEvent) Expand(sequence int64) webhook.Expansion {
	event := e.event
	event.Sequence = sequence
	return e.expand(event)
}
