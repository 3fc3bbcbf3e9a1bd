package dispatch

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/ringback-dev/ringback/webhook"
	"github.com/ringback-dev/ringback/webhook/condition"
)

// An Engine delivers what is dispatched to its store. It does so while Run runs;
// events dispatched before or after wait in the store.
type Engine struct {
	store     webhook.Store
	options   Options
	evaluator *condition.Evaluator
	client    poster
	closeIdle func() // connections
	wall      func() time.Time
	running   atomic.Bool
	run       atomic.Pointer[run] // nil while there is none
}

// New returns an engine on a store. It starts nothing: see [Engine.Run].
func New(store webhook.Store, o *Options) (*Engine, error) {
	if store == nil {
		return nil, errors.New("dispatch: the store is nil")
	}
	options, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	evaluator, err := condition.New(&options.Conditions)
	if err != nil {
		return nil, err
	}
	client := newClient(&options)
	return &Engine{
		store:     store,
		options:   options,
		evaluator: evaluator,
		client:    client,
		closeIdle: client.CloseIdle,
		wall:      wallClock,
	}, nil
}

// Dispatch appends events to the store: durable when it returns nil. To make them
// part of a transaction of the host's own, use the store's InTx. Calls that are made at the
// same time may share a transaction, so when ctx ends while that is under way it is not
// known whether they are appended. What it was given is not read once it has returned.
//
// While Run runs it may evaluate the conditions of the callbacks that hear of the events,
// if they are few and were quick so far: then the events are written together with their
// deliveries.
func (e *Engine) Dispatch(ctx context.Context, events ...webhook.Event) error {
	if r := e.run.Load(); r != nil {
		return r.dispatch(ctx, events)
	}
	return e.store.Dispatch(ctx, events...)
}

// Check reports whether the engine would serve a callback: whether its expression
// is one that it runs, and its target one that it calls. A target that is a name is
// judged when it is dialled. Errors match webhook.ErrInvalid and name the field.
func (e *Engine) Check(_ context.Context, c webhook.Callback) error {
	if err := e.options.Targets.checkURL(c.URL); err != nil {
		return err
	}
	_, err := e.evaluator.Compile(c.Expression)
	return err
}
