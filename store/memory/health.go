package memory

import (
	"time"

	"github.com/ringback-dev/ringback/webhook"
)

// count counts an attempt for the callback's health.
func (c *callback) count(a webhook.Attempt, succeeded bool) {
	if succeeded {
		c.Health.Successes++
		c.Health.Failures, c.Health.FailingSince = 0, time.Time{}
		return
	}
	c.Health.Failures++
	if c.Health.FailingSince.IsZero() {
		c.Health.FailingSince = a.Time
	}
}

// pause pauses the callback, if it is not paused for longer. A pause that is longer by
// more than MaxPause was noted by a clock that was wrong.
func (c *callback) pause(from instant, until time.Time) {
	stored := c.Health.PausedUntil
	if !until.IsZero() && (until.After(stored) || stored.After(until.Add(webhook.MaxPause))) {
		c.pausedFrom, c.Health.PausedUntil = from, until
	}
}

// is reports whether the callback is still the one that is to be disabled.
func (c *callback) is(d *webhook.Disabling) bool {
	return c.State == webhook.StateActive && c.Version == d.Version &&
		(d.FailingSince.IsZero() || c.Health.FailingSince.Equal(millis(d.FailingSince)))
}
