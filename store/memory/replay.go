package memory

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

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
	case !d.hasMessage():
		none := webhook.Invalid("delivery", "has no message to send")
		return webhook.Delivery{}, fmt.Errorf("memory: replay: %w", none)
	}
	s.replay(d)
	s.wake()
	return d.view(), nil
}

func (d *delivery) hasMessage() bool {
	_, found := d.event.messages[d.method]
	return found
}

// replay opens a delivery that has ended again.
func (s *Store) replay(d *delivery) {
	d.replayed, d.passed = true, false
	d.earlier = d.tried
	d.reason = ""
	d.due, d.from, d.ended = time.Time{}, time.Time{}, time.Time{}
	s.open(d)
}

// StartReplay implements [webhook.History].
func (s *Store) StartReplay(ctx context.Context, r webhook.ReplayRequest) (selected int, err error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.find(r.Callback)
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
		c.replays = append(c.replays, request)
	}
	s.wake()
	return selected, nil
}

func (r *replayRequest) selects(d *delivery) bool {
	return d.state.Ended() && (r.State == "" || r.State == d.state) && !d.created.Before(millis(r.Since))
}

// ContinueReplays implements [webhook.History].
func (s *Store) ContinueReplays(ctx context.Context, limit int) (more bool, err error) {
	if err := ctx.Err(); err != nil {
		return false, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := s.nextReplaying(); c != nil && limit > 0; c = s.nextReplaying() {
		s.lastReplaying = c.number
		for len(c.replays) > 0 && limit > 0 {
			if d := c.replays[0].next(); d != nil {
				s.replay(d)
				limit--
			} else {
				c.replays = c.replays[1:]
			}
		}
	}
	s.wake()
	return s.nextReplaying() != nil, nil
}

// nextReplaying returns the callback whose turn it is to have deliveries replayed, nil
// where nothing is to be replayed.
func (s *Store) nextReplaying() *callback {
	for _, c := range s.from(id(s.lastReplaying)) {
		if len(c.replays) > 0 {
			return c
		}
	}
	return nil
}

// next returns the next delivery that is to be replayed, or nil at the end.
func (r *replayRequest) next() *delivery {
	for len(r.selected) > 0 {
		d := r.selected[0]
		r.selected = r.selected[1:]
		if d.event.deliveries[d.callback] == d && r.selects(d) && d.hasMessage() {
			return d
		}
	}
	return nil
}
