package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/ringback-dev/ringback/webhook"
)

const (
	// What ?2, ?3 and ?4 select of what has ended of a callback.
	replaySource = ` FROM ringback_deliveries INDEXED BY ringback_deliveries_callback
	WHERE callback_id = ?1 AND ended > 0 AND event_sequence <= ?2 AND created >= ?3 AND ?4 IN (0, state)`

	insertReplay = `INSERT INTO ringback_replays (callback_id, last_sequence, since, state) VALUES (?1, ?2, ?3, ?4)`

	// The oldest request of the callback whose turn it is: that behind ?1.
	selectReplay = `SELECT id, callback_id, since, state, after_sequence, last_sequence FROM ringback_replays
	WHERE callback_id = coalesce((SELECT min(callback_id) FROM ringback_replays WHERE callback_id > ?1),
		(SELECT min(callback_id) FROM ringback_replays))
	ORDER BY id LIMIT 1`

	selectReplayed = `SELECT event_sequence, ended > 0 AND created >= ?4 AND ?5 IN (0, state)
	FROM ringback_deliveries INDEXED BY ringback_deliveries_callback
	WHERE callback_id = ?1 AND event_sequence > ?2 AND event_sequence <= ?3 ORDER BY event_sequence LIMIT ?6`

	moveReplay = `UPDATE ringback_replays SET after_sequence = ?3 WHERE id = ?1 AND after_sequence = ?2`
)

// StartReplay implements [webhook.History]. It counts before it takes the write lock.
func (s *Store) StartReplay(ctx context.Context, r webhook.ReplayRequest) (selected int, err error) {
	number := callbackNumber(r.Callback)
	state := 0
	switch r.State {
	case "":
	case webhook.DeliveryDelivered:
		state = 4
	case webhook.DeliveryDead:
		state = 5
	default:
		return 0, fmt.Errorf("sqlite: start replay: %w",
			webhook.Invalid("state", "is %q, use delivered or dead, or leave it out for both", r.State))
	}
	var last int64
	err = s.readers.read(ctx, "start replay", func(tx tx) error {
		if err := tx.active(number); err != nil {
			return err
		}
		if err := tx.row("SELECT coalesce(max(sequence), 0) FROM ringback_events").Scan(&last); err != nil {
			return err
		}
		return tx.row("SELECT count(*)"+replaySource, number, last, millis(r.Since), state).Scan(&selected)
	})
	if err != nil || selected == 0 {
		return 0, err
	}
	err = s.write(ctx, "start replay", 1, func(tx tx) error {
		if err := tx.active(number); err != nil {
			return err
		}
		var open int
		err := tx.row("SELECT count(*) FROM ringback_replays WHERE callback_id = ?", number).Scan(&open)
		if err == nil && open >= webhook.MaxReplays {
			err = webhook.ErrLimit
		}
		if err != nil {
			return err
		}
		_, err = tx.exec(insertReplay, number, last, millis(r.Since), state)
		return err
	})
	if err != nil {
		return 0, err
	}
	s.bell.ring()
	return selected, nil
}

// A replay is a request of StartReplay, as far as it is done.
type replay struct{ id, callback, since, state, after, last int64 }

// ContinueReplays implements [webhook.History]. It looks for the deliveries before it
// takes the write lock.
func (s *Store) ContinueReplays(ctx context.Context, limit int) (more bool, err error) {
	var r replay
	var selected []int64
	var next int64
	err = s.readers.read(ctx, "continue replays", func(tx tx) error {
		err := tx.row(selectReplay, s.replayed.Load()).Scan(&r.id, &r.callback, &r.since, &r.state, &r.after, &r.last)
		if err != nil {
			return err
		}
		selected, next, err = tx.selectReplays(r, limit)
		return err
	})
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	s.replayed.Store(r.callback)
	err = s.write(ctx, "continue replays", stepSize, func(tx tx) error {
		if more, err = tx.replay(r, selected, next); err != nil || more {
			return err
		}
		return tx.row("SELECT EXISTS (SELECT 1 FROM ringback_replays)").Scan(&more)
	})
	if err != nil {
		return false, err
	}
	if len(selected) > 0 {
		s.bell.ring()
	}
	return more, nil
}

// replaysLooked is how many deliveries a step looks at: few may be selected.
const replaysLooked = 5000

// selectReplays returns the next deliveries of a request, by the sequence of their
// events, and where the step behind them begins: 0 when there is none.
func (t tx) selectReplays(r replay, limit int) (selected []int64, next int64, err error) {
	looked, full := 0, false
	err = t.rows(func(row scanner) error {
		var sequence int64
		var chosen bool
		if err := row.Scan(&sequence, &chosen); err != nil || full {
			return err
		}
		if chosen && len(selected) == max(limit, 0) {
			full = true
			return nil
		}
		if chosen {
			selected = append(selected, sequence)
		}
		looked++
		next = sequence
		return nil
	}, selectReplayed, r.callback, r.after, r.last, r.since, r.state, replaysLooked)
	if full {
		next = max(next, r.after)
	} else if looked < replaysLooked {
		next = 0
	}
	return selected, next, err
}

// replay replays a part of a request, unless another has done so. It reports whether
// there is more of it.
func (t tx) replay(r replay, selected []int64, next int64) (more bool, err error) {
	if next == 0 {
		next = r.last
	} else {
		more = true
	}
	moved, err := t.exec(moveReplay, r.id, r.after, next)
	if err != nil || moved == 0 {
		return true, err
	}
	for _, sequence := range selected {
		if _, err := t.exec(replayDelivery, sequence, r.callback); err != nil {
			return false, err
		}
	}
	if !more {
		_, err = t.exec("DELETE FROM ringback_replays WHERE id = ?", r.id)
	}
	return more, err
}
