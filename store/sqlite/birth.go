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
	err := s.fanOut(ctx, expansions, func(f *fanOut) error {
		if err := f.tx.fence(r.Worker); err != nil {
			return err
		}
		b = &birth{r: r, asked: asked, claimed: make([]webhook.Claimed, 0, min(max(r.Limit, 0), len(expansions)))}
		f.birth = b
		if err := f.replaceAll(expansions); err != nil || len(b.claimed) == 0 {
			return err
		}
		return f.tx.beat(r.Worker)
	})
	if err != nil {
		return nil, err
	}
	return b.claimed, nil
}

// A birth claims deliveries as they are written.
type birth struct {
	r       webhook.ClaimRequest
	asked   map[string]int // what Room has said: it is called once, however often the work is run
	claimed []webhook.Claimed
	size    int // of the messages, in bytes
	full    bool
}

// A parent is a callback of deliveries that are being written.
type parent struct {
	webhook.Callback
	room int // for so many more
}

// claimant returns the worker to claim a delivery with a message that is ready, 0 where
// none is to.
func (b *birth) claimant(tx tx, to *addressee, message []byte) (webhook.Worker, error) {
	if b.full || len(b.claimed) >= b.r.Limit || message == nil {
		return 0, nil
	}
	if to.parent == nil {
		var err error
		if to.parent, err = b.parent(tx, to.number); err != nil {
			return 0, err
		}
	}
	if to.parent.room <= 0 {
		return 0, nil
	}
	if len(b.claimed) > 0 && b.size+len(message) > b.r.LimitBytes {
		b.full = true
		return 0, nil
	}
	return b.r.Worker, nil
}

// parent looks a callback up.
func (b *birth) parent(tx tx, callback int64) (*parent, error) {
	c, err := scanCallback(tx.row(selectCallback, callback))
	if err != nil && !errors.Is(err, webhook.ErrNotFound) && !errors.Is(err, webhook.ErrDamaged) {
		return nil, err
	}
	found := &parent{Callback: c}
	if err == nil && c.State == webhook.StateActive && !c.Health.Paused(b.r.Now) {
		found.room = b.ask(c)
	}
	return found, nil
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

// add takes notice of a delivery of an event that was claimed. Its message is the
// expansion's own: nobody writes to either.
func (b *birth) add(to *addressee, e *fanned, d webhook.Delivery) {
	message := e.Messages.In(d.Method)
	to.parent.room--
	b.size += len(message)
	b.claimed = append(b.claimed, webhook.Claimed{Delivery: d, To: &to.parent.Callback, Message: message})
}
