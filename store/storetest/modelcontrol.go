package storetest

import (
	"slices"
	"time"

	"github.com/ringback-dev/ringback/webhook"
)

// millis cuts a time to what stores keep of it.
func millis(t time.Time) time.Time {
	if t.IsZero() {
		return t
	}
	return t.UTC().Truncate(time.Millisecond)
}

// settle expects an outcome to be recorded, and reports whether it disables the
// callback.
func (m *model) settle(d *modelDelivery, o webhook.Outcome) (disabled bool) {
	c := m.registered(d.lane.callback)
	disabled = o.Disable != nil && c.State == webhook.StateActive && c.Version == o.Disable.Version &&
		(o.Disable.FailingSince.IsZero() || c.Health.FailingSince.Equal(millis(o.Disable.FailingSince)))
	if o.Attempt != nil {
		d.attempts++
		d.last = millis(o.Attempt.Time)
		d.delay = millis(o.Due).Sub(d.last)
		m.count(&c.Health, d.last, o.State == webhook.DeliveryDelivered)
	}
	if stored := c.Health.PausedUntil; !o.Pause.IsZero() {
		until := millis(o.Pause)
		if until.After(stored) || stored.After(until.Add(webhook.MaxPause)) {
			c.Health.PausedUntil = until
		}
	}
	if disabled {
		m.disable(c, o.Disable.Reason)
	}
	if o.State.Ended() {
		m.end(d, o.State, o.Reason)
		return disabled
	}
	d.due = millis(o.Due)
	m.release(d)
	if o.Pass && d.state == webhook.DeliveryReady {
		d.passed = true
		m.next(d.lane)
	}
	return disabled
}

// count expects an attempt to count.
func (m *model) count(health *webhook.Health, at time.Time, succeeded bool) {
	if succeeded {
		health.Successes++
		health.Failures, health.FailingSince = 0, time.Time{}
		return
	}
	if health.Failures == 0 {
		health.FailingSince = at
	}
	health.Failures++
}

// disable expects a callback to be disabled, with what that ends.
func (m *model) disable(c *webhook.Callback, reason string) {
	c.State, c.Reason = webhook.StateDisabled, reason
	for _, d := range m.sorted(func(d *modelDelivery) bool {
		return d.lane.callback == c.ID && !d.state.Ended() && d.state != webhook.DeliveryClaimed
	}) {
		m.end(d, webhook.DeliveryDead, reason)
	}
	m.forgetRequests(c.ID)
}

// update expects a callback to be changed.
func (m *model) update(c *webhook.Callback, change webhook.Callback) {
	enabled := c.State == webhook.StateDisabled && change.State == webhook.StateActive
	if c.URL != change.URL || enabled {
		c.Health = webhook.Health{Successes: c.Health.Successes}
	}
	c.URL, c.Expression, c.Ordering = change.URL, change.Expression, change.Ordering
	if change.State == webhook.StateDisabled {
		m.disable(c, change.Reason)
	} else {
		c.State, c.Reason = webhook.StateActive, ""
	}
}

// A modelRequest asks for deliveries of a callback to be replayed.
type modelRequest struct {
	callback string
	state    webhook.DeliveryState
	after    int64          // the sequence of the last one that was replayed
	last     int64          // that of the last event
	selected map[string]int // the deliveries that had ended, and how often
}

// request expects a request, for deliveries of events up to a sequence.
func (m *model) request(callback string, state webhook.DeliveryState, last int64) *modelRequest {
	r := &modelRequest{callback: callback, state: state, last: last, selected: make(map[string]int)}
	for id, d := range m.deliveries {
		if d.lane.callback == callback && r.selects(d) {
			r.selected[id] = d.ends
		}
	}
	m.requests = append(m.requests, r)
	return r
}

func (r *modelRequest) selects(d *modelDelivery) bool {
	return d.state.Ended() && (r.state == "" || d.state == r.state)
}

// mayReplay reports whether a delivery was asked for, or would be now.
func (r *modelRequest) mayReplay(d *modelDelivery) bool {
	_, selected := r.selected[d.id]
	return d.state.Ended() && d.message && (selected || r.selects(d))
}

// due reports whether a delivery is to be replayed: it was asked for, and has not
// changed since.
func (r *modelRequest) due(d *modelDelivery) bool {
	ends, selected := r.selected[d.id]
	return selected && d.message && d.state.Ended() && d.ends == ends
}

// ahead returns the deliveries that the request has not come to.
func (m *model) ahead(r *modelRequest) []*modelDelivery {
	return m.sorted(func(d *modelDelivery) bool {
		return d.lane.callback == r.callback && d.sequence > r.after && d.sequence <= r.last
	})
}

func (m *model) forgetRequests(callback string) {
	m.requests = slices.DeleteFunc(m.requests, func(r *modelRequest) bool { return r.callback == callback })
}
