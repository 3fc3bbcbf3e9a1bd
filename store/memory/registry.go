package memory

import (
	"context"
	"slices"
	"strconv"

	"github.com/ringback-dev/ringback/webhook"
)

// CreateCallback implements [webhook.Registry].
func (s *Store) CreateCallback(ctx context.Context, c webhook.Callback, limit int) (webhook.Callback, error) {
	if err := ctx.Err(); err != nil {
		return webhook.Callback{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if limit > 0 && s.crowded(c.Scope(), limit) {
		return webhook.Callback{}, webhook.ErrLimit
	}
	s.lastCallback++
	s.revision++
	c = c.WithDefaults()
	c.ID = strconv.FormatInt(s.lastCallback, 10)
	c.PreviousUntil = millis(c.PreviousUntil)
	c.Created = now().time()
	c.Updated = c.Created
	c.Version = 1
	c.After = s.lastSequence
	c.ExpressionFailures, c.ExpressionError = 0, webhook.ExpressionError{}
	c.Health = webhook.Health{}
	if c.State == webhook.StateActive {
		c.Reason = ""
	}
	s.register(&callback{
		Callback: c,
		number:   s.lastCallback,
		lanes:    make(map[lane]line),
		ready:    queue{less: earlier},
	})
	return c, nil
}

// register adds a callback to what is known of all of them, unregister takes it off.
func (s *Store) register(c *callback) {
	scope := c.Scope()
	s.callbacks = s.callbacks.add(c)
	s.registered[c.ID] = c
	s.bound[scope] = s.bound[scope].add(c)
	s.listed[webhook.Scope{Database: c.Database}]++
	s.listed[webhook.Scope{Collection: c.Collection}]++
}

func (s *Store) unregister(c *callback) {
	scope := c.Scope()
	s.callbacks = s.callbacks.remove(c)
	delete(s.registered, c.ID)
	if s.bound[scope] = s.bound[scope].remove(c); len(s.bound[scope]) == 0 {
		delete(s.bound, scope)
	}
	for _, place := range []webhook.Scope{{Database: c.Database}, {Collection: c.Collection}} {
		if s.listed[place]--; s.listed[place] == 0 {
			delete(s.listed, place)
		}
	}
	s.working = s.working.remove(c)
	s.replaying = s.replaying.remove(c)
}

// crowded reports whether the database or the collection of a scope has limit
// callbacks already.
func (s *Store) crowded(scope webhook.Scope, limit int) bool {
	return scope.Database != "" && s.listed[webhook.Scope{Database: scope.Database}] >= limit ||
		scope.Collection != "" && s.listed[webhook.Scope{Collection: scope.Collection}] >= limit
}

// Callback implements [webhook.Registry].
func (s *Store) Callback(ctx context.Context, id string) (webhook.Callback, error) {
	if err := ctx.Err(); err != nil {
		return webhook.Callback{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.registered[id]
	if c == nil {
		return webhook.Callback{}, webhook.ErrNotFound
	}
	return c.Callback, nil
}

// Callbacks implements [webhook.Registry].
func (s *Store) Callbacks(ctx context.Context, q webhook.CallbackQuery) (webhook.CallbackPage, error) {
	if err := ctx.Err(); err != nil {
		return webhook.CallbackPage{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var page webhook.CallbackPage
	selected := 0
	for _, c := range s.callbacks {
		if q.Scope.Database != "" && c.Database != q.Scope.Database ||
			q.Scope.Collection != "" && c.Collection != q.Scope.Collection {
			continue
		}
		selected++
		if selected > q.Start && len(page.Callbacks) < q.Limit {
			page.Callbacks = append(page.Callbacks, c.Callback)
		}
	}
	if q.WithTotal {
		page.Total = selected
	}
	return page, nil
}

// UpdateCallback implements [webhook.Registry].
func (s *Store) UpdateCallback(ctx context.Context, c webhook.Callback) (webhook.Callback, error) {
	if err := ctx.Err(); err != nil {
		return webhook.Callback{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	stored := s.registered[c.ID]
	if stored == nil {
		return webhook.Callback{}, webhook.ErrNotFound
	}
	if stored.Version != c.Version {
		return webhook.Callback{}, webhook.ErrConflict
	}
	c = c.WithDefaults()
	if stored.Expression != c.Expression {
		stored.ExpressionFailures, stored.ExpressionError = 0, webhook.ExpressionError{}
	}
	enabled := stored.State == webhook.StateDisabled && c.State == webhook.StateActive
	if stored.URL != c.URL || enabled {
		stored.Health = webhook.Health{Successes: stored.Health.Successes}
	}
	stored.URL = c.URL
	stored.Expression = c.Expression
	stored.When = c.When
	stored.Action = c.Action
	stored.Method = c.Method
	stored.Encoding = c.Encoding
	stored.Ordering = c.Ordering
	if c.State == webhook.StateDisabled {
		s.disable(stored, c.Reason)
	} else {
		stored.State, stored.Reason = webhook.StateActive, ""
	}
	stored.Secret = c.Secret
	stored.PreviousSecret = c.PreviousSecret
	stored.PreviousUntil = millis(c.PreviousUntil)
	stored.Updated = now().time()
	stored.Version++
	s.revision++
	s.wake()
	return stored.Callback, nil
}

// DeleteCallback implements [webhook.Registry].
func (s *Store) DeleteCallback(ctx context.Context, id string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.registered[id]
	if c == nil {
		return webhook.ErrNotFound
	}
	for _, d := range c.deliveries {
		e := d.event
		if i, found := e.search(c); found {
			e.deliveries = slices.Delete(e.deliveries, i, i+1)
		}
		if !d.state.Ended() {
			s.backlog--
		}
		s.dequeue(d)
		if d.worker != nil {
			d.worker.drop(d)
		}
	}
	s.unregister(c)
	s.revision++
	s.wake()
	return nil
}
