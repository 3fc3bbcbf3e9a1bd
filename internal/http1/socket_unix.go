//go:build unix

package http1

import (
	"io"
	"net"
	"os"
	"syscall"
)

// A socket is a connection's way around package net, for fewer system calls. Its methods
// are called by one goroutine at a time.
type socket struct {
	conn net.Conn
	raw  syscall.RawConn

	// The next Read sends it first. What is left of it was not sent.
	request []byte

	// Of the call under way; the functions are kept so that none is made for each.
	try   func(fd uintptr) bool
	probe func(fd uintptr)
	into  []byte
	n     int
	err   error
	one   [1]byte
}

// newSocket returns nil where there is none. What wraps a connection may mean to see all
// that is read and written.
func newSocket(c net.Conn) *socket {
	conn, ok := c.(*net.TCPConn)
	if !ok {
		return nil
	}
	raw, err := conn.SyscallConn()
	if err != nil {
		return nil
	}
	s := &socket{conn: c, raw: raw}
	s.try = s.exchange
	s.probe = func(fd uintptr) { _, s.err = read(fd, s.one[:]) }
	return s
}

// Read reads, or sends the request and reads the beginning of the answer. Then it
// returns errStale, with nothing sent, when the connection is not quiet, and errUnsent
// when not all could be sent at once.
func (s *socket) Read(p []byte) (int, error) {
	if s.request == nil {
		return s.conn.Read(p)
	}
	s.into, s.n, s.err = p, 0, nil
	err := s.raw.Read(s.try)
	if err == nil {
		err = s.err
	}
	s.into = nil
	return s.n, err
}

// exchange is called by the runtime until it returns true: at once, and then when there
// may be something to be read. What comes after the first call has begun is noticed
// there. So one read that finds nothing tells that the connection is quiet and is what
// has to be done before waiting, too.
func (s *socket) exchange(fd uintptr) (done bool) {
	var n int
	if s.request != nil {
		if _, err := read(fd, s.one[:]); err != syscall.EAGAIN {
			s.err = errStale
			return true
		}
		if n, _ = write(fd, s.request); n < len(s.request) {
			s.request = s.request[max(n, 0):]
			s.err = errUnsent
			return true
		}
		s.request = nil
		return false
	}
	if n, s.err = read(fd, s.into); s.err == syscall.EAGAIN {
		return false
	}
	switch {
	case s.err != nil:
		s.err = os.NewSyscallError("read", s.err)
	case n == 0:
		s.err = io.EOF
	default:
		s.n = n
	}
	return true
}

// quiet reports whether the connection is open and has nothing to be read. What there is
// to be read may be lost.
func (s *socket) quiet() bool {
	s.err = nil
	return s.raw.Control(s.probe) == nil && s.err == syscall.EAGAIN
}

// read reads without waiting: Go's sockets do not block. Where there is nothing, the
// error is EAGAIN.
func read(fd uintptr, p []byte) (n int, err error) {
	for {
		if n, err = syscall.Read(int(fd), p); err != syscall.EINTR {
			break
		}
	}
	if err == syscall.EWOULDBLOCK {
		err = syscall.EAGAIN // on some systems they differ
	}
	return n, err
}

func write(fd uintptr, p []byte) (n int, err error) {
	for {
		if n, err = syscall.Write(int(fd), p); err != syscall.EINTR {
			return n, err
		}
	}
}
