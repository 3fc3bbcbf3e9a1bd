package sqlite

import (
	"database/sql"
	"errors"

	"github.com/ringback-dev/ringback/webhook"
)

const selectStanding = `SELECT state = 'disabled', reason, version,
		coalesce((SELECT failing_since FROM ringback_health WHERE callback_id = id), 0)
	FROM ringback_callbacks WHERE id = ?`

// An account is what a batch means to a callback.
type account struct {
	callback int64
	number   any          // the same as an argument
	health   storedHealth // what is to be added
	ends     bool         // the batch has disabled it

	delivered []any // sequences of deliveries that are still to be settled as delivered

	// What is stored, once it was looked up.
	known        bool
	disabled     bool
	reason       string
	version      int64
	failingSince int64
}

func (b *settlement) account(callback string) *account {
	a := b.accounts[callback]
	if a == nil {
		number := callbackNumber(callback)
		a = &account{callback: number, number: number}
		b.accounts[callback] = a
		b.order = append(b.order, a)
	}
	return a
}

// look looks up how a callback stands. One that is gone stands no way.
func (b *settlement) look(a *account) error {
	if a.known {
		return nil
	}
	a.known = true
	err := b.tx.row(selectStanding, a.callback).Scan(&a.disabled, &a.reason, &a.version, &a.failingSince)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	return err
}

// note notes what an outcome means to its callback.
func (b *settlement) note(a *account, o *webhook.Outcome) error {
	if o.Disable != nil {
		if err := b.look(a); err != nil {
			return err
		}
		// As it stood before this attempt, which has failed.
		since := a.health.after(a.failingSince)
		if !a.disabled && a.version == o.Disable.Version &&
			(o.Disable.FailingSince.IsZero() || since == millis(o.Disable.FailingSince)) {
			a.disabled, a.ends, a.reason = true, true, o.Disable.Reason
		}
	}
	if o.Attempt != nil {
		a.health.count(o.Attempt, o.State == webhook.DeliveryDelivered)
	}
	a.health.pause(o)
	return nil
}
