package main

import (
	"context"
	"log/slog"

	"github.com/ringback-dev/ringback/webhook"
)

// logState logs each change of a callback's state, whoever made it. A real host tells
// the callback's owner. The URL is not logged: many receivers have a token in theirs.
func logState(logger *slog.Logger) func(context.Context, webhook.Callback) {
	return func(ctx context.Context, c webhook.Callback) {
		logger.WarnContext(ctx, "callback changed its state",
			"callback", c.ID, "state", c.State, "reason", c.Reason)
	}
}
