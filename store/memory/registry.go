package memory

import (
	"cmp"
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
	c.ID = id(s.lastCallback)
	c.PreviousUntil = millis(c.PreviousUntil)
	c.Created = now()
	c.Updated = c.Created
	c.Version = 1
	c.After = s.lastSequence
	c.ExpressionFailures, c.ExpressionError = 0, webhook.ExpressionError{}
	c.Health = webhook.Health{}
	if c.State == webhook.StateActive {
		c.Reason = ""
	}
	s.callbacks = append(s.callbacks, &callback{
		Callback:   c,
		number:     s.lastCallback,
		deliveries: make(map[*event]*delivery),
		lanes:      make(map[lane][]*delivery),
		ready:      queue{less: earlier},
		scheduled:  queue{less: dueEarlier},
	})
	return c, nil
}

// crowded reports whether the database or the collection of a scope has limit
// callbacks already.
func (s *Store) crowded(scope webhook.Scope, limit int) bool {
	inDatabase, inCollection := 0, 0
	for _, c := range s.callbacks {
		if scope.Database != "" && c.Database == scope.Database {
			inDatabase++
		}
		if scope.Collection != "" && c.Collection == scope.Collection {
			inCollection++
		}
	}
	return inDatabase >= limit || inCollection >= limit
}

// Callback implements [webhook.Registry].
func (s *Store) Callback(ctx context.Context, id string) (webhook.Callback, error) {
	if err := ctx.Err(); err != nil {
		return webhook.Callback{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.find(id)
	if c == nil {
		return webhook.Callback{}, webhook.ErrNotFound
	}
	return c.Callback, nil
}

// find returns a callback, or nil.
func (s *Store) find(id string) *callback {
	if i := s.behind(id); i > 0 && s.callbacks[i-1].ID == id {
		return s.callbacks[i-1]
	}
	return nil
}

// behind returns the index of the first callback behind an ID, which need not
// exist.
func (s *Store) behind(id string) int {
	number, _ := strconv.ParseInt(id, 10, 64)
	i, found := slices.BinarySearchFunc(s.callbacks, number, func(c *callback, number int64) int {
		return cmp.Compare(c.number, number)
	})
	if found {
		i++
	}
	return i
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
	stored := s.find(c.ID)
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
	stored.Updated = now()
	stored.Version++
	s.revision++
	return stored.Callback, nil
}

// DeleteCallback implements [webhook.Registry].
func (s *Store) DeleteCallback(ctx context.Context, id string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.find(id)
	if c == nil {
		return webhook.ErrNotFound
	}
	for e, d := range c.deliveries {
		delete(e.deliveries, c)
		if !d.state.Ended() {
			s.backlog--
		}
		if d.worker != nil {
			delete(d.worker.claims, d)
		}
	}
	i := s.behind(id)
	s.callbacks = slices.Delete(s.callbacks, i-1, i)
	s.revision++
	return nil
}
