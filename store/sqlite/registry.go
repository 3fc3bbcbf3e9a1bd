package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"strconv"
	"time"

	"github.com/ringback-dev/ringback/webhook"
	"github.com/ringback-dev/ringback/webhook/signature"
)

const callbackColumns = `id, database_id, collection_id, url, expression, fires, action, method, encoding,
	secret, previous_secret, previous_until, created, updated, version, after_sequence, failures, failure, failure_event, failure_time`

const selectCallback = "SELECT " + callbackColumns + " FROM ringback_callbacks WHERE id = ?"

// scanCallback reads callbackColumns.
func scanCallback(row scanner) (c webhook.Callback, err error) {
	var created, updated, until, failed int64
	var secret, previous string
	err = row.Scan(&c.ID, &c.Database, &c.Collection, &c.URL, &c.Expression, &c.When, &c.Action, &c.Method, &c.Encoding,
		&secret, &previous, &until, &created, &updated, &c.Version, &c.After,
		&c.ExpressionFailures, &c.ExpressionError.Message, &c.ExpressionError.Event, &failed)
	if errors.Is(err, sql.ErrNoRows) {
		err = webhook.ErrNotFound
	}
	if err != nil {
		return webhook.Callback{}, err
	}
	if c.Secret, err = parseSecret(secret); err != nil {
		return webhook.Callback{}, err
	}
	if c.PreviousSecret, err = parseSecret(previous); err != nil {
		return webhook.Callback{}, err
	}
	c.PreviousUntil = fromMillis(until)
	c.Created, c.Updated, c.ExpressionError.Time = fromMillis(created), fromMillis(updated), fromMillis(failed)
	return c, nil
}

// parseSecret reads the text of a secret; none is the zero Secret.
func parseSecret(text string) (signature.Secret, error) {
	if text == "" {
		return signature.Secret{}, nil
	}
	return signature.ParseSecret(text)
}

// callbackNumber returns the number behind a callback's ID; 0, which none has, for
// what is no ID.
func callbackNumber(id string) int64 {
	number, err := strconv.ParseInt(id, 10, 64)
	if err != nil || strconv.FormatInt(number, 10) != id {
		return 0
	}
	return number
}

// CreateCallback implements [webhook.Registry].
func (s *Store) CreateCallback(ctx context.Context, c webhook.Callback, limit int) (webhook.Callback, error) {
	c = c.WithDefaults()
	err := s.write(ctx, "create callback", func(tx tx) error {
		if limit > 0 {
			var inDatabase, inCollection int
			err := tx.row(`SELECT
				(SELECT count(*) FROM ringback_callbacks WHERE database_id = ?1 AND ?1 <> ''),
				(SELECT count(*) FROM ringback_callbacks WHERE collection_id = ?2 AND ?2 <> '')`,
				c.Database, c.Collection).Scan(&inDatabase, &inCollection)
			if err != nil {
				return err
			}
			if inDatabase >= limit || inCollection >= limit {
				return webhook.ErrLimit
			}
		}
		// SQLite notes the last number of a table that was given, pruned or not.
		created, err := scanCallback(tx.row(`INSERT INTO ringback_callbacks
			(database_id, collection_id, url, expression, fires, action, method, encoding,
				secret, previous_secret, previous_until, created, updated, after_sequence)
			VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?12,
				coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'ringback_events'), 0))
			RETURNING `+callbackColumns,
			c.Database, c.Collection, c.URL, c.Expression, string(c.When), string(c.Action), string(c.Method),
			string(c.Encoding), c.Secret.Reveal(), c.PreviousSecret.Reveal(), millis(c.PreviousUntil), millis(time.Now())))
		if err != nil {
			return err
		}
		c = created
		return tx.changeRegistry()
	})
	if err != nil {
		return webhook.Callback{}, err
	}
	return c, nil
}

// changeRegistry makes a new revision of the registry.
func (t tx) changeRegistry() error {
	_, err := t.exec("UPDATE ringback_registry SET revision = revision + 1")
	return err
}

// Callback implements [webhook.Registry].
func (s *Store) Callback(ctx context.Context, id string) (c webhook.Callback, err error) {
	err = s.read(ctx, "callback", func(q querier) error {
		c, err = scanCallback(q.QueryRowContext(ctx, selectCallback, callbackNumber(id)))
		return err
	})
	if err != nil {
		return webhook.Callback{}, err
	}
	return c, nil
}

// queryCallbacks returns the callbacks that a condition selects.
func queryCallbacks(ctx context.Context, q querier, condition string, args ...any) ([]webhook.Callback, error) {
	var callbacks []webhook.Callback
	err := scanRows(ctx, q, func(row scanner) error {
		c, err := scanCallback(row)
		callbacks = append(callbacks, c)
		return err
	}, "SELECT "+callbackColumns+" FROM ringback_callbacks WHERE "+condition, args...)
	return callbacks, err
}

// Callbacks implements [webhook.Registry].
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
	err = s.read(ctx, "callbacks", func(db querier) error {
		if q.WithTotal {
			err := db.QueryRowContext(ctx, "SELECT count(*) FROM ringback_callbacks WHERE "+condition, args...).
				Scan(&page.Total)
			if err != nil {
				return err
			}
		}
		page.Callbacks, err = queryCallbacks(ctx, db, condition+" ORDER BY id LIMIT ? OFFSET ?",
			append(args, q.Limit, q.Start)...)
		return err
	})
	if err != nil {
		return webhook.CallbackPage{}, err
	}
	return page, nil
}

// A new expression has not failed yet.
const forgetFailures = `UPDATE ringback_callbacks SET failures = 0, failure = '', failure_event = '', failure_time = 0
	WHERE id = ?1 AND expression <> ?2`

// UpdateCallback implements [webhook.Registry].
func (s *Store) UpdateCallback(ctx context.Context, c webhook.Callback) (webhook.Callback, error) {
	c = c.WithDefaults()
	err := s.write(ctx, "update callback", func(tx tx) error {
		number := callbackNumber(c.ID)
		var version int64
		err := tx.row("SELECT version FROM ringback_callbacks WHERE id = ?", number).Scan(&version)
		switch {
		case errors.Is(err, sql.ErrNoRows):
			return webhook.ErrNotFound
		case err != nil:
			return err
		case version != c.Version:
			return webhook.ErrConflict
		}
		if _, err := tx.exec(forgetFailures, number, c.Expression); err != nil {
			return err
		}
		c, err = scanCallback(tx.row(`UPDATE ringback_callbacks SET url = ?2, expression = ?3, fires = ?4, action = ?5,
				method = ?6, encoding = ?7, secret = ?8, previous_secret = ?9, previous_until = ?10, updated = ?11,
				version = version + 1
			WHERE id = ?1 RETURNING `+callbackColumns,
			number, c.URL, c.Expression, string(c.When), string(c.Action), string(c.Method), string(c.Encoding),
			c.Secret.Reveal(), c.PreviousSecret.Reveal(), millis(c.PreviousUntil), millis(time.Now())))
		if err != nil {
			return err
		}
		return tx.changeRegistry()
	})
	if err != nil {
		return webhook.Callback{}, err
	}
	return c, nil
}

// DeleteCallback implements [webhook.Registry]. The callback's deliveries are
// invisible from then on; there may be a million, so Prune removes them, a few at a
// time.
func (s *Store) DeleteCallback(ctx context.Context, id string) error {
	return s.write(ctx, "delete callback", func(tx tx) error {
		switch gone, err := tx.exec("DELETE FROM ringback_callbacks WHERE id = ?", callbackNumber(id)); {
		case err != nil:
			return err
		case gone == 0:
			return webhook.ErrNotFound
		}
		return tx.changeRegistry()
	})
}
