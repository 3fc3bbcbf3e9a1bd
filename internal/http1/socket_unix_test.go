//go:build unix

package http1_test

import (
	"net"
	"syscall"
)

// hasCome reports whether a connection has something to be read, its end included, and
// leaves it there.
func hasCome(c *net.TCPConn) bool {
	raw, err := c.SyscallConn()
	if err != nil {
		return true // closed
	}
	come := true
	var one [1]byte
	raw.Control(func(fd uintptr) {
		_, _, err := syscall.Recvfrom(int(fd), one[:], syscall.MSG_PEEK)
		come = err != syscall.EAGAIN
	})
	return come
}
