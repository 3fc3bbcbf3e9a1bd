package dispatch

import (
	"context"
	"errors"
	"log/slog"
	"sync"
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
// until the registry changes.
type listenerCache struct {
	store     webhook.Outbox
	evaluator *condition.Evaluator

	mu       sync.Mutex
	damaged  trouble
	revision int64
	size     int
	scopes   map[webhook.Scope]cached
	expires  time.Time // zero while nothing of it is damaged
}

// cached are the listeners of a scope.
type cached struct {
	list     []listener
	revision int64 // of the registry, as of which they were read
	large    bool  // they are too many to be kept
}

func newListenerCache(store webhook.Outbox, evaluator *condition.Evaluator, log *slog.Logger) *listenerCache {
	return &listenerCache{
		store: store, evaluator: evaluator, damaged: trouble{log: log, doing: "reading callbacks"},
		scopes: make(map[webhook.Scope]cached),
	}
}

// renew forgets everything when the registry has moved on, and reports whether it has.
func (c *listenerCache) renew(revision int64) (moved bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	moved = revision != c.revision
	if moved || !c.expires.IsZero() && !time.Now().Before(c.expires) {
		c.revision = revision
		c.clear()
	}
	return moved
}

// latest returns the revision of the registry that was seen last.
func (c *listenerCache) latest() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.revision
}

func (c *listenerCache) clear() {
	clear(c.scopes)
	c.size = 0
	c.expires = time.Time{}
}

// few returns the listeners of a scope and the revision of the registry that they are of,
// if they are no more than limit and all could be read.
func (c *listenerCache) few(ctx context.Context, scope webhook.Scope, limit int) (list []listener, revision int64, ok bool) {
	found, ok := c.get(scope)
	if !ok {
		var err error
		if found, err = c.read(ctx, scope); err != nil {
			return nil, 0, false
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return found.list, found.revision, !found.large && len(found.list) <= limit && c.expires.IsZero()
}

// of returns the listeners of a scope, as of the cache's revision or later.
func (c *listenerCache) of(ctx context.Context, scope webhook.Scope) ([]listener, error) {
	found, ok := c.get(scope)
	var err error
	if !ok || found.large {
		found, err = c.read(ctx, scope)
	}
	return found.list, err
}

func (c *listenerCache) get(scope webhook.Scope) (found cached, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	found, ok = c.scopes[scope]
	return found, ok
}

// read reads the listeners of a scope and keeps them.
func (c *listenerCache) read(ctx context.Context, scope webhook.Scope) (cached, error) {
	stored, err := c.store.Listeners(ctx, scope)
	damaged := errors.Is(err, webhook.ErrDamaged)
	if err != nil && !damaged {
		return cached{}, err
	}
	list := make([]listener, len(stored.Callbacks))
	for i, callback := range stored.Callbacks {
		l := listener{Callback: callback}
		l.condition, l.err = c.evaluator.Compile(callback.Expression)
		list[i] = l
	}
	read := cached{list: list, revision: stored.Revision, large: len(list) > maxCached}
	c.mu.Lock()
	defer c.mu.Unlock()
	if damaged {
		c.damaged.note(err) // never that it is over: one scope's health says nothing of another's
	}
	if stored.Revision >= c.revision {
		c.keep(scope, read, damaged)
	}
	return read, nil
}

// keep is called with mu held.
func (c *listenerCache) keep(scope webhook.Scope, read cached, damaged bool) {
	if read.large {
		read.list = nil
	}
	size := len(read.list) + 1 // that a scope has no listeners takes room as well
	if c.size+size > maxCached {
		c.clear()
	}
	if _, known := c.scopes[scope]; known {
		return
	}
	c.size += size
	c.scopes[scope] = read
	if damaged && c.expires.IsZero() {
		c.expires = time.Now().Add(damagedTime)
	}
}
