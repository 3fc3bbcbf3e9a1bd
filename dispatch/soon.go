package dispatch

import "time"

// soon returns what is in a channel, or comes while wait does not ring; nil does not wait. It
// is not ok where there is nothing, or the channel is closed.
func soon[T any](from <-chan T, wait <-chan time.Time) (v T, ok bool) {
	select {
	case v, ok = <-from:
		return v, ok
	default:
	}
	if wait == nil {
		return v, false
	}
	select {
	case v, ok = <-from:
	case <-wait:
	}
	return v, ok
}
