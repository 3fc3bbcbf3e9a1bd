package main

import (
	"bytes"
	"errors"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"

	"github.com/ringback-dev/ringback/webhook"
)

// FuzzReadChange: whatever is sent, it is refused with an error for the client, or
// comes out of the database as it went in.
func FuzzReadChange(f *testing.F) {
	for _, seed := range []string{
		``, `{}`, `null`, `[]`, `{"fields":null}`, `{"interests":[null]}`, `{"fields":{},"interests":[]}`, `{} {}`, `{"felds":1}`,
		`{"fields":{"a":1,"a":2,"b":{"c":[1e400,-0.0,9007199254740993]}},"interests":["x",""]}`,
		`{"fields":{"<&>":"\u0000\u2028\ud800\"\\"}}`, "{\"fields\":{\"a\":\"\xff\"}}", strings.Repeat(`[`, 20_000),
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		asked, err := readChange(httptest.NewRecorder(), httptest.NewRequest(http.MethodPut, "/profile/1", bytes.NewReader(body)))
		if err != nil {
			var large *http.MaxBytesError
			if !errors.Is(err, webhook.ErrInvalid) && !errors.As(err, &large) {
				t.Errorf("an internal error: %v", err)
			}
			return
		}
		var fields map[string]any
		var interests []string
		for from, to := range map[any]any{&asked.fields: &fields, &asked.interests: &interests} {
			stored, err := jsonColumn{from}.Value()
			if err != nil {
				t.Fatal(err)
			}
			if err := (jsonColumn{to}).Scan(stored); err != nil {
				t.Fatal(err)
			}
		}
		if !reflect.DeepEqual(fields, asked.fields) || !reflect.DeepEqual(interests, asked.interests) {
			t.Errorf("got %v and %v back for %v and %v", fields, interests, asked.fields, asked.interests)
		}
	})
}
