package dispatch

import (
	"errors"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ringback-dev/ringback/webhook"
)

// Retry says when a failed attempt is repeated.
type Retry struct {
	// Pauses are the waits before the second, third, … attempt: a delivery gets
	// one attempt more than there are pauses, then it is dead. Nil means
	// DefaultPauses; empty but not nil means a single attempt.
	Pauses []time.Duration

	// Jitter is by what share a pause is lengthened or shortened at random, so
	// that deliveries that failed together do not come back together; also one
	// in which a callback is sent nothing, as its attempts fail. From 0 to 1; 0
	// means the default of 0.2, a negative value none.
	Jitter float64

	// Retryable says whether a failed attempt may be repeated; when it says no, the
	// delivery is dead. It is not asked about an answer of 410, which disables the
	// callback, nor after the last attempt. It is called by many goroutines at the same
	// time; when it panics, that is logged and the attempt is repeated. Default: every
	// failure is repeated, whatever its status.
	Retryable func(webhook.Attempt) bool
}

// DefaultPauses returns 5 s, 5 min, 30 min, 2 h, 5 h, 10 h and 10 h: with the first
// attempt, which is made at once, eight attempts in about 28 hours.
func DefaultPauses() []time.Duration {
	return []time.Duration{
		5 * time.Second, 5 * time.Minute, 30 * time.Minute,
		2 * time.Hour, 5 * time.Hour, 10 * time.Hour, 10 * time.Hour,
	}
}

func (r Retry) withDefaults() (Retry, error) {
	if r.Pauses == nil {
		r.Pauses = DefaultPauses()
	}
	r.Pauses = slices.Clone(r.Pauses)
	for _, pause := range r.Pauses {
		if pause < 0 {
			return Retry{}, errors.New("dispatch: Options.Retry.Pauses holds a negative pause")
		}
	}
	switch {
	case r.Jitter == 0:
		r.Jitter = 0.2
	case r.Jitter < 0:
		r.Jitter = 0
	case !(r.Jitter <= 1):
		return Retry{}, errors.New("dispatch: Options.Retry.Jitter is above 1")
	}
	return r, nil
}

// pause returns the wait after the given number of attempts, or false when that was
// the last one.
func (r Retry) pause(attempts int) (time.Duration, bool) {
	if attempts < 1 || attempts > len(r.Pauses) {
		return 0, false
	}
	return r.jitter(r.Pauses[attempts-1]), true
}

// jitter lengthens or shortens a pause at random.
func (r Retry) jitter(pause time.Duration) time.Duration {
	shift := float64(pause) * r.Jitter * (2*rand.Float64() - 1)
	if longer := float64(pause) + shift; longer < float64(1<<63-1) {
		return time.Duration(longer)
	}
	return pause
}

// retryAfter returns what the text of a Retry-After header asks for: seconds or a date
// (RFC 9110, 10.2.3), from 0 to the longest pause there is; 0 for what is neither.
func retryAfter(text string, now time.Time) time.Duration {
	if text != "" && strings.Trim(text, "0123456789") == "" {
		seconds, err := strconv.ParseInt(text, 10, 64)
		if err != nil || seconds > int64(webhook.MaxPause/time.Second) {
			return webhook.MaxPause
		}
		return time.Duration(seconds) * time.Second
	}
	at, err := http.ParseTime(text)
	if err != nil {
		return 0
	}
	return min(max(at.Sub(now), 0), webhook.MaxPause)
}
