package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/ringback-dev/ringback/webhook"
)

const (
	insertCallback = `INSERT INTO ringback_callbacks
		(database_id, collection_id, url, expression, fires, action, method, encoding, ordering, state, reason,
			secret, previous_secret, previous_until, created, updated, after_sequence)
		VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?15,
			` + lastSequence + `)
		RETURNING id`

	updateCallback = `UPDATE ringback_callbacks SET url = ?2, expression = ?3, fires = ?4, action = ?5,
			method = ?6, encoding = ?7, ordering = ?8, state = ?9, reason = ?10,
			secret = ?11, previous_secret = ?12, previous_until = ?13, updated = ?14, version = version + 1
		WHERE id = ?1`

	// A new expression has not failed yet.
	forgetFailures = `UPDATE ringback_callbacks SET failures = 0, failure = '', failure_event = '', failure_time = 0
	WHERE id = ?1 AND expression <> ?2`
)

// normal returns a callback as it is to be stored.
func normal(c webhook.Callback) webhook.Callback {
	c = c.WithDefaults()
	if c.State == webhook.StateActive {
		c.Reason = ""
	}
	return c
}

// CreateCallback implements [webhook.Registry].
func (s *Store) CreateCallback(ctx context.Context, c webhook.Callback, limit int) (webhook.Callback, error) {
	c = normal(c)
	var created webhook.Callback
	err := s.write(ctx, "create callback", 1, func(tx tx) error {
		if err := tx.checkLimit(c.Scope(), limit); err != nil {
			return err
		}
		// SQLite notes the last number of a table that was given, pruned or not.
		var number int64
		err := tx.row(insertCallback,
			c.Database, c.Collection, c.URL, c.Expression, string(c.When), string(c.Action), string(c.Method),
			string(c.Encoding), string(c.Ordering), string(c.State), c.Reason,
			c.Secret.Reveal(), c.PreviousSecret.Reveal(), millis(c.PreviousUntil), millis(time.Now())).Scan(&number)
		if err != nil {
			return err
		}
		if _, err := tx.exec("INSERT INTO ringback_health (callback_id) VALUES (?)", number); err != nil {
			return err
		}
		if created, err = scanCallback(tx.row(selectCallback, number)); err != nil {
			return err
		}
		return tx.changeRegistry()
	})
	if err != nil {
		return webhook.Callback{}, err
	}
	s.bell.ring()
	return created, nil
}

// checkLimit returns [webhook.ErrLimit] when a scope has as many callbacks as it may.
func (t tx) checkLimit(scope webhook.Scope, limit int) error {
	if limit <= 0 {
		return nil
	}
	var inDatabase, inCollection int
	err := t.row(`SELECT
		(SELECT count(*) FROM ringback_callbacks WHERE database_id = ?1 AND ?1 <> ''),
		(SELECT count(*) FROM ringback_callbacks WHERE collection_id = ?2 AND ?2 <> '')`,
		scope.Database, scope.Collection).Scan(&inDatabase, &inCollection)
	if err == nil && (inDatabase >= limit || inCollection >= limit) {
		err = webhook.ErrLimit
	}
	return err
}

// changeRegistry makes a new revision of the registry.
func (t tx) changeRegistry() error {
	_, err := t.exec("UPDATE ringback_registry SET revision = revision + 1")
	return err
}

// Callback implements [webhook.Registry]. The error for one that can't be read matches
// [webhook.ErrDamaged]; an update whose secrets and words are sound mends it.
func (s *Store) Callback(ctx context.Context, id string) (c webhook.Callback, err error) {
	err = s.readers.read(ctx, "callback", func(tx tx) error {
		c, err = scanCallback(tx.row(selectCallback, callbackNumber(id)))
		return err
	})
	if err != nil {
		return webhook.Callback{}, err
	}
	return c, nil
}

// Callbacks implements [webhook.Registry]. Callbacks that can't be read are left out of
// the page, which then comes with an error that matches [webhook.ErrDamaged].
func (s *Store) Callbacks(ctx context.Context, q webhook.CallbackQuery) (page webhook.CallbackPage, err error) {
	condition := "true"
	var args []any
	if q.Scope.Database != "" {
		condition += " AND database_id = ?"
		args = append(args, q.Scope.Database)
	}
	if q.Scope.Collection != "" {
		condition += " AND collection_id = ?"
		args = append(args, q.Scope.Collection)
	}
	var unread damage
	err = s.readers.read(ctx, "callbacks", func(tx tx) error {
		if q.WithTotal {
			err := tx.row("SELECT count(*) FROM ringback_callbacks WHERE "+condition, args...).
				Scan(&page.Total)
			if err != nil {
				return err
			}
		}
		page.Callbacks, err = tx.callbacks(&unread, condition+" ORDER BY id LIMIT ? OFFSET ?",
			append(args, q.Limit, q.Start)...)
		return err
	})
	if err != nil {
		return webhook.CallbackPage{}, err
	}
	return page, unread.found("callbacks")
}

// UpdateCallback implements [webhook.Registry].
func (s *Store) UpdateCallback(ctx context.Context, c webhook.Callback) (webhook.Callback, error) {
	c = normal(c)
	for {
		var updated *webhook.Callback
		err := s.write(ctx, "update callback", stepSize, func(tx tx) (err error) {
			updated, err = tx.update(c)
			return err
		})
		if err != nil {
			return webhook.Callback{}, err
		}
		if updated != nil {
			s.bell.ring() // it may be active again
			return *updated, nil
		}
	}
}

// update replaces what may change of a callback, and returns the whole; or it ends a part
// of what was left open when the callback was disabled, and returns nil.
func (t tx) update(c webhook.Callback) (updated *webhook.Callback, err error) {
	number := callbackNumber(c.ID)
	var version int64
	var url string
	var state webhook.State
	var ending bool
	err = t.row("SELECT version, url, state, ending FROM ringback_callbacks WHERE id = ?", number).
		Scan(&version, &url, &state, &ending)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return nil, webhook.ErrNotFound
	case err != nil:
		return nil, err
	case version != c.Version:
		return nil, webhook.ErrConflict
	}
	if ending {
		if ended, err := t.end(number, stepSize); err != nil || ended == stepSize {
			return nil, err
		}
	}
	if url != c.URL || state == webhook.StateDisabled && c.State == webhook.StateActive {
		if _, err := t.exec(resetHealth, number); err != nil {
			return nil, err
		}
	}
	if _, err := t.exec(forgetFailures, number, c.Expression); err != nil {
		return nil, err
	}
	_, err = t.exec(updateCallback,
		number, c.URL, c.Expression, string(c.When), string(c.Action), string(c.Method), string(c.Encoding),
		string(c.Ordering), string(c.State), c.Reason,
		c.Secret.Reveal(), c.PreviousSecret.Reveal(), millis(c.PreviousUntil), millis(time.Now()))
	if err != nil {
		return nil, err
	}
	if state != webhook.StateDisabled && c.State == webhook.StateDisabled {
		if _, err := t.beginEnding(number, stepSize); err != nil {
			return nil, err
		}
	}
	stored, err := scanCallback(t.row(selectCallback, number))
	if err != nil {
		return nil, err
	}
	return &stored, t.changeRegistry()
}

// DeleteCallback implements [webhook.Registry]. The callback's deliveries are
// invisible from then on; there may be a million, so Prune removes them, a few at a
// time.
func (s *Store) DeleteCallback(ctx context.Context, id string) error {
	err := s.write(ctx, "delete callback", 1, func(tx tx) error {
		switch gone, err := tx.exec("DELETE FROM ringback_callbacks WHERE id = ?", callbackNumber(id)); {
		case err != nil:
			return err
		case gone == 0:
			return webhook.ErrNotFound
		}
		return tx.changeRegistry()
	})
	if err == nil {
		s.bell.ring()
	}
	return err
}
