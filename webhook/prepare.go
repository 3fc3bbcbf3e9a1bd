package webhook

import (
	"encoding/json"
	"time"
)

// Prepare readies an event for a store: it fills in ID and Time, validates, drops
// what is ignored, and returns the event with its encoded form. Every Dispatch
// begins with it, or with [Event.Complete].
//
// Errors match [ErrInvalid] and name the field; one that names no field says that
// the event's message would be larger than MaxMessage.
func Prepare(event Event) (Event, []byte, error) {
	if err := event.complete(); err != nil {
		return Event{}, nil, err
	}
	encoded := EncodeEvent(&event)
	if err := event.checkSize(len(encoded)); err != nil {
		return Event{}, nil, err
	}
	return event, encoded, nil
}

// Complete does what Prepare does, with the same errors, where the encoded form is not
// needed, or not yet. It returns the size of that in bytes: up to 16 KiB it is a bound, which
// the form may fall short of, beyond that it is exact. After an error the event is of no use.
func (e *Event) Complete() (size int, err error) {
	if err := e.complete(); err != nil {
		return 0, err
	}
	size = e.mostBytes()
	if size > 16<<10 {
		size = len(EncodeEvent(e))
	}
	return size, e.checkSize(size)
}

// complete fills in ID and Time, validates, and drops what is ignored.
func (e *Event) complete() error {
	if e.ID == "" {
		e.ID = newEventID(time.Now())
	}
	if e.Time.IsZero() {
		e.Time = time.Now().Truncate(time.Millisecond)
	}
	e.Time = e.Time.UTC()
	if err := e.Validate(); err != nil {
		return err
	}
	if e.Action == ActionDelete {
		e.Previous = nil
	}
	return nil
}

// A message has, beyond the encoded form, the names of its properties and the sequence,
// which is less than envelope, and repeats the changed fields.
const envelope = 256

// checkSize refuses an event whose message would be too large, given the size of its encoded
// form. Only a large one needs a closer look.
func (e *Event) checkSize(encoded int) error {
	if 2*encoded+envelope <= MaxMessage {
		return nil
	}
	if size := encoded + len(AppendJSON(nil, e.Parameters())) + envelope; size > MaxMessage {
		return Invalid("", "the message would have about %d bytes, at most %d are allowed", size, MaxMessage)
	}
	return nil
}

// mostBytes returns how many bytes the encoded form of a valid event has at most.
func (e *Event) mostBytes() int {
	const names = 192 // the properties' names and what else there always is
	size := names + mostOfText(e.ID) + mostOfText(string(e.Action)) + mostOfText(e.Database) +
		mostOfText(e.Collection) + mostOfText(e.Trigger) +
		e.Profile.mostBytes() + e.Subprofile.mostBytes() + e.Previous.mostBytes()
	if e.Cause != nil {
		size += mostOfText(e.Cause.Event)
	}
	return size
}

func (r *Record) mostBytes() int {
	if r == nil {
		return 0
	}
	const names = 128
	size := names + mostOfText(r.ID) + mostOfObject(r.Fields)
	for _, interest := range r.Interests {
		size += mostOfText(interest)
	}
	return size
}

// mostOfText allows for a comma, or what else stands behind a text.
func mostOfText(text string) int { return len(`"",`) + len(`\u0000`)*len(text) }

func mostOfObject(object map[string]any) int {
	size := len("{},")
	for name, value := range object {
		size += mostOfText(name) + mostOfValue(value)
	}
	return size
}

func mostOfValue(value any) int {
	switch v := value.(type) {
	case string:
		return mostOfText(v)
	case json.Number:
		return len(v) + len(",")
	case []any:
		size := len("[],")
		for _, item := range v {
			size += mostOfValue(item)
		}
		return size
	case map[string]any:
		return mostOfObject(v)
	}
	return 40 // more than any other number takes, and any time
}
