package memory

import (
	"container/heap"
	"context"
	"fmt"
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
		if c.ready.Len() == 0 {
			continue
		}
		room := min(c.ready.Len(), r.Limit-len(claimed))
		if r.Room != nil {
			room = min(room, r.Room(c.ID))
		}
		for range room {
			d := c.ready.items[0]
			message := d.event.messages[d.method]
			size += len(message)
			if len(claimed) > 0 && size > r.LimitBytes {
				return claimed
			}
			heap.Pop(&c.ready)
			d.state = webhook.DeliveryClaimed
			d.worker = w
			w.claims[d] = true
			claimed = append(claimed, webhook.Claimed{Delivery: d.view(), To: c.Callback, Message: message})
		}
	}
	return claimed
}

// from returns the callbacks in the order of a claim: those behind one, then the
// others.
func (s *Store) from(after string) []*callback {
	i := s.behind(after)
	return slices.Concat(s.callbacks[i:], s.callbacks[:i])
}

// promote makes those deliveries ready whose time has come.
func (c *callback) promote(now time.Time) {
	for c.scheduled.Len() > 0 && !c.scheduled.items[0].due.After(now) {
		heap.Push(&c.ready, heap.Pop(&c.scheduled))
	}
}

// Settle implements [webhook.Queue].
func (s *Store) Settle(ctx context.Context, number webhook.Worker, outcomes []webhook.Outcome) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	for _, o := range outcomes {
		if o.State != webhook.DeliveryReady && !o.State.Ended() {
			return fmt.Errorf("memory: settle: %w", webhook.Invalid("state", "is %q", o.State))
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	w := s.workers[number]
	if w == nil {
		return webhook.ErrFenced
	}
	for _, o := range outcomes {
		if d := s.delivery(o.Sequence, o.Callback); d != nil && d.worker == w && d.follows(o.Attempt) {
			d.settle(o)
		}
	}
	s.wake()
	return nil
}

// delivery returns the delivery of an event to a callback, or nil.
func (s *Store) delivery(sequence int64, callback string) *delivery {
	e, c := s.event(sequence), s.find(callback)
	if e == nil || c == nil {
		return nil
	}
	return e.deliveries[c]
}

// follows reports whether an attempt, if any was made, is the delivery's next.
func (d *delivery) follows(a *webhook.Attempt) bool {
	return a == nil || a.Number == len(d.attempts)+1
}

// settle records the outcome of a claimed delivery.
func (d *delivery) settle(o webhook.Outcome) {
	if o.Attempt != nil {
		a := *o.Attempt
		a.Time = millis(a.Time)
		d.attempts = append(d.attempts, a)
	}
	d.due = millis(o.Due)
	if !o.State.Ended() {
		d.release()
		return
	}
	delete(d.worker.claims, d)
	d.worker = nil
	d.state = o.State
	if o.State == webhook.DeliveryDead {
		d.reason = o.Reason
	}
	d.ended = now()

	// Only the first of a lane is ever claimed, so it is the first that ends.
	c, record := d.callback, d.event.record
	c.lanes[record] = c.lanes[record][1:]
	if len(c.lanes[record]) == 0 {
		delete(c.lanes, record)
		return
	}
	c.lanes[record][0].makeReady()
}

// release makes a claimed delivery ready again, for when it is due.
func (d *delivery) release() {
	delete(d.worker.claims, d)
	d.worker = nil
	d.makeReady()
}

// makeReady puts a delivery among those that may be claimed, at once or when it is
// due.
func (d *delivery) makeReady() {
	d.state = webhook.DeliveryReady
	if d.due.IsZero() {
		heap.Push(&d.callback.ready, d)
	} else {
		heap.Push(&d.callback.scheduled, d)
	}
}
