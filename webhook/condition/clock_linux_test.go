package condition_test

import (
	"syscall"
	"time"
)

// clock returns the time that the calling thread has been at work: what other
// processes take of the machine doesn't count.
func clock() time.Duration {
	const thisThread = 1 // RUSAGE_THREAD
	var usage syscall.Rusage
	if err := syscall.Getrusage(thisThread, &usage); err != nil {
		panic(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
