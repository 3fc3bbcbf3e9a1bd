package httpapi

import (
	"context"
	"runtime/debug"

	"github.com/ringback-dev/ringback/webhook"
)

// tellState tells the host of a callback whose state has changed. That is stored: so
// neither a client that is gone nor a panic of the host's may get in the way.
func (a *API) tellState(ctx context.Context, c webhook.Callback) {
	if a.stateChanged == nil {
		return
	}
	defer func() {
		if fault := recover(); fault != nil {
			a.logger.ErrorContext(ctx, "panic in OnStateChange",
				"callback", c.ID, "panic", fault, "stack", string(debug.Stack()))
		}
	}()
	a.stateChanged(context.WithoutCancel(ctx), c)
}
