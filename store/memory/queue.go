package memory

import (
	"container/heap"
	"context"
	"slices"
	"time"

	"github.com/ringback-dev/ringback/webhook"
)

// Claim implements [webhook.Queue].
func (s *Store) Claim(ctx context.Context, r webhook.ClaimRequest) ([]webhook.Claimed, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	w := s.workers[r.Worker]
	if w == nil {
		return nil, webhook.ErrFenced
	}
	claimed := s.claim(w, r)
	if len(claimed) > 0 {
		w.beat++
	}
	return claimed, nil
}

func (s *Store) claim(w *worker, r webhook.ClaimRequest) (claimed []webhook.Claimed) {
	size := 0
	for _, c := range s.from(r.After) {
		if len(claimed) >= r.Limit {
			break
		}
		c.promote(r.Now)
		if c.ready.Len() == 0 || c.Health.Paused(r.Now) { // a disabled one has none ready
			continue
		}
		room := min(c.ready.Len(), r.Limit-len(claimed))
		if r.Room != nil {
			room = min(room, r.Room(c.ID, c.Health))
		}
		for range room {
			d := c.ready.items[0]
			message := d.event.messages[d.method]
			size += len(message)
			if len(claimed) > 0 && size > r.LimitBytes {
				return claimed
			}
			heap.Pop(&c.ready)
			claimed = append(claimed, d.claim(w))
		}
	}
	return claimed
}

// claim gives a delivery, which is in no heap, to a worker.
func (d *delivery) claim(w *worker) webhook.Claimed {
	d.state = webhook.DeliveryClaimed
	d.worker = w
	w.claims[d] = true
	return webhook.Claimed{Delivery: d.view(), To: d.callback.Callback, Message: d.event.messages[d.method]}
}

// claimNew claims of the deliveries that were just made those that are ready.
func (s *Store) claimNew(w *worker, r webhook.ClaimRequest, made []*delivery) (claimed []webhook.Claimed) {
	room := make(map[*callback]int)
	size := 0
	for _, d := range made {
		if len(claimed) >= r.Limit {
			break
		}
		c := d.callback
		if d.state != webhook.DeliveryReady || c.Health.Paused(r.Now) {
			continue
		}
		left, visited := room[c]
		if !visited {
			left = r.Limit
			if r.Room != nil {
				left = r.Room(c.ID, c.Health)
			}
		}
		room[c] = left - 1
		if left <= 0 {
			continue
		}
		size += len(d.event.messages[d.method])
		if len(claimed) > 0 && size > r.LimitBytes {
			break
		}
		c.ready.remove(d)
		claimed = append(claimed, d.claim(w))
	}
	if len(claimed) > 0 {
		w.beat++
	}
	return claimed
}

// from returns the callbacks in the order of a claim: those behind one, then the
// others.
func (s *Store) from(after string) []*callback {
	i := s.behind(after)
	return slices.Concat(s.callbacks[i:], s.callbacks[:i])
}

// promote makes those deliveries ready whose time has come. Those are scheduled again
// whose time had come only by a clock that has been set back since.
func (c *callback) promote(now time.Time) {
	if now.Before(c.promoted) {
		c.ready.items = slices.DeleteFunc(c.ready.items, func(d *delivery) bool {
			early := d.due.After(now)
			if early {
				heap.Push(&c.scheduled, d)
			}
			return early
		})
		heap.Init(&c.ready)
	}
	c.promoted = now
	for c.scheduled.Len() > 0 && !c.scheduled.items[0].due.After(now) {
		heap.Push(&c.ready, heap.Pop(&c.scheduled))
	}
}
