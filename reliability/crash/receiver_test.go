//go:build unix

package crash_test

import (
	"context"
	"encoding/json"
	"encoding/xml"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"testing"
)

// A post is a request as the receiver got it, and how it was answered.
type post struct {
	ID     string // the webhook-id
	Path   string
	Body   string
	Status int
}

// An answer is what a receiver makes of a request.
type answer struct {
	status int
	text   string
	hold   func(context.Context) // waits before it answers; nil does not
}

// A receiver is a third party's server. It writes each request to a file before it
// answers.
type receiver struct {
	*httptest.Server
	t    *testing.T
	file *os.File

	mu    sync.Mutex
	count map[string]int // by webhook-id
}

// newReceiver starts a receiver. decide is given each request, how often it has come by
// now, and is called once at a time.
func newReceiver(t *testing.T, decide func(p post, times int) answer) *receiver {
	t.Helper()
	file, err := os.Create(filepath.Join(t.TempDir(), "received"))
	if err != nil {
		t.Fatal(err)
	}
	r := &receiver{t: t, file: file, count: make(map[string]int)}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		body, err := io.ReadAll(request.Body)
		if err != nil {
			return // its sender was killed amid the request
		}
		a := r.note(post{ID: request.Header.Get("webhook-id"), Path: request.URL.Path, Body: string(body)}, decide)
		if a.hold != nil {
			a.hold(request.Context())
		}
		w.WriteHeader(a.status)
		io.WriteString(w, a.text)
	}))
	t.Cleanup(func() {
		r.Close()
		file.Close()
	})
	return r
}

// note decides about a request and writes it down.
func (r *receiver) note(p post, decide func(post, int) answer) answer {
	r.mu.Lock()
	defer r.mu.Unlock()
	a := decide(p, r.count[p.ID]+1)
	p.Status = a.status
	if err := json.NewEncoder(r.file).Encode(p); err != nil {
		r.t.Error(err)
	}
	r.count[p.ID]++
	return a
}

// times returns how often each message has come so far, by webhook-id.
func (r *receiver) times() map[string]int {
	r.mu.Lock()
	defer r.mu.Unlock()
	times := make(map[string]int, len(r.count))
	for id, n := range r.count {
		times[id] = n
	}
	return times
}

// each calls f for every request that was written down, in order.
func (r *receiver) each(f func(post)) {
	r.t.Helper()
	file, err := os.Open(r.file.Name())
	if err != nil {
		r.t.Fatal(err)
	}
	defer file.Close()
	for decoder := json.NewDecoder(file); ; {
		var p post
		if err := decoder.Decode(&p); err == io.EOF {
			return
		} else if err != nil {
			r.t.Fatal(err)
		}
		f(p)
	}
}

// content returns what a message tells of.
func (p *post) content() (record string, n int, err error) {
	var message struct {
		Profile struct {
			ID     string `xml:"ID"`
			Fields struct {
				N int `json:"n" xml:"n"`
			} `json:"fields" xml:"fields"`
		} `json:"profile" xml:"profile"`
	}
	if p.Path == "/xml" {
		err = xml.Unmarshal([]byte(p.Body), &message)
	} else {
		err = json.Unmarshal([]byte(p.Body), &message)
	}
	return message.Profile.ID, message.Profile.Fields.N, err
}
