package memory

import "github.com/ringback-dev/ringback/webhook"

// disable disables a callback and ends its open deliveries, those that are claimed
// excepted, and the requests to replay.
func (s *Store) disable(c *callback, reason string) {
	c.State, c.Reason = webhook.StateDisabled, reason
	clear(c.lanes)
	for _, d := range c.deliveries {
		d.next = nil
		switch {
		case d.state == webhook.DeliveryClaimed:
			if !d.passed {
				c.lanes[d.lane()] = line{d, d}
			}
		case !d.state.Ended():
			s.dequeue(d)
			s.close(d, webhook.DeliveryDead, reason)
		}
	}
	c.replays = nil
	s.replaying = s.replaying.remove(c)
}
