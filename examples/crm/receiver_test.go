package main_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
)

// A message is a POST as a receiver got it.
type message struct {
	path   string
	method string
	header http.Header
	body   []byte
}

// id is the receiver's idempotency key.
func (m *message) id() string { return m.header.Get("webhook-id") }

// A receiver is a third party's server.
type receiver struct {
	*httptest.Server
	messages chan message
}

// newReceiver starts a receiver that answers 200, or what answer says.
func newReceiver(t *testing.T, answer func(message) (status int)) *receiver {
	t.Helper()
	return newReceiverFunc(t, func(w http.ResponseWriter, m message) {
		if answer != nil {
			w.WriteHeader(answer(m))
		}
	})
}

// newReceiverFunc starts a receiver that answers as it is told.
func newReceiverFunc(t *testing.T, answer func(http.ResponseWriter, message)) *receiver {
	t.Helper()
	r := &receiver{messages: make(chan message, 10_000)}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		body, err := io.ReadAll(request.Body)
		if err != nil {
			return // a process that was killed in the middle
		}
		m := message{request.URL.Path, request.Method, request.Header, body}
		r.messages <- m
		answer(w, m)
	}))
	t.Cleanup(r.Close)
	return r
}

// next returns the next message that arrived.
func (r *receiver) next(t *testing.T) message {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	select {
	case m := <-r.messages:
		return m
	case <-ctx.Done():
		t.Fatal("no message arrives")
		return message{}
	}
}

// empty checks that no message has arrived but those that were taken.
func (r *receiver) empty(t *testing.T) {
	t.Helper()
	select {
	case m := <-r.messages:
		t.Errorf("unexpected message to %s: %s", m.path, m.body)
	default:
	}
}
