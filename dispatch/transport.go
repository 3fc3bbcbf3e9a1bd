package dispatch

import (
	"net"
	"net/http"
	"time"
)

const (
	// maxHeader and maxAnswer bound what is read of a receiver's answer.
	maxHeader = 64 << 10
	maxAnswer = 64 << 10

	// maxIdle bounds the connections kept open for the next delivery.
	maxIdle = 256

	// idleTimeout is below the 5 s after which common servers close an idle
	// connection, so that a request seldom meets one that is being closed.
	idleTimeout = 4 * time.Second
)

// newTransport returns the transport that makes the attempts. It differs from Go's
// default one wherever a receiver, or whoever registered it, could take advantage.
// Redirects are none of its business: they are answers like any other.
func newTransport(o *Options) *http.Transport {
	// A transport goes on connecting when the request that wanted the connection has
	// been given up, so the deadline of the attempt is not enough.
	dialer := &net.Dialer{Timeout: o.Timeout, ControlContext: o.Targets.control, KeepAlive: -1}
	var protocols http.Protocols
	protocols.SetHTTP1(true)
	return &http.Transport{
		// No proxy: behind one, control would see only the proxy's address.
		Proxy:               nil,
		DialContext:         dialer.DialContext,
		TLSHandshakeTimeout: o.Timeout,
		Protocols:           &protocols,
		// What an unpacked answer would weigh is the receiver's choice.
		DisableCompression:     true,
		MaxResponseHeaderBytes: maxHeader,
		MaxIdleConns:           maxIdle,
		MaxIdleConnsPerHost:    o.PerCallback,
		IdleConnTimeout:        idleTimeout,
	}
}
