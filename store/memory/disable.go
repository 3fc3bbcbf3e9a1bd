package memory

import "github.com/ringback-dev/ringback/webhook"

// disable disables a callback and ends its open deliveries, those that are claimed
// excepted, and the requests to replay.
func (s *Store) disable(c *callback, reason string) {
	c.State, c.Reason = webhook.StateDisabled, reason
	c.ready.items, c.scheduled.items = nil, nil
	clear(c.lanes)
	for _, d := range c.deliveries {
		switch {
		case d.state == webhook.DeliveryClaimed:
			if !d.passed {
				c.lanes[d.lane()] = []*delivery{d}
			}
		case !d.state.Ended():
			s.close(d, webhook.DeliveryDead, reason)
		}
	}
	c.replays = nil
}
