package sqlite

import (
	"os"
	"syscall"
)

// notify calls written soon after anyone on this machine has written to a file, until
// stop is called. Waiting costs nothing. See inotify(7).
func notify(file string, written func()) (stop func(), err error) {
	fd, err := syscall.InotifyInit1(syscall.IN_CLOEXEC | syscall.IN_NONBLOCK)
	if err != nil {
		return func() {}, os.NewSyscallError("inotify_init1", err)
	}
	events := os.NewFile(uintptr(fd), "inotify")
	if _, err := syscall.InotifyAddWatch(fd, file, syscall.IN_MODIFY); err != nil {
		events.Close()
		return func() {}, os.NewSyscallError("inotify_add_watch", err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		buffer := make([]byte, 4096) // what happened, and how often, is of no interest
		for {
			if _, err := events.Read(buffer); err != nil {
				return
			}
			written()
		}
	}()
	return func() {
		events.Close()
		<-ended
	}, nil
}
