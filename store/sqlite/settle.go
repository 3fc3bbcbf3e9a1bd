package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/ringback-dev/ringback/webhook"
)

const (
	// ?7 is the number of the attempt and ?8 when it began, NULL for none.
	settleDelivery = `UPDATE ringback_deliveries
	SET state = ?3, due = ?4, ended = ?5, reason = coalesce(?6, ''), attempts = coalesce(?7, attempts),
		began = coalesce(?8, began), worker = 0
	WHERE event_sequence = ?1 AND callback_id = ?2`

	forgetAttempts = `DELETE FROM ringback_attempts
	WHERE event_sequence = ?1 AND callback_id = ?2 AND number <= ?3`

	forgetFirst = `UPDATE ringback_deliveries
	SET first_began = NULL, first_duration = NULL, first_status = NULL, first_answer = NULL
	WHERE event_sequence = ?1 AND callback_id = ?2 AND first_status IS NOT NULL`

	passDelivery = `UPDATE ringback_deliveries SET track = track | ` + passed + `
	WHERE event_sequence = ?1 AND callback_id = ?2`

	// The first that is open, and was not passed, is the successor of the one that ended
	// or was passed: for no other delivery may it be asked.
	readySuccessor = `UPDATE ringback_deliveries SET state = ` + ready + `, due = 0
	WHERE callback_id = ` + int1 + ` AND state = ` + waiting + ` AND event_sequence = (
		SELECT min(event_sequence) FROM ringback_deliveries INDEXED BY ringback_deliveries_order
		WHERE callback_id = ` + int1 + ` AND lane = ` + int2 + ` AND track = ` + int3 + ` AND ended = 0)`
)

// settleDelivered settles those that were delivered by an attempt, which most outcomes are,
// given when they ended. When the last attempt began does not matter from then on.
var settleDelivered = newChange("state = " + delivered + `, due = 0, ended = ?%d, reason = '', attempts = attempts + 1, worker = 0`)

// insertEnded writes deliveries that were held and have been delivered by their first attempt,
// with that.
var insertEnded = newBulk(`INSERT INTO ringback_deliveries
	(event_sequence, callback_id, lane, state, attempts, method, encoding, created, ended,
		first_began, first_duration, first_status, first_answer)`,
	"(?, ?, ?, "+delivered+", 1, ?, ?, ?, ?, ?, ?, ?, coalesce(?, ''))", "")

// selectUnusual returns, of deliveries that a worker has claimed, those for which others
// wait, and where they keep order; and without a place those that it has not claimed, or
// that have another number of attempts. Most outcomes give no row. The third column of a key
// is the number of the attempt, NULL for none.
//
// They are looked for and then changed, in a transaction, because RETURNING would take 3 µs
// longer.
var selectUnusual = newLookup(`SELECT key.column1, d.lane, d.track FROM `, 4, ` AS key
	LEFT JOIN ringback_deliveries AS d ON d.event_sequence = key.column2 AND d.callback_id = key.column3
		AND d.state = `+claimed+` AND d.worker = CAST(? AS INTEGER)
		AND d.attempts = coalesce(key.column4 - 1, d.attempts)
	WHERE d.lane IS NULL OR EXISTS (
		SELECT 1 FROM ringback_deliveries AS other INDEXED BY ringback_deliveries_order
		WHERE other.callback_id = d.callback_id AND other.lane = d.lane AND other.track = d.track
			AND other.ended = 0 AND other.event_sequence <> d.event_sequence)`)

var insertAttempts = newBulk(`INSERT INTO ringback_attempts
	(event_sequence, callback_id, number, began, duration, status, error, answer)`,
	"(?, ?, ?, ?, ?, ?, coalesce(?, ''), coalesce(?, ''))", "")

// Settle implements [webhook.Queue].
func (s *Store) Settle(ctx context.Context, w webhook.Worker, outcomes []webhook.Outcome) ([]webhook.Callback, error) {
	var disabled []webhook.Callback
	left, readied := false, false
	err := s.writer.transactPatiently(ctx, len(outcomes), func(tx tx) (err error) {
		if err := tx.fence(w); err != nil {
			return err
		}
		b := newSettlement(tx, outcomes)
		defer b.rest()
		if err := b.takeHeld(w); err != nil {
			return err
		}
		if err := b.find(w); err != nil {
			return err
		}
		for i := range outcomes {
			if err := b.settle(i); err != nil {
				return err
			}
		}
		disabled, err = b.close()
		left, readied = b.left || b.readied, b.readied
		return err
	})
	if err != nil {
		return nil, named("settle", err)
	}
	if readied {
		s.writer.turns.urge()
	}
	if left || len(disabled) > 0 {
		s.bell.ring()
	}
	return disabled, nil
}

// A settlement is a Settle under way.
type settlement struct {
	tx       tx
	now      int64
	ended    any // the same as an argument
	outcomes []webhook.Outcome
	claims   []claimedOne // by the outcomes' indices
	accounts map[string]*account
	order    []*account
	attempts *bulkRun
	settled  map[deliveryKey]bool // an outcome that comes again is passed over
	repeated []int                // outcomes of deliveries that have more attempts than are kept
	awaited  []int                // outcomes after which the next delivery at the place goes on
	left     bool                 // of them one is to be tried again
	readied  bool                 // a delivery that waited for one of them is ready
}

// A deliveryKey identifies a delivery.
type deliveryKey struct{ sequence, callback int64 }

// A claimedOne is what is known of the delivery that an outcome is about.
type claimedOne struct {
	account  *account
	sequence any  // as an argument
	number   any  // of the attempt, nil for none
	written  bool // it was held, and is written as delivered, with its attempt
	missing  bool // it is not claimed by the worker
	awaited  bool // others may wait for it at its place
	at       place
	track    int64
}

func newSettlement(tx tx, outcomes []webhook.Outcome) *settlement {
	now := millis(time.Now())
	b := &settlement{
		tx: tx, now: now, ended: now, outcomes: outcomes, claims: tx.conn.claims.take(len(outcomes))[:len(outcomes)],
		accounts: make(map[string]*account), attempts: tx.bulk(insertAttempts),
		settled: tx.conn.settled.take(),
	}
	for i := range outcomes {
		o, c := &outcomes[i], &b.claims[i]
		c.account, c.sequence = b.account(o.Callback), o.Sequence
		if o.Attempt != nil {
			c.number = int64(o.Attempt.Number)
		}
	}
	return b
}

// rest gives back what memory the settlement has taken.
func (b *settlement) rest() {
	b.tx.conn.claims.give(b.claims)
	b.tx.conn.settled.give(b.settled)
}

// takeHeld writes the deliveries that the worker holds: those that were delivered by their
// first attempt as they are then, others to be changed in their table.
func (b *settlement) takeHeld(w webhook.Worker) error {
	if _, err := b.tx.checkHeld(); err != nil {
		return err
	}
	ended, open := b.tx.bulk(insertEnded), b.tx.bulk(insertDeliveries)
	for i := range b.outcomes {
		o, c := &b.outcomes[i], &b.claims[i]
		key := deliveryKey{o.Sequence, c.account.callback}
		d, found, awaited, err := b.tx.takeHeld(key, w)
		switch {
		case err != nil:
			return err
		case !found:
			continue
		case atOnce(o):
			c.written, c.awaited, c.at = true, awaited, d.at
			err = ended.add(len(o.Attempt.Answer), c.sequence, c.account.number, d.lane, d.method, d.encoding,
				d.row.created, b.ended,
				millis(o.Attempt.Time), int64(o.Attempt.Duration), o.Attempt.Status, orNull(o.Attempt.Answer))
		default:
			err = open.add(0, d.insertion(key, claimed, w)...)
		}
		if err != nil {
			return err
		}
	}
	if err := ended.flush(); err != nil {
		return err
	}
	return open.flush()
}

// shortAnswer is how many bytes of an answer are kept with its delivery: what looks
// deliveries up reads the rows of others on its way.
const shortAnswer = 128

// atOnce reports whether an outcome is that of a first attempt that has delivered, and has no
// more to tell than its delivery has room for.
func atOnce(o *webhook.Outcome) bool {
	a := o.Attempt
	return o.State == webhook.DeliveryDelivered && a != nil && a.Number == 1 && a.Error == "" && len(a.Answer) <= shortAnswer
}

// find looks up what the other outcomes are about.
func (b *settlement) find(w webhook.Worker) error {
	keys := b.tx.conn.keys.take(4 * len(b.outcomes))
	defer func() { b.tx.conn.keys.give(keys) }()
	for i := range b.claims {
		if c := &b.claims[i]; !c.written {
			keys = append(keys, int64(i), c.sequence, c.account.number, c.number)
		}
	}
	return selectUnusual.all(b.tx, func(row scanner) error {
		var i int64
		var lane, track sql.NullInt64
		if err := row.Scan(&i, &lane, &track); err != nil {
			return err
		}
		c := &b.claims[i]
		c.missing, c.awaited = !lane.Valid, true
		c.at, c.track = place{c.account.callback, lane.Int64}, track.Int64
		return nil
	}, keys, int64(w))
}

// settle records an outcome, if its delivery is claimed by the worker.
func (b *settlement) settle(i int) error {
	o, c := &b.outcomes[i], &b.claims[i]
	a := c.account
	state, due, ended, reason := delivered, int64(0), b.ended, ""
	switch o.State {
	case webhook.DeliveryDelivered:
	case webhook.DeliveryDead:
		state, reason = dead, o.Reason
	case webhook.DeliveryReady:
		if err := b.look(a); err != nil {
			return err
		}
		if a.disabled {
			state, reason = dead, a.reason
			break
		}
		state, due, ended = ready, millis(o.Due), int64(0)
		if due != 0 {
			state = scheduled
		}
	default:
		return webhook.Invalid("state", "is %q, a claimed delivery becomes delivered, dead or ready", o.State)
	}
	key := deliveryKey{o.Sequence, a.callback}
	if c.missing || b.settled[key] {
		return nil
	}
	b.settled[key] = true
	var began any
	if o.Attempt != nil {
		began = millis(o.Attempt.Time)
	}
	switch {
	case c.written:
	case state == delivered && c.number != nil:
		a.delivered = append(a.delivered, c.sequence)
	default:
		err := b.tx.run(settleDelivery, c.sequence, a.number, stateNumber(state), due, ended, orNull(reason), c.number, began)
		if err != nil {
			return err
		}
	}
	open := state == ready || state == scheduled
	b.left = b.left || open
	if at := o.Attempt; at != nil && !c.written {
		err := b.attempts.add(len(at.Error)+len(at.Answer), c.sequence, a.number, c.number, began,
			int64(at.Duration), at.Status, orNull(at.Error), orNull(at.Answer))
		if err != nil {
			return err
		}
		if at.Number > webhook.MaxAttempts {
			b.repeated = append(b.repeated, i)
		}
	}
	if err := b.note(a, o); err != nil {
		return err
	}
	return b.makeWay(i, !open)
}

// makeWay notes that the later deliveries about a record are to go on when one has ended,
// or is to be passed.
func (b *settlement) makeWay(i int, ended bool) error {
	o, c := &b.outcomes[i], &b.claims[i]
	if c.track&1 != 0 {
		return nil // they do not wait for it
	}
	if !ended {
		if !o.Pass || c.account.disabled {
			return nil
		}
		if err := b.tx.run(passDelivery, o.Sequence, c.account.callback); err != nil {
			return err
		}
	}
	if c.awaited {
		b.awaited = append(b.awaited, i)
	}
	return nil
}

// flush writes what was gathered, and then lets the deliveries go on that waited.
func (b *settlement) flush() error {
	for _, a := range b.order {
		if err := settleDelivered.all(b.tx, nil, a.delivered, b.ended, a.number); err != nil {
			return err
		}
	}
	if err := b.attempts.flush(); err != nil {
		return err
	}
	for _, i := range b.awaited {
		c := &b.claims[i]
		readied, err := b.tx.exec(readySuccessor, c.at.callback, c.at.lane, c.track)
		if err != nil {
			return err
		}
		b.readied = b.readied || readied > 0
	}
	return nil
}

// close writes what the batch means to the callbacks, and returns those that it has
// disabled.
func (b *settlement) close() (disabled []webhook.Callback, err error) {
	if err := b.flush(); err != nil {
		return nil, err
	}
	for _, i := range b.repeated {
		o, callback := &b.outcomes[i], b.claims[i].account.callback
		err := b.tx.run(forgetAttempts, o.Sequence, callback, o.Attempt.Number-webhook.MaxAttempts)
		if err == nil {
			err = b.tx.run(forgetFirst, o.Sequence, callback)
		}
		if err != nil {
			return nil, err
		}
	}
	left := stepSize
	for _, a := range b.order {
		if err := b.tx.addHealth(a.callback, a.health); err != nil {
			return nil, err
		}
		if !a.ends {
			continue
		}
		if _, err := b.tx.exec(disableCallback, a.callback, a.reason, b.now); err != nil {
			return nil, err
		}
		ended, err := b.tx.beginEnding(a.callback, left)
		if err != nil {
			return nil, err
		}
		left -= ended
		if err := b.tx.changeRegistry(); err != nil {
			return nil, err
		}
		c, err := scanCallback(b.tx.row(selectCallback, a.callback))
		if err != nil && !errors.Is(err, webhook.ErrDamaged) {
			return nil, err
		}
		if err == nil {
			disabled = append(disabled, c)
		}
	}
	return disabled, nil
}
