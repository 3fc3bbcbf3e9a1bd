package main

import (
	"context"
	"crypto/subtle"
	"log/slog"
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
		sent, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		if !ok || subtle.ConstantTimeCompare([]byte(sent), []byte(token)) != 1 {
			return httpapi.ErrUnauthorized
		}
		return nil
	}
}

// logState logs each change of a callback's state, whoever made it. A real host tells
// the callback's owner.
func logState(logger *slog.Logger) func(context.Context, webhook.Callback) {
	return func(ctx context.Context, c webhook.Callback) {
		logger.WarnContext(ctx, "callback changed its state",
			"callback", c.ID, "url", c.URL, "state", c.State, "reason", c.Reason)
	}
}
