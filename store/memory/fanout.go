package memory

import (
	"cmp"
	"context"
	"slices"

	"github.com/ringback-dev/ringback/webhook"
)

// FanOut implements [webhook.Outbox].
func (s *Store) FanOut(ctx context.Context, expansions []webhook.Expansion) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fanOutPending(expansions, nil)
	return nil
}

// FanOutAndClaim implements [webhook.FanOutClaimer].
func (s *Store) FanOutAndClaim(
	ctx context.Context, expansions []webhook.Expansion, r webhook.ClaimRequest,
) ([]webhook.Claimed, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	b, err := s.newBatch(r)
	if err != nil {
		return nil, err
	}
	s.fanOutPending(expansions, b)
	return b.claimed(), nil
}

// fanOutPending replaces pending events by their deliveries.
func (s *Store) fanOutPending(expansions []webhook.Expansion, b *batch) {
	for _, x := range expansions {
		if e := s.event(x.Sequence); e != nil && e.content != nil {
			s.takeOff(e)
			s.fanOut(e, x, b)
		}
	}
}

// takeOff takes a pending event off the outbox.
func (s *Store) takeOff(e *event) {
	e.content = nil
	s.backlog--
	for len(s.pending) > 0 && s.pending[0].content == nil {
		s.pending = s.pending[1:]
	}
}

// fanOut writes what an event fans out to. Of the deliveries that are ready the batch,
// where there is one, takes what it may.
func (s *Store) fanOut(e *event, x webhook.Expansion, b *batch) {
	for _, t := range x.Targets {
		d := s.deliver(e, t, &x.Messages)
		if d != nil && d.state == webhook.DeliveryReady && !b.take(d) {
			s.offer(d)
		}
	}
	for _, f := range x.Failures {
		if c := s.registered[f.Callback]; c != nil && c.Version == f.Version {
			c.ExpressionFailures++
			c.ExpressionError = webhook.ExpressionError{Message: f.Message, Event: e.id, Time: now().time()}
		}
	}
}

// deliver writes the delivery of an event to a target, and returns it if there is one.
// When it is ready, it is yet to be claimed or offered.
func (s *Store) deliver(e *event, t webhook.Target, messages *webhook.Messages) *delivery {
	c := s.registered[t.Callback]
	if c == nil || c.State == webhook.StateDisabled {
		return nil
	}
	i, found := e.search(c)
	if found {
		return nil
	}
	d := &e.only
	if len(e.deliveries) > 0 {
		d = new(delivery)
	} else {
		e.deliveries = e.onlyOne[:0]
	}
	*d = delivery{
		event: e, callback: c, method: t.Method, encoding: t.Encoding,
		message: e.message(t.Method, messages), created: now(),
	}
	e.deliveries = slices.Insert(e.deliveries, i, d)
	d.place = len(c.deliveries)
	c.deliveries = append(c.deliveries, d)
	if t.Dead != "" {
		d.state = webhook.DeliveryDead
		d.reason = t.Dead
		d.ended = d.created
		return d
	}
	s.open(d)
	return d
}

// message returns the event's message of a format: that of another delivery, or a copy.
func (e *event) message(method webhook.Method, messages *webhook.Messages) []byte {
	for _, d := range e.deliveries {
		if d.method == method {
			return d.message
		}
	}
	if message := messages.In(method); message != nil {
		return append([]byte{}, message...)
	}
	return nil
}

// to returns the event's delivery to a callback, or nil.
func (e *event) to(c *callback) *delivery {
	if i, found := e.search(c); found {
		return e.deliveries[i]
	}
	return nil
}

// search returns where the event's delivery to a callback is, or would be.
func (e *event) search(c *callback) (i int, found bool) {
	return slices.BinarySearchFunc(e.deliveries, c.number, func(d *delivery, number int64) int {
		return cmp.Compare(d.callback.number, number)
	})
}

// forget takes a delivery off its callback's.
func (d *delivery) forget() {
	c, last := d.callback, len(d.callback.deliveries)-1
	moved := c.deliveries[last]
	moved.place = d.place
	c.deliveries[d.place] = moved
	c.deliveries[last] = nil
	c.deliveries = c.deliveries[:last]
}
