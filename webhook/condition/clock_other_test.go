//go:build !linux

package condition_test

import "time"

var started = time.Now()

// clock returns the time since the tests began.
func clock() time.Duration { return time.Since(started) }
