//go:build !unix

package http1_test

import (
	"net"
	"time"
)

// hasCome waits a while for something to have come.
func hasCome(*net.TCPConn) bool {
	<-time.After(100 * time.Millisecond)
	return true
}

// narrow does nothing: there are no direct writes.
func narrow(net.Listener) {}
