package dispatch

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"syscall"
	"time"

	"github.com/ringback-dev/ringback/internal/http1"
)

// explain says in a few words, fit to be shown to the callback's owner, why no
// answer came. Go's own texts are kept back: they can hold addresses of the host's
// network and bytes of the receiver's choice.
func explain(err error, timeout time.Duration) string {
	var (
		refused     *refusal
		dns         *net.DNSError
		timedOut    net.Error
		certificate *tls.CertificateVerificationError
		authority   x509.UnknownAuthorityError
		header      tls.RecordHeaderError
		alert       tls.AlertError
	)
	switch {
	case errors.As(err, &refused):
		return "the target may not be called: " + refused.reason
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timedOut) && timedOut.Timeout():
		return fmt.Sprintf("no answer within %v", timeout)
	case errors.As(err, &dns):
		if dns.IsNotFound {
			return "the host name does not exist"
		}
		return "the host name could not be resolved"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "the connection was refused"
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return "the host cannot be reached"
	case errors.As(err, &certificate), errors.As(err, &authority):
		return "the TLS certificate was not accepted"
	case errors.As(err, &header), errors.As(err, &alert):
		return "the TLS handshake failed"
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE),
		errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "the connection was closed before an answer came"
	case errors.Is(err, http1.ErrHeaderTooLarge):
		return "the header of the answer is too large"
	case errors.Is(err, http1.ErrRequest):
		return "the URL is not one that a request can be made for"
	}
	return "no valid HTTP answer came"
}
