//go:build !unix

package http1

import "net"

// newProbe returns nil: there is no way to read without waiting.
func newProbe(net.Conn) func() bool { return nil }
