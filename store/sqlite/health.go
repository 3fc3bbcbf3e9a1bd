package sqlite

import "github.com/ringback-dev/ringback/webhook"

// storedHealth is a callback's health as the database has it.
type storedHealth struct{ successes, failures, failingSince, pausedUntil, pausedFrom int64 }

func (h storedHealth) webhook() webhook.Health {
	return webhook.Health{
		Successes: h.successes, Failures: h.failures,
		FailingSince: fromMillis(h.failingSince), PausedUntil: fromMillis(h.pausedUntil),
	}
}

const (
	// Of the callback with an id. See history.go why it is no join.
	healthColumns = `coalesce((SELECT successes FROM ringback_health WHERE callback_id = id), 0),
		coalesce((SELECT h.failures FROM ringback_health AS h WHERE callback_id = id), 0),
		coalesce((SELECT failing_since FROM ringback_health WHERE callback_id = id), 0),
		coalesce((SELECT paused_until FROM ringback_health WHERE callback_id = id), 0)`

	// What a batch adds: ?2 successes, then ?3 failures of which the first was made at
	// ?4; ?5 is until when to pause, 0 for not, and ?7 since when. A stored pause that is
	// longer by more than ?6 was noted by a clock that was wrong.
	addHealth = `INSERT INTO ringback_health (callback_id, successes, failures, failing_since, paused_until, paused_from)
	SELECT id, ?2, ?3, ?4, ?5, ?7 FROM ringback_callbacks WHERE id = ?1
	ON CONFLICT (callback_id) DO UPDATE SET
		successes = successes + ?2,
		failures = CASE WHEN ?2 > 0 THEN ?3 ELSE failures + ?3 END,
		failing_since = CASE WHEN ?2 > 0 OR failing_since = 0 THEN ?4 ELSE failing_since END,
		paused_until = CASE WHEN ?5 > paused_until OR ?5 > 0 AND paused_until > ?5 + ?6 THEN ?5 ELSE paused_until END,
		paused_from = CASE WHEN ?5 > paused_until OR ?5 > 0 AND paused_until > ?5 + ?6 THEN ?7 ELSE paused_from END`

	// All but the successes.
	resetHealth = `UPDATE ringback_health SET failures = 0, failing_since = 0, paused_until = 0, paused_from = 0
	WHERE callback_id = ?`
)

// pause notes what an outcome wants of the callback's pause.
func (h *storedHealth) pause(o *webhook.Outcome) {
	until := millis(o.Pause)
	if until <= h.pausedUntil {
		return
	}
	h.pausedUntil, h.pausedFrom = until, 0
	if o.Attempt != nil {
		h.pausedFrom = millis(o.Attempt.Time)
	}
}

// count counts an attempt for the health of a callback.
func (h *storedHealth) count(a *webhook.Attempt, succeeded bool) {
	switch {
	case succeeded:
		h.successes++
		h.failures, h.failingSince = 0, 0
	case h.failures == 0:
		h.failures, h.failingSince = 1, millis(a.Time)
	default:
		h.failures++
	}
}

// after returns since when the receiver fails once a batch is added to what is stored.
func (h *storedHealth) after(stored int64) int64 {
	if h.successes > 0 || stored == 0 {
		return h.failingSince
	}
	return stored
}

// addHealth adds what a batch has counted for a callback.
func (t tx) addHealth(callback int64, h storedHealth) error {
	if h == (storedHealth{}) {
		return nil
	}
	return t.run(addHealth, callback, h.successes, h.failures, h.failingSince, h.pausedUntil,
		webhook.MaxPause.Milliseconds(), h.pausedFrom)
}
