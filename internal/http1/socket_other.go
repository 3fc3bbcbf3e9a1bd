//go:build !unix

package http1

import "net"

// A socket is not there: there is no way to read without waiting.
type socket struct{ request []byte }

func newSocket(net.Conn) *socket { return nil }

func (s *socket) Read([]byte) (int, error) { panic("http1: there are no sockets") }
func (s *socket) quiet() bool              { panic("http1: there are no sockets") }
