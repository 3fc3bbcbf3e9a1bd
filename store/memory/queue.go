package memory

import (
	"context"
	"strconv"

	"github.com/ringback-dev/ringback/webhook"
)

// Claim implements [webhook.Queue].
func (s *Store) Claim(ctx context.Context, r webhook.ClaimRequest) ([]webhook.Claimed, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	b, err := s.newBatch(r)
	if err != nil {
		return nil, err
	}
	s.promote(at(r.Now))
	number, _ := strconv.ParseInt(r.After, 10, 64)
	for visits := len(s.working); visits > 0 && !b.done(); visits-- {
		c := s.working.next(number)
		number = c.number
		for c.ready.Len() > 0 && b.take(c.ready.items[0]) {
		}
	}
	return b.claimed(), nil
}

// A batch is a claim in progress. What it has taken is the last of its worker's claims.
type batch struct {
	store   *Store
	request webhook.ClaimRequest
	worker  *worker
	number  int64
	before  int // how many claims the worker had
	size    int // of the messages taken, in bytes, and of one for which there was no room
}

// newBatch begins a claim, or returns ErrFenced.
func (s *Store) newBatch(r webhook.ClaimRequest) (*batch, error) {
	w := s.workers[r.Worker]
	if w == nil {
		return nil, webhook.ErrFenced
	}
	s.lastBatch++
	return &batch{store: s, request: r, worker: w, number: s.lastBatch, before: len(w.claims)}, nil
}

// done reports whether there is no room for anything more.
func (b *batch) done() bool {
	taken := len(b.worker.claims) - b.before
	return taken >= b.request.Limit || taken > 0 && b.size > b.request.LimitBytes
}

// take claims a ready delivery, and reports whether it may. A nil batch takes none.
func (b *batch) take(d *delivery) bool {
	if b == nil || b.done() || d.callback.Health.Paused(b.request.Now) || b.room(d.callback) <= 0 {
		return false
	}
	b.size += len(d.message)
	if b.done() {
		return false
	}
	d.callback.room--
	b.store.dequeue(d)
	d.state = webhook.DeliveryClaimed
	b.worker.take(d)
	return true
}

// room returns how many more deliveries of a callback there is room for.
func (b *batch) room(c *callback) int {
	if c.batch != b.number {
		c.batch, c.room = b.number, b.request.Limit
		if b.request.Room != nil {
			c.room = b.request.Room(c.ID, c.Health)
		}
	}
	return c.room
}

// claimed ends the claim and returns what it came to.
func (b *batch) claimed() []webhook.Claimed {
	taken := b.worker.claims[b.before:]
	if len(taken) == 0 {
		return nil
	}
	b.worker.beat++
	claimed := make([]webhook.Claimed, len(taken))
	var last *callback
	var to *webhook.Callback
	for i, d := range taken {
		if d.callback != last {
			now := d.callback.Callback
			last, to = d.callback, &now
		}
		claimed[i] = webhook.Claimed{Delivery: d.view(), To: to, Message: d.message}
	}
	return claimed
}
