package message

import (
	"strconv"

	"github.com/ringback-dev/ringback/webhook"
)

// AppendJSON appends the message for a valid event as JSON, of whatever size.
func AppendJSON(dst []byte, e *webhook.Event) []byte {
	dst = append(dst, `{"action":`...)
	dst = webhook.AppendJSONString(dst, string(e.Action))
	dst = append(dst, `,"timestamp":"`...)
	dst = webhook.AppendTime(dst, e.Time)
	dst = append(dst, `","event":`...)
	dst = webhook.AppendJSONString(dst, e.ID)
	dst = append(dst, `,"sequence":`...)
	dst = strconv.AppendInt(dst, e.Sequence, 10)
	if e.Cause != nil {
		dst = append(dst, `,"hops":`...)
		dst = strconv.AppendInt(dst, int64(e.Hops()), 10)
		dst = append(dst, `,"cause":`...)
		dst = webhook.AppendJSONString(dst, e.Cause.Event)
	}
	dst = append(dst, `,"database":`...)
	dst = webhook.AppendJSONString(dst, e.Database)
	dst = append(dst, `,"collection":`...)
	if e.Collection == "" {
		dst = append(dst, '0')
	} else {
		dst = webhook.AppendJSONString(dst, e.Collection)
	}
	if e.Trigger != "" {
		dst = append(dst, `,"trigger":`...)
		dst = webhook.AppendJSONString(dst, e.Trigger)
	}
	dst = append(dst, `,"profile":`...)
	dst = appendRecordJSON(dst, &e.Profile)
	if e.Subprofile != nil {
		dst = append(dst, `,"subprofile":`...)
		dst = appendRecordJSON(dst, e.Subprofile)
	}
	dst = append(dst, `,"parameters":{`...)
	dst = appendParametersJSON(dst, e)
	dst = append(dst, '}')
	if old := replaced(e); old != nil {
		dst = append(dst, `,"old":{`...)
		dst = appendStateJSON(dst, old)
		dst = append(dst, '}')
	}
	return append(dst, '}')
}

// appendParametersJSON appends the members of e.Parameters(), without making that map.
func appendParametersJSON(dst []byte, e *webhook.Event) []byte {
	var buf [manyFields]string
	fields := e.Record().Fields
	first := true
	for _, name := range e.AppendChanged(buf[:0]) {
		value, ok := fields[name]
		if !ok {
			continue
		}
		if !first {
			dst = append(dst, ',')
		}
		first = false
		dst = webhook.AppendJSONString(dst, name)
		dst = append(dst, ':')
		dst = webhook.AppendJSON(dst, value)
	}
	return dst
}

// manyFields is more than most records have: up to as many no allocation is needed.
const manyFields = 16

// replaced returns the state that an update replaced, nil where there is none to
// show: a create had none, a delete shows it as the record itself.
func replaced(e *webhook.Event) *webhook.Record {
	if e.Action != webhook.ActionUpdate {
		return nil
	}
	return e.Previous
}

func appendRecordJSON(dst []byte, r *webhook.Record) []byte {
	dst = append(dst, `{"ID":`...)
	dst = webhook.AppendJSONString(dst, r.ID)
	dst = append(dst, ',')
	dst = appendStateJSON(dst, r)
	if !r.Created.IsZero() {
		dst = append(dst, `,"created":"`...)
		dst = webhook.AppendTime(dst, r.Created)
		dst = append(dst, '"')
	}
	if !r.Modified.IsZero() {
		dst = append(dst, `,"modified":"`...)
		dst = webhook.AppendTime(dst, r.Modified)
		dst = append(dst, '"')
	}
	return append(dst, '}')
}

// appendStateJSON appends what both a record and "old" have.
func appendStateJSON(dst []byte, r *webhook.Record) []byte {
	dst = append(dst, `"fields":`...)
	dst = webhook.AppendJSON(dst, r.Fields)
	dst = append(dst, `,"interests":[`...)
	for i, interest := range r.Interests {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = webhook.AppendJSONString(dst, interest)
	}
	return append(dst, ']')
}
