//go:build unix

package crash_test

import "syscall"

// limitFiles leaves this process no room to write to any file, or as much as it likes
// again. As on a disk that is full a write fails and a read does not; unlike there,
// what has its place already cannot be written over either.
func limitFiles(limited bool) {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		fatal(err)
	}
	limit.Cur = limit.Max
	if limited {
		limit.Cur = 0
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		fatal(err)
	}
}
