package dispatch

import (
	"errors"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Retry says when a failed attempt is repeated.
type Retry struct {
	// Pauses are the waits before the second, third, … attempt: a delivery gets
	// one attempt more than there are pauses, then it is dead. Nil means
	// DefaultPauses; empty but not nil means a single attempt.
	Pauses []time.Duration

	// Jitter is by what share a pause is lengthened or shortened at random, so
	// that deliveries that failed together do not come back together. From 0 to
	// 1; 0 means the default of 0.2, a negative value none.
	Jitter float64
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
	pause := r.Pauses[attempts-1]
	shift := float64(pause) * r.Jitter * (2*rand.Float64() - 1)
	if longer := float64(pause) + shift; longer < float64(1<<63-1) {
		return time.Duration(longer), true
	}
	return pause, true
}

// maxRetryAfter is how long a receiver may ask to be left alone.
const maxRetryAfter = 24 * time.Hour

// retryAfter returns what a Retry-After header asks for: seconds or a date (RFC 9110,
// 10.2.3), from 0 to maxRetryAfter; 0 for what is neither.
func retryAfter(h http.Header, now time.Time) time.Duration {
	text := strings.TrimSpace(h.Get("Retry-After"))
	if text != "" && strings.Trim(text, "0123456789") == "" {
		seconds, err := strconv.ParseInt(text, 10, 64)
		if err != nil || seconds > int64(maxRetryAfter/time.Second) {
			return maxRetryAfter
		}
		return time.Duration(seconds) * time.Second
	}
	at, err := http.ParseTime(text)
	if err != nil {
		return 0
	}
	return min(max(at.Sub(now), 0), maxRetryAfter)
}
