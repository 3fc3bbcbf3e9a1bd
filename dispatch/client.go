package dispatch

import (
	"context"
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

// newClient returns the client that makes the attempts. It differs from Go's
// default one wherever a receiver, or whoever registered it, could take advantage.
func newClient(o *Options) *http.Client {
	dialer := &net.Dialer{
		ControlContext: o.Targets.control,
		KeepAlive:      -1,
	}
	var protocols http.Protocols
	protocols.SetHTTP1(true)
	return &http.Client{
		Transport: &http.Transport{
			// No proxy: behind one, control would see only the proxy's address.
			Proxy: nil,
			DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
				return dialer.DialContext(ctx, network, address)
			},
			Protocols: &protocols,
			// What an unpacked answer would weigh is the receiver's choice.
			DisableCompression:     true,
			MaxResponseHeaderBytes: maxHeader,
			MaxIdleConns:           maxIdle,
			MaxIdleConnsPerHost:    o.PerCallback,
			IdleConnTimeout:        idleTimeout,
		},
		// A redirect is an answer like any other, and no success.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}
