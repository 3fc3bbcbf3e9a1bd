package webhook

import (
	"encoding/json"
	"strconv"
	"time"
)

// Stored returns a valid event as [DecodeEvent] would give it back after
// [EncodeEvent], without the way through JSON. It shares nothing with e that can be
// changed: a store that keeps an event in memory keeps this.
func (e *Event) Stored() Event {
	stored := *e
	stored.Sequence = 0
	stored.Time = storedTime(e.Time)
	if e.Cause != nil {
		cause := *e.Cause
		stored.Cause = &cause
	}
	stored.Profile = e.Profile.stored()
	stored.Subprofile = storedRecordOf(e.Subprofile)
	stored.Previous = storedRecordOf(e.Previous)
	return stored
}

func storedRecordOf(r *Record) *Record {
	if r == nil {
		return nil
	}
	stored := r.stored()
	return &stored
}

func (r *Record) stored() Record {
	return Record{
		ID:        r.ID,
		Fields:    storedObject(r.Fields),
		Interests: append([]string{}, r.Interests...),
		Created:   storedTime(r.Created),
		Modified:  storedTime(r.Modified),
	}
}

func storedObject(object map[string]any) map[string]any {
	stored := make(map[string]any, len(object))
	for name, value := range object {
		stored[name] = storedValue(value)
	}
	return stored
}

func storedValue(value any) any {
	switch v := value.(type) {
	case nil, bool, string, json.Number:
		return v
	case int: // without an allocation for small ones
		return json.Number(strconv.Itoa(v))
	case time.Time:
		var buf [len(time.RFC3339Nano)]byte
		return string(AppendTime(buf[:0], v))
	case []any:
		stored := make([]any, len(v))
		for i, item := range v {
			stored[i] = storedValue(item)
		}
		return stored
	case map[string]any:
		return storedObject(v)
	}
	var buf [32]byte // enough for every number
	return json.Number(appendNumber(buf[:0], value))
}

func storedTime(t time.Time) time.Time {
	if t.IsZero() {
		return time.Time{}
	}
	return t.Round(0).UTC()
}
