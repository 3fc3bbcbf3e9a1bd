package http1

import (
	"errors"
	"fmt"
	"io"
)

var (
	// ErrRequest means that the request cannot be written as it was given. Nothing
	// was sent.
	ErrRequest = errors.New("http1: the request is not valid")

	// ErrMalformed means that what came is no HTTP/1 answer.
	ErrMalformed = errors.New("http1: the answer is malformed")

	// ErrHeaderTooLarge means that an answer had more than Options.MaxHeader bytes
	// before its body.
	ErrHeaderTooLarge = errors.New("http1: the header of the answer is too large")
)

var (
	errClosed     = fmt.Errorf("http1: the connection was closed before the answer had come: %w", io.ErrUnexpectedEOF)
	errStatusLine = fmt.Errorf("%w: it does not begin with a status line", ErrMalformed)
	errField      = fmt.Errorf("%w: a header field", ErrMalformed)

	// These are not for the caller.
	errStale  = errors.New("http1: the connection was closed or spoken on while it was idle")
	errUnsent = errors.New("http1: not all could be sent at once")
)

func badRequest(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrRequest, fmt.Sprintf(format, args...))
}
