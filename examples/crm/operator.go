package main

import (
	"crypto/subtle"
	"net/http"
	"strings"

	"github.com/ringback-dev/ringback/httpapi"
	"github.com/ringback-dev/ringback/webhook"
)

// operator lets those purge who send the token. Without a token nobody is an operator.
func operator(token string) httpapi.Authorize {
	if token == "" {
		return nil
	}
	return func(r *http.Request, _ webhook.Scope) error {
		scheme, sent, _ := strings.Cut(r.Header.Get("Authorization"), " ")
		if !strings.EqualFold(scheme, "Bearer") || subtle.ConstantTimeCompare([]byte(sent), []byte(token)) != 1 {
			return httpapi.ErrUnauthorized
		}
		return nil
	}
}
