//go:build unix

package http1

import (
	"net"
	"syscall"
)

// newProbe returns a function that reports whether a connection is open and has nothing
// to be read, at no cost but a system call. What there is to be read may be lost.
func newProbe(c net.Conn) func() bool {
	socket, ok := c.(syscall.Conn)
	if !ok {
		return nil
	}
	raw, err := socket.SyscallConn()
	if err != nil {
		return nil
	}
	var quiet bool
	var one [1]byte
	read := func(fd uintptr) {
		// Go's sockets do not block.
		_, err := syscall.Read(int(fd), one[:])
		quiet = err == syscall.EAGAIN || err == syscall.EWOULDBLOCK
	}
	return func() bool {
		quiet = false
		return raw.Control(read) == nil && quiet
	}
}
