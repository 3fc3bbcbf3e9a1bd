package sqlite

import (
	"context"
	"errors"

	"github.com/ringback-dev/ringback/webhook"
)

// FanOutAndClaim implements [webhook.FanOutClaimer]. What can't be read it leaves for
// Claim, which tells of it.
func (s *Store) FanOutAndClaim(
	ctx context.Context, expansions []webhook.Expansion, r webhook.ClaimRequest,
) ([]webhook.Claimed, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	var b *birth
	asked := make(map[string]int)
	err := s.fanOut(ctx, expansions, func(tx tx, f *fanOut) error {
		if err := tx.fence(r.Worker); err != nil {
			return err
		}
		b = &birth{r: r, asked: asked, callbacks: make(map[string]*parent)}
		f.birth = b
		if err := f.replaceAll(tx, expansions); err != nil || len(b.claimed) == 0 {
			return err
		}
		return tx.beat(r.Worker)
	})
	if err != nil {
		return nil, err
	}
	return b.claimed, nil
}

// A birth claims deliveries as they are written.
type birth struct {
	r         webhook.ClaimRequest
	asked     map[string]int // what Room has said: it is called once, however often the work is run
	callbacks map[string]*parent
	claimed   []webhook.Claimed
	size      int // of the messages, in bytes
	full      bool
}

// A parent is a callback of deliveries that are being written.
type parent struct {
	webhook.Callback
	room int // for so many more
}

// claimant returns the worker to claim a delivery with a message that is ready, 0 where
// none is to.
func (b *birth) claimant(tx tx, callback string, message []byte) (webhook.Worker, error) {
	if b.full || len(b.claimed) >= b.r.Limit || message == nil {
		return 0, nil
	}
	to, err := b.parent(tx, callback)
	if err != nil || to.room <= 0 {
		return 0, err
	}
	if len(b.claimed) > 0 && b.size+len(message) > b.r.LimitBytes {
		b.full = true
		return 0, nil
	}
	return b.r.Worker, nil
}

// parent looks a callback up, the first time.
func (b *birth) parent(tx tx, callback string) (*parent, error) {
	if known := b.callbacks[callback]; known != nil {
		return known, nil
	}
	c, err := scanCallback(tx.row(selectCallback, callbackNumber(callback)))
	if err != nil && !errors.Is(err, webhook.ErrNotFound) && !errors.Is(err, webhook.ErrDamaged) {
		return nil, err
	}
	known := &parent{Callback: c}
	b.callbacks[callback] = known
	if err == nil && c.State == webhook.StateActive && !c.Health.Paused(b.r.Now) {
		known.room = b.ask(c)
	}
	return known, nil
}

// ask returns for how many deliveries of a callback there is room.
func (b *birth) ask(c webhook.Callback) int {
	if b.r.Room == nil {
		return b.r.Limit
	}
	room, found := b.asked[c.ID]
	if !found {
		room = b.r.Room(c.ID, c.Health)
		b.asked[c.ID] = room
	}
	return room
}

// add takes notice of a delivery that was claimed.
func (b *birth) add(e *takenOff, d webhook.Delivery) {
	to := b.callbacks[d.Callback]
	to.room--
	body := message(e.Expansion, d.Method)
	b.size += len(body)
	b.claimed = append(b.claimed, webhook.Claimed{Delivery: d, To: to.Callback, Message: body})
}
