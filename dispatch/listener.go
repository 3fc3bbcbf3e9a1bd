package dispatch

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/ringback-dev/ringback/webhook"
	"github.com/ringback-dev/ringback/webhook/condition"
)

// A listener is a callback ready to be matched.
type listener struct {
	webhook.Callback
	condition *condition.Condition
	err       error // why there is no condition
}

// hears reports whether the callback is bound to this kind of change and was there
// when it happened. The scope has been looked at already.
func (l *listener) hears(sequence int64, action webhook.Action) bool {
	return sequence > l.After && (l.Action == webhook.ActionAll || l.Action == action)
}

// A turn is what a callback's condition says about an event.
type turn struct {
	fires   bool
	failure string // how it failed; empty where it came to an answer
	tooLong bool   // it ran into its deadline
}

// turn judges whether the condition takes the turn that the callback waits for.
func (l *listener) turn(event *webhook.Event, scope *condition.Scope) turn {
	if l.err != nil {
		return turn{failure: l.err.Error()}
	}
	var now, before condition.Result
	if l.When == webhook.WhenMatches || event.Action != webhook.ActionDelete {
		now = scope.Evaluate(l.condition)
	}
	if l.When != webhook.WhenMatches && event.Before() != nil {
		before = scope.EvaluateBefore(l.condition)
	}
	for _, result := range []*condition.Result{&now, &before} {
		if result.Verdict == condition.Failed {
			return turn{failure: result.Message, tooLong: result.Class == condition.ClassDeadline}
		}
	}
	holds, held := now.Verdict == condition.Matched, before.Verdict == condition.Matched
	switch l.When {
	case webhook.WhenEnters:
		return turn{fires: holds && !held}
	case webhook.WhenLeaves:
		return turn{fires: held && !holds}
	case webhook.WhenChanges:
		return turn{fires: holds != held}
	}
	return turn{fires: holds}
}

const (
	// maxCached bounds the listeners in memory. A scope with more is read anew for each
	// event.
	maxCached = 50_000

	// damagedTime is for how long listeners are kept of which some could not be read: it
	// may have been a passing fault.
	damagedTime = time.Minute
)

// A listenerCache keeps the listeners of the scopes that events come from, compiled,
// until the registry changes. It is used by one goroutine.
type listenerCache struct {
	store     webhook.Outbox
	evaluator *condition.Evaluator
	damaged   trouble
	revision  int64
	size      int
	scopes    map[webhook.Scope][]listener
	expires   time.Time // zero while nothing of it is damaged
}

func newListenerCache(store webhook.Outbox, evaluator *condition.Evaluator, log *slog.Logger) *listenerCache {
	return &listenerCache{
		store: store, evaluator: evaluator, damaged: trouble{log: log, doing: "reading callbacks"},
		scopes: make(map[webhook.Scope][]listener),
	}
}

// renew forgets everything when the registry has moved on.
func (c *listenerCache) renew(revision int64) {
	if revision != c.revision || !c.expires.IsZero() && !time.Now().Before(c.expires) {
		c.revision = revision
		c.clear()
	}
}

func (c *listenerCache) clear() {
	clear(c.scopes)
	c.size = 0
	c.expires = time.Time{}
}

// listeners returns the listeners of a scope, as of the cache's revision or later.
func (c *listenerCache) listeners(ctx context.Context, scope webhook.Scope) ([]listener, error) {
	if found, ok := c.scopes[scope]; ok {
		return found, nil
	}
	read, err := c.store.Listeners(ctx, scope)
	damaged := errors.Is(err, webhook.ErrDamaged)
	switch {
	case damaged:
		c.damaged.note(err) // never that it is over: one scope's health says nothing of another's
	case err != nil:
		return nil, err
	}
	list := make([]listener, len(read.Callbacks))
	for i, callback := range read.Callbacks {
		l := listener{Callback: callback}
		l.condition, l.err = c.evaluator.Compile(callback.Expression)
		list[i] = l
	}
	size := len(list) + 1 // that a scope has no listeners takes room as well
	if size > maxCached {
		return list, nil
	}
	if c.size+size > maxCached {
		c.clear()
	}
	c.size += size
	c.scopes[scope] = list
	if damaged && c.expires.IsZero() {
		c.expires = time.Now().Add(damagedTime)
	}
	return list, nil
}
