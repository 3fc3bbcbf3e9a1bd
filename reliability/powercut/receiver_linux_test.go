package powercut_test

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync"
	"testing"
)

// Where the callbacks of a workload point to.
const (
	steadyPath = "/steady" // takes everything, some of it at the second request
	fussyPath  = "/fussy"  // refuses a few messages for good
)

// A receiver is what callbacks point to. It hands receipts over before it answers.
type receiver struct {
	url string

	mu    sync.Mutex
	take  func(receipt) error
	tries map[string]int // by delivery
}

// newReceiver returns a receiver that listens until the test ends.
func newReceiver(t *testing.T) *receiver {
	r := &receiver{take: nobody}
	server := httptest.NewServer(r)
	t.Cleanup(server.Close)
	r.url = server.URL
	return r
}

func nobody(receipt) error { return errors.New("nobody takes receipts now") }

// handTo makes the receiver begin anew: it hands receipts to take until stop is
// called.
func (r *receiver) handTo(take func(receipt) error) (stop func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.take, r.tries = take, make(map[string]int)
	return func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.take = nobody
	}
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	body, err := io.ReadAll(request.Body)
	if err != nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	id := request.Header.Get("webhook-id")
	r.tries[id]++
	status := answer(request.URL.Path, id, r.tries[id])
	if err := r.take(receipt{id, strconv.Itoa(status), fmt.Sprintf("%x", sha256.Sum256(body))}); err != nil {
		status = http.StatusInternalServerError
	}
	w.WriteHeader(status)
}

// answer returns how a request is answered.
func answer(path, id string, try int) int {
	hash := fnv.New32a()
	hash.Write([]byte(id))
	sum := hash.Sum32()
	switch {
	case path == fussyPath && sum%20 == 0:
		return http.StatusInternalServerError
	case sum%5 == 0 && try == 1:
		return http.StatusServiceUnavailable
	}
	return http.StatusNoContent
}
