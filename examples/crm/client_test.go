package main_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
)

// An answer is what the process answered to a request.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// do makes a request. A body is sent as JSON.
func (p *process) do(method, path, body string) answer {
	p.t.Helper()
	return p.with(method, path, body)
}

// with is do with headers, given as name, value, name, value …
func (p *process) with(method, path, body string, headers ...string) answer {
	p.t.Helper()
	a, err := p.try(method, path, body, headers...)
	if err != nil {
		p.t.Fatal(err)
	}
	return a
}

// try is with for requests that may fail, and for other goroutines than the test's.
func (p *process) try(method, path, body string, headers ...string) (answer, error) {
	request, err := http.NewRequest(method, p.url+path, strings.NewReader(body))
	if err != nil {
		return answer{}, err
	}
	request.Header.Set("Content-Type", "application/json")
	for i := 0; i+1 < len(headers); i += 2 {
		request.Header.Add(headers[i], headers[i+1])
	}
	return p.send(request)
}

func (p *process) send(request *http.Request) (answer, error) {
	response, err := p.client.Do(request)
	if err != nil {
		return answer{}, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	return answer{response.StatusCode, response.Header, body}, err
}

// must makes a request, checks its status and returns its decoded body.
func (p *process) must(status int, method, path, body string) map[string]any {
	p.t.Helper()
	a := p.do(method, path, body)
	if a.status != status {
		p.t.Fatalf("%s %s %s: status %d, want %d: %s", method, path, body, a.status, status, a.body)
	}
	return a.object(p.t)
}

// create makes a POST that must create something, and returns its ID.
func (p *process) create(path, body string) (id string) {
	p.t.Helper()
	a := p.do(http.MethodPost, path, body)
	if a.status != http.StatusCreated {
		p.t.Fatalf("POST %s %s: status %d: %s", path, body, a.status, a.body)
	}
	location := a.header.Get("Location")
	if location == "" || location != a.header.Get("X-location") {
		p.t.Fatalf("POST %s: Location %q, X-location %q", path, location, a.header.Get("X-location"))
	}
	return location[strings.LastIndexByte(location, '/')+1:]
}

// listen registers a callback to a receiver's path, with further properties as JSON.
func (p *process) listen(scope string, r *receiver, path, more string) (id string) {
	p.t.Helper()
	return p.create(scope+"/callbacks", `{"url":"`+r.URL+path+`"`+more+`}`)
}

// object decodes a body that is a JSON object. Numbers keep their text.
func (a answer) object(t *testing.T) map[string]any {
	t.Helper()
	return decode(t, a.body)
}

func decode(t *testing.T, body []byte) map[string]any {
	t.Helper()
	var object map[string]any
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	if err := decoder.Decode(&object); err != nil {
		t.Fatalf("%v in %q", err, body)
	}
	return object
}

// wantJSON compares a decoded object with one that is written as JSON, types and the
// text of numbers included.
func wantJSON(t *testing.T, what string, got any, want string) {
	t.Helper()
	if text, sorted := marshal(t, got), marshal(t, decode(t, []byte(want))); text != sorted {
		t.Errorf("%s is\n%s\nwant\n%s", what, text, sorted)
	}
}

// marshal returns a decoded value as JSON, with the names sorted.
func marshal(t *testing.T, value any) string {
	t.Helper()
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// wantError checks an answer that is an error: its status, its shape, and the field
// that is to blame.
func wantError(t *testing.T, a answer, status int, field string) {
	t.Helper()
	if a.status != status {
		t.Errorf("status %d, want %d: %s", a.status, status, a.body)
		return
	}
	if got := a.header.Get("Content-Type"); !strings.HasPrefix(got, "application/json") {
		t.Errorf("Content-Type %q", got)
	}
	var body struct {
		Error struct {
			Message string
			Field   string
		}
	}
	decoder := json.NewDecoder(bytes.NewReader(a.body))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&body); err != nil || body.Error.Message == "" {
		t.Errorf("%v: no error with a message: %s", err, a.body)
	}
	if body.Error.Field != field {
		t.Errorf("field %q, want %q: %s", body.Error.Field, field, a.body)
	}
}
