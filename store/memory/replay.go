package memory

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/ringback-dev/ringback/webhook"
)

// A replayRequest asks for deliveries of a callback to be replayed.
type replayRequest struct {
	webhook.ReplayRequest
	selected []*delivery // what is left of them, in the order of their events
}

// Replay implements [webhook.History].
func (s *Store) Replay(ctx context.Context, id string) (webhook.Delivery, error) {
	if err := ctx.Err(); err != nil {
		return webhook.Delivery{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	d, err := s.lookUp(id)
	switch {
	case err != nil:
		return webhook.Delivery{}, err
	case d.callback.State == webhook.StateDisabled:
		return webhook.Delivery{}, webhook.ErrDisabled
	case !d.state.Ended():
		return d.view(), nil
	case d.message == nil:
		none := webhook.Invalid("delivery", "has no message to send")
		return webhook.Delivery{}, fmt.Errorf("memory: replay: %w", none)
	}
	s.replay(d)
	return d.view(), nil
}

// replay opens a delivery that has ended again.
func (s *Store) replay(d *delivery) {
	d.replayed, d.passed = true, false
	d.earlier = d.tried
	d.reason = ""
	d.due, d.from, d.ended = 0, 0, 0
	s.open(d)
	if d.state == webhook.DeliveryReady {
		s.offer(d)
	}
}

// StartReplay implements [webhook.History].
func (s *Store) StartReplay(ctx context.Context, r webhook.ReplayRequest) (selected int, err error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.registered[r.Callback]
	if c == nil {
		return 0, webhook.ErrNotFound
	}
	if c.State == webhook.StateDisabled {
		return 0, webhook.ErrDisabled
	}
	if len(c.replays) >= webhook.MaxReplays {
		return 0, webhook.ErrLimit
	}
	request := &replayRequest{ReplayRequest: r}
	for _, d := range c.deliveries {
		if request.selects(d) {
			request.selected = append(request.selected, d)
		}
	}
	slices.SortFunc(request.selected, func(a, b *delivery) int {
		return cmp.Compare(a.event.sequence, b.event.sequence)
	})
	selected = len(request.selected)
	if selected > 0 {
		if len(c.replays) == 0 {
			s.replaying = s.replaying.add(c)
		}
		c.replays = append(c.replays, request)
		s.wake()
	}
	return selected, nil
}

func (r *replayRequest) selects(d *delivery) bool {
	return d.state.Ended() && (r.State == "" || r.State == d.state) && d.created >= at(r.Since)
}

// ContinueReplays implements [webhook.History].
func (s *Store) ContinueReplays(ctx context.Context, limit int) (more bool, err error) {
	if err := ctx.Err(); err != nil {
		return false, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.replaying) > 0 && limit > 0 {
		c := s.replaying.next(s.lastReplaying)
		s.lastReplaying = c.number
		for len(c.replays) > 0 && limit > 0 {
			if d := c.replays[0].next(); d != nil {
				s.replay(d)
				limit--
			} else {
				c.replays = c.replays[1:]
			}
		}
		if len(c.replays) == 0 {
			s.replaying = s.replaying.remove(c)
		}
	}
	return len(s.replaying) > 0, nil
}

// next returns the next delivery that is to be replayed, or nil at the end.
func (r *replayRequest) next() *delivery {
	for len(r.selected) > 0 {
		d := r.selected[0]
		r.selected = r.selected[1:]
		if d.event.to(d.callback) == d && r.selects(d) && d.message != nil {
			return d
		}
	}
	return nil
}
