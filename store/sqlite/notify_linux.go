package sqlite

import (
	"os"
	"syscall"
)

// A notifier tells once, each time that it is armed, that anyone on this machine has
// written to a file. Waiting costs nothing. See inotify(7).
type notifier struct {
	file   string
	fd     int
	events *os.File
	ended  chan struct{}
}

// newNotifier returns a notifier that calls written, until it is stopped.
func newNotifier(file string, written func()) (*notifier, error) {
	fd, err := syscall.InotifyInit1(syscall.IN_CLOEXEC | syscall.IN_NONBLOCK)
	if err != nil {
		return nil, os.NewSyscallError("inotify_init1", err)
	}
	n := &notifier{file, fd, os.NewFile(uintptr(fd), "inotify"), make(chan struct{})}
	go n.read(written)
	return n, nil
}

func (n *notifier) read(written func()) {
	defer close(n.ended)
	buffer := make([]byte, 4096)
	for {
		// Whatever the events are, the notifier is not armed any more.
		if _, err := n.events.Read(buffer); err != nil {
			return
		}
		written()
	}
}

// arm lets it tell of the next write.
func (n *notifier) arm() error {
	_, err := syscall.InotifyAddWatch(n.fd, n.file, syscall.IN_MODIFY|syscall.IN_ONESHOT)
	return os.NewSyscallError("inotify_add_watch", err)
}

func (n *notifier) stop() {
	n.events.Close()
	<-n.ended
}
