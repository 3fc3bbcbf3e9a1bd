package main

import (
	"errors"
	"net/http"
	"testing"

	"github.com/ringback-dev/ringback/webhook"
)

// FuzzCause: whatever the headers are, they are refused by name, or make a cause that the
// library takes.
func FuzzCause(f *testing.F) {
	for _, seed := range [][2]string{
		{"", ""}, {"e-1", ""}, {"e-1", "0"}, {"01938f6e-2a2b-7c3d-8e4f-5a6b7c8d9e0f", "5"}, {"e", "1073741825"}, {"e", "+1"}, {"e", "-0"},
		{"e", "007"}, {"e", "99999999999999999999"}, {"", "1"}, {"a b", "1"}, {"e", " 1"}, {"e", "1_0"}, {"e", "0x1"}, {"ü", ""},
	} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, event, hops string) {
		h := http.Header{}
		if event != "" {
			h.Set(eventHeader, event)
		}
		if hops != "" {
			h.Set(hopsHeader, hops)
		}
		cause, err := causeOf(h)
		if err != nil {
			var invalid *webhook.InvalidError
			if !errors.As(err, &invalid) || invalid.Field != eventHeader && invalid.Field != hopsHeader {
				t.Errorf("%v names no header", err)
			}
			return
		}
		if event == "" && hops == "" {
			if cause != nil {
				t.Errorf("no headers make %+v", cause)
			}
			return
		}
		e := webhook.Event{Action: webhook.ActionCreate, Database: "788", Profile: webhook.Record{ID: "1"}, Cause: cause}
		if err := e.Validate(); err != nil || cause.Event != event || hops == "" && cause.Hops != 0 {
			t.Errorf("%q and %q make %+v: %v", event, hops, cause, err)
		}
	})
}
