package webhook

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"
)

// EncodeEvent returns a valid event in the form in which stores keep it: JSON,
// complete, and all that [DecodeEvent] needs. Sequence is not part of it. It is no
// wire format: use package message for what goes to receivers.
func EncodeEvent(e *Event) []byte {
	dst := make([]byte, 0, 192+e.Profile.room()+e.Subprofile.room()+e.Previous.room())
	dst = append(dst, `{"id":`...)
	dst = AppendJSONString(dst, e.ID)
	dst = append(dst, `,"action":`...)
	dst = AppendJSONString(dst, string(e.Action))
	dst = append(dst, `,"database":`...)
	dst = AppendJSONString(dst, e.Database)
	if e.Collection != "" {
		dst = append(dst, `,"collection":`...)
		dst = AppendJSONString(dst, e.Collection)
	}
	if e.Cause != nil {
		dst = append(dst, `,"cause":{"event":`...)
		dst = AppendJSONString(dst, e.Cause.Event)
		dst = append(dst, `,"hops":`...)
		dst = strconv.AppendInt(dst, int64(e.Cause.Hops), 10)
		dst = append(dst, '}')
	}
	if e.Trigger != "" {
		dst = append(dst, `,"trigger":`...)
		dst = AppendJSONString(dst, e.Trigger)
	}
	dst = append(dst, `,"time":`...)
	dst = appendQuotedTime(dst, e.Time)
	dst = append(dst, `,"profile":`...)
	dst = appendRecord(dst, &e.Profile)
	if e.Subprofile != nil {
		dst = append(dst, `,"subprofile":`...)
		dst = appendRecord(dst, e.Subprofile)
	}
	if e.Previous != nil {
		dst = append(dst, `,"previous":`...)
		dst = appendRecord(dst, e.Previous)
	}
	return append(dst, '}')
}

// room returns about how many bytes the fields and interests of a record take in JSON,
// if their values are short.
func (r *Record) room() int {
	if r == nil {
		return 0
	}
	return 32*len(r.Fields) + 16*len(r.Interests)
}

func appendRecord(dst []byte, r *Record) []byte {
	dst = append(dst, `{"id":`...)
	dst = AppendJSONString(dst, r.ID)
	dst = append(dst, `,"fields":`...)
	dst = appendObject(dst, r.Fields)
	dst = append(dst, `,"interests":[`...)
	for i, interest := range r.Interests {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = AppendJSONString(dst, interest)
	}
	dst = append(dst, ']')
	if !r.Created.IsZero() {
		dst = append(dst, `,"created":`...)
		dst = appendQuotedTime(dst, r.Created)
	}
	if !r.Modified.IsZero() {
		dst = append(dst, `,"modified":`...)
		dst = appendQuotedTime(dst, r.Modified)
	}
	return append(dst, '}')
}

// storedEvent and storedRecord are the shape of an encoded event.
type (
	storedEvent struct {
		ID         string        `json:"id"`
		Action     Action        `json:"action"`
		Database   string        `json:"database"`
		Collection string        `json:"collection"`
		Cause      *storedCause  `json:"cause"`
		Trigger    string        `json:"trigger"`
		Time       time.Time     `json:"time"`
		Profile    storedRecord  `json:"profile"`
		Subprofile *storedRecord `json:"subprofile"`
		Previous   *storedRecord `json:"previous"`
	}
	storedCause struct {
		Event string `json:"event"`
		Hops  int    `json:"hops"`
	}
	storedRecord struct {
		ID        string         `json:"id"`
		Fields    map[string]any `json:"fields"`
		Interests []string       `json:"interests"`
		Created   time.Time      `json:"created"`
		Modified  time.Time      `json:"modified"`
	}
)

// DecodeEvent is the inverse of [EncodeEvent]. Numbers come back as json.Number,
// times in fields as their text, which makes the same message. An error means
// that the bytes are damaged.
func DecodeEvent(encoded []byte) (Event, error) {
	e, ok := decodeExact(encoded)
	if !ok {
		var err error
		if e, err = decodeJSON(encoded); err != nil {
			return Event{}, fmt.Errorf("webhook: damaged event: %w", err)
		}
	}
	if e.ID == "" {
		return Event{}, fmt.Errorf("webhook: damaged event: %w", Invalid("ID", "is missing"))
	}
	if err := e.Validate(); err != nil {
		return Event{}, fmt.Errorf("webhook: damaged event: %w", err)
	}
	return e, nil
}

// decodeJSON decodes an event from JSON, however it is written.
func decodeJSON(encoded []byte) (Event, error) {
	var s storedEvent
	d := json.NewDecoder(bytes.NewReader(encoded))
	d.UseNumber()
	if err := d.Decode(&s); err != nil {
		return Event{}, err
	}
	if _, err := d.Token(); err != io.EOF {
		return Event{}, errors.New("more than one JSON value")
	}
	return Event{
		ID: s.ID, Action: s.Action, Database: s.Database, Collection: s.Collection,
		Cause: (*Cause)(s.Cause), Trigger: s.Trigger, Time: s.Time, Profile: Record(s.Profile), Subprofile: (*Record)(s.Subprofile), Previous: (*Record)(s.Previous),
	}, nil
}
