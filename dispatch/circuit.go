package dispatch

import (
	"time"

	"github.com/ringback-dev/ringback/webhook"
)

const (
	// circuitFailures is after how many failures in a row, by whatever engines, the
	// circuit of a callback is open: it then gets one request at a time, and with each
	// that fails a pause.
	circuitFailures = 10

	// firstProbePause and longestProbePause bound these pauses, which double in between.
	firstProbePause   = time.Second
	longestProbePause = 5 * time.Minute

	// firstSilentPause is the pause after the second time in a row that no answer came. It
	// doubles with each that follows, up to firstProbePause: what waits for a receiver that
	// is gone for a moment need not all fail, and very many that are gone do not take the
	// time of those that answer.
	firstSilentPause = 50 * time.Millisecond

	// probeGrace is what an engine has, beyond the time of a request, to record what
	// its probe came to.
	probeGrace = 5 * time.Second
)

// circuitOpen reports whether a callback is probed only.
func circuitOpen(h webhook.Health) bool { return h.Failures >= circuitFailures }

// probePause returns for how long a callback whose request has failed is to be paused,
// given its health before; zero while its circuit is closed.
func probePause(h webhook.Health, now time.Time) time.Duration {
	if !circuitOpen(h) {
		return 0
	}
	pause := longestProbePause
	if doublings := h.Failures - circuitFailures; doublings < 9 {
		pause = min(firstProbePause<<doublings, pause)
	}
	// Requests that were in flight together fail together, and are many failures at
	// once: so a pause is no longer than all the failing before it.
	return min(pause, max(now.Sub(h.FailingSince), firstProbePause))
}

// silentPause returns for how long a callback is to be paused after an attempt to which no
// answer came, before that is noted; zero for not at all.
func (s *slots) silentPause(callback string, a *webhook.Attempt) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.receiver(callback)
	before := r.silent
	if r.together(a) {
		before-- // the last time is this one
	}
	if before <= 0 {
		return 0
	}
	const doublings = 5 // are more than enough
	return min(firstSilentPause<<min(before-1, doublings), firstProbePause)
}

// probes reports whether it is this engine's turn to make a request to a callback whose
// circuit is open. The engine that has paused it goes first; another one does when that
// has had the time to pause it again and has not.
func (r *receiver) probes(h webhook.Health, now time.Time, timeout time.Duration) bool {
	until := h.PausedUntil
	return until.Equal(r.pausedUntil) ||
		until.After(now) || // noted by a clock that was wrong, for the store takes it for no pause
		now.After(until.Add(timeout+probeGrace))
}
