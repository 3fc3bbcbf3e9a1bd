package sqlite

import (
	"database/sql"
	"errors"
	"slices"
	"strconv"

	"github.com/ringback-dev/ringback/webhook"
	"github.com/ringback-dev/ringback/webhook/signature"
)

const (
	callbackColumns = `id, database_id, collection_id, url, expression, fires, action, method, encoding,
		ordering, state, reason, secret, previous_secret, previous_until, created, updated, version, after_sequence,
		failures, failure, failure_event, failure_time, ` + healthColumns

	selectCallbacks = "SELECT " + callbackColumns + " FROM ringback_callbacks WHERE "

	selectCallback = selectCallbacks + "id = ?"
)

// scanCallback reads callbackColumns. The error of one that can't be read matches
// [webhook.ErrDamaged].
func scanCallback(row scanner) (c webhook.Callback, err error) {
	var created, updated, until, failed int64
	var secret, previous string
	var health storedHealth
	err = row.Scan(&c.ID, &c.Database, &c.Collection, &c.URL, &c.Expression, &c.When, &c.Action, &c.Method, &c.Encoding,
		&c.Ordering, &c.State, &c.Reason, &secret, &previous, &until, &created, &updated, &c.Version, &c.After,
		&c.ExpressionFailures, &c.ExpressionError.Message, &c.ExpressionError.Event, &failed,
		&health.successes, &health.failures, &health.failingSince, &health.pausedUntil)
	if errors.Is(err, sql.ErrNoRows) {
		err = webhook.ErrNotFound
	}
	if err != nil {
		return webhook.Callback{}, err
	}
	if c.Secret, err = parseSecret(secret); err == nil {
		c.PreviousSecret, err = parseSecret(previous)
	}
	if err != nil {
		return webhook.Callback{}, damaged("callback %s: %w", c.ID, err)
	}
	if !slices.Contains(whens[:], c.When) || !slices.Contains(actions[:], c.Action) ||
		!slices.Contains(methods[:], c.Method) || !slices.Contains(encodings[:], c.Encoding) ||
		!slices.Contains(orderings[:], c.Ordering) || !slices.Contains(standings[:], c.State) {
		return webhook.Callback{}, damaged("callback %s: fires %q, action %q, method %q, encoding %q, ordering %q, state %q",
			c.ID, c.When, c.Action, c.Method, c.Encoding, c.Ordering, c.State)
	}
	c.PreviousUntil = fromMillis(until)
	c.Created, c.Updated, c.ExpressionError.Time = fromMillis(created), fromMillis(updated), fromMillis(failed)
	c.Health = health.webhook()
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

// callbacks returns the callbacks that a condition selects. Those that can't be
// read are noted and left out.
func (t tx) callbacks(unread *damage, condition string, args ...any) (callbacks []webhook.Callback, err error) {
	err = t.rows(func(row scanner) error {
		c, err := scanCallback(row)
		if err == nil {
			callbacks = append(callbacks, c)
		}
		return unread.note(err)
	}, selectCallbacks+condition, args...)
	return callbacks, err
}
