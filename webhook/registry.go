package webhook

import "context"

// A Registry keeps callbacks.
type Registry interface {
	// CreateCallback stores a new callback, which the caller has validated, and
	// returns it with ID, Created, Updated, Version and After set and defaults
	// filled in. An ID is never given twice. It returns ErrLimit when its
	// database or its collection has limit callbacks already; a limit of 0 is
	// none.
	CreateCallback(ctx context.Context, c Callback, limit int) (Callback, error)

	// Callback returns one callback, or ErrNotFound.
	Callback(ctx context.Context, id string) (Callback, error)

	// Callbacks returns a page of the callbacks that are listed under a scope.
	Callbacks(ctx context.Context, q CallbackQuery) (CallbackPage, error)

	// UpdateCallback replaces what may change of a callback (URL, Expression,
	// When, Action, Method, Encoding, Ordering, State, Reason and the secrets) and
	// returns the whole. An expression other than the stored one resets
	// ExpressionFailures and ExpressionError; another URL, and a disabled callback
	// that becomes active, reset what Health has except for the successes. It returns
	// ErrNotFound, or ErrConflict when c.Version is not the stored one; then nothing
	// changes.
	//
	// A callback that is disabled has its open deliveries ended: they become dead, with
	// the callback's reason. Those that are claimed may still go out, and become dead
	// unless they are delivered. Where there are very many, the last of them become
	// dead with the next steps of Prune, or when the callback becomes active again if
	// that is sooner; none of them is given to a worker.
	UpdateCallback(ctx context.Context, c Callback) (Callback, error)

	// DeleteCallback removes a callback with all its deliveries, or returns
	// ErrNotFound. A delivery that is claimed at that moment may still go out;
	// settling it then does nothing.
	DeleteCallback(ctx context.Context, id string) error
}

// A CallbackQuery asks for a page of callbacks.
type CallbackQuery struct {
	// Scope selects. A database lists what is bound to it, to a collection of it
	// too; a collection lists what is bound to it, of one database or all; both
	// together list what is bound to both; an empty scope lists everything.
	Scope Scope
	// Start is how many to pass over, Limit how many to return at most (at
	// least 1). The order is that of creation and never changes.
	Start, Limit int
	// WithTotal asks for the total.
	WithTotal bool
}

// A CallbackPage is the answer to a [CallbackQuery].
type CallbackPage struct {
	Callbacks []Callback
	// Total counts all that the scope selects; 0 unless asked for.
	Total int
}
