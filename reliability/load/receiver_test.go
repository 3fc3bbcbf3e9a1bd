package load_test

import (
	"encoding/json"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/ringback-dev/ringback/webhook"
)

// A receiver is a third party's server that takes everything. It knows what has come
// first when.
type receiver struct {
	*httptest.Server
	t *testing.T
	// before is called with each event's ID when it has come, before it is answered.
	// It is set before anything comes.
	before func(r *http.Request, event string)
	// forgetful is set where it is not to remember when they came.
	forgetful bool

	mu      sync.Mutex
	first   map[string]time.Time // by event
	last    map[string]int       // by record, the n that came last
	count   int                  // of events
	repeats int
}

func newReceiver(t *testing.T) *receiver {
	t.Helper()
	r := &receiver{t: t, first: make(map[string]time.Time), last: make(map[string]int)}
	r.Server = httptest.NewUnstartedServer(http.HandlerFunc(r.take))
	r.Config.ErrorLog = log.New(io.Discard, "", 0)
	r.Start()
	t.Cleanup(r.Close)
	return r
}

// take takes a message. The nth change of a record comes after the one before it.
func (r *receiver) take(w http.ResponseWriter, request *http.Request) {
	came := time.Now()
	var m struct {
		Profile struct {
			ID     string `json:"ID"`
			Fields struct {
				N int `json:"n"`
			} `json:"fields"`
		} `json:"profile"`
	}
	body, err := io.ReadAll(request.Body)
	if err != nil {
		return // its sender is gone
	}
	if err := json.Unmarshal(body, &m); err != nil {
		r.t.Errorf("a message %q: %v", body, err)
		return
	}
	event, _, _ := webhook.SplitDeliveryID(request.Header.Get("webhook-id"))
	r.mu.Lock()
	if n, last := m.Profile.Fields.N, r.last[m.Profile.ID]; n <= last {
		r.repeats++
	} else {
		if n > last+1 {
			r.t.Errorf("change %d of %s came after %d", n, m.Profile.ID, last)
		}
		r.last[m.Profile.ID] = n
		r.count++
		if !r.forgetful {
			r.first[event] = came
		}
	}
	r.mu.Unlock()
	if r.before != nil {
		r.before(request, event)
	}
}

// events returns how many events have come.
func (r *receiver) events() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.count
}

// came returns when an event has come first, and whether it has.
func (r *receiver) came(event string) (time.Time, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	at, ok := r.first[event]
	return at, ok
}

// repeated returns how many requests brought an event that had come before.
func (r *receiver) repeated() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.repeats
}
