package main

import (
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/ringback-dev/ringback/webhook"
)

// A handler answers a request, or returns an error, which fail answers.
type handler func(http.ResponseWriter, *http.Request) error

// handlers serve the methods of one path.
type handlers map[string]handler

// methods serves a path with its handlers, HEAD like GET, and answers 405 to every
// other method.
func (c *crm) methods(served handlers) http.Handler {
	if get, ok := served["GET"]; ok {
		served["HEAD"] = get
	}
	allow := strings.Join(slices.Sorted(maps.Keys(served)), ", ")
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		handler, ok := served[r.Method]
		if !ok {
			w.Header().Set("Allow", allow)
			respondError(w, http.StatusMethodNotAllowed, "", "the methods here are "+allow)
			return
		}
		if err := handler(w, r); err != nil {
			c.fail(w, r, err)
		}
	})
}

// respond answers with JSON.
func respond(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.Encode(body) // fails only when the client is gone
}

// respondError answers with an error in the library's shape.
func respondError(w http.ResponseWriter, status int, field, message string) {
	type problem struct {
		Message string `json:"message"`
		Field   string `json:"field,omitempty"`
	}
	respond(w, status, map[string]problem{"error": {message, field}})
}

// fail answers with what an error of the product comes to. What went wrong inside
// is for the log, not for the client.
func (c *crm) fail(w http.ResponseWriter, r *http.Request, err error) {
	var invalid *webhook.InvalidError
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &invalid):
		// The event knows a field as profile.fields.age, the client as fields.age.
		field := strings.TrimPrefix(strings.TrimPrefix(invalid.Field, "profile."), "subprofile.")
		respondError(w, http.StatusBadRequest, field, strings.TrimSpace(field+" "+invalid.Message))
	case errors.As(err, &large):
		respondError(w, http.StatusRequestEntityTooLarge, "", "the body is larger than 1 MiB")
	case errors.Is(err, errNotFound):
		respondError(w, http.StatusNotFound, "", "there is no such record")
	default:
		if r.Context().Err() == nil { // otherwise the client is gone, and that is why
			c.logger.Error("request failed", "method", r.Method, "path", r.URL.Path, "error", err)
		}
		respondError(w, http.StatusInternalServerError, "", "something went wrong here; nothing was changed")
	}
}
