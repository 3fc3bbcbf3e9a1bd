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

// narrow lets the connections of a listener take little that is not read.
func narrow(l net.Listener) {
	raw, err := l.(*net.TCPListener).SyscallConn()
	if err != nil {
		return
	}
	raw.Control(func(fd uintptr) { syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF, 4<<10) })
}
