package dispatch

import "net/http"

// SetTransport puts a transport of the test's own in place of the network, so that
// attempts can be made inside a synctest bubble.
func (e *Engine) SetTransport(t http.RoundTripper) { e.transport = t }

// Transport is the transport that New has made.
func (e *Engine) Transport() *http.Transport { return e.transport.(*http.Transport) }

// Denied is the check of an address against the table of denials.
var Denied = denied

// Options are the engine's options, with their defaults.
func (e *Engine) Options() Options { return e.options }
