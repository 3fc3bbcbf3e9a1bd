package dispatch

import (
	"context"

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
func (l *listener) hears(event *webhook.Event) bool {
	return event.Sequence > l.After && (l.Action == webhook.ActionAll || l.Action == event.Action)
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

// maxCached bounds the listeners in memory. A scope with more is read anew for each
// event.
const maxCached = 50_000

// A listenerCache keeps the listeners of the scopes that events come from, compiled,
// until the registry changes. It is used by one goroutine.
type listenerCache struct {
	store     webhook.Outbox
	evaluator *condition.Evaluator
	revision  int64
	size      int
	scopes    map[webhook.Scope][]listener
}

func newListenerCache(store webhook.Outbox, evaluator *condition.Evaluator) *listenerCache {
	return &listenerCache{store: store, evaluator: evaluator, scopes: make(map[webhook.Scope][]listener)}
}

// renew forgets everything when the registry has moved on.
func (c *listenerCache) renew(revision int64) {
	if revision != c.revision {
		c.revision = revision
		c.clear()
	}
}

func (c *listenerCache) clear() {
	clear(c.scopes)
	c.size = 0
}

// listeners returns the listeners of a scope, as of the cache's revision or later.
func (c *listenerCache) listeners(ctx context.Context, scope webhook.Scope) ([]listener, error) {
	if found, ok := c.scopes[scope]; ok {
		return found, nil
	}
	read, err := c.store.Listeners(ctx, scope)
	if err != nil {
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
	return list, nil
}
