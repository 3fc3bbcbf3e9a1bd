package http1

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"math"
	"net/http"
)

// A head is what is needed of a status line and the header that follows it.
type head struct {
	status     int
	minor      byte // of the version: HTTP/1.minor
	close      bool // the connection is not to be used again
	retryAfter string

	// These frame the body.
	lengths int   // how many Content-Length fields there were
	length  int64 // their value
	codings int   // how many Transfer-Encoding fields there were
	chunked bool
	faulty  bool // they cannot be made sense of
}

// readAnswer reads the answer to a request, over interim ones. It reports whether the
// connection is clean after it.
func (c *conn) readAnswer(ctx context.Context, o *Options) (a Answer, clean bool, err error) {
	c.left = o.MaxHeader
	var h head
	// RFC 9110, 15.2: interim answers have no content. 101 is the last of HTTP here.
	for h.status = http.StatusContinue; h.status/100 == 1 && h.status != http.StatusSwitchingProtocols; {
		if h, err = c.readHead(); err != nil {
			return Answer{}, false, err
		}
	}
	a = Answer{Status: h.status, RetryAfter: h.retryAfter}
	if h.status == http.StatusSwitchingProtocols {
		return a, false, nil
	}
	var complete bool
	a.Body, complete = c.readBody(ctx, &h, o)
	// RFC 9112, 9.3: HTTP/1.0 would keep a connection only if asked to.
	clean = complete && !h.close && h.minor > 0 && c.r.Buffered() == 0
	return a, clean, nil
}

// maxRoom is how much room for values a connection keeps.
const maxRoom = 1 << 10

// readHead reads a status line and header fields.
func (c *conn) readHead() (h head, err error) {
	line, err := c.headLine()
	if err != nil {
		return h, err
	}
	if !h.setStatus(line) {
		return h, errStatusLine
	}
	var name field
	for first := true; ; first = false {
		if line, err = c.headLine(); err != nil {
			return h, err
		}
		folded := len(line) > 0 && isBlank(line[0])
		if folded && (first || !validValue(line)) {
			return h, errField
		}
		if folded { // RFC 9112, 5.2: it continues the value
			if name != otherField {
				c.room = append(append(c.room, ' '), trimBlanks(line)...)
			}
			continue
		}
		if name != otherField {
			h.set(name, trimBlanks(c.room)) // of the line before
		}
		if len(line) == 0 {
			break
		}
		key, value, ok := bytes.Cut(line, []byte(":"))
		if !ok || !validValue(value) {
			return h, errField
		}
		if !validName(key) {
			// Some receivers write spaces there (RFC 9112, 5.1). What they mean is doubtful.
			if !validName(bytes.ReplaceAll(key, []byte(" "), []byte("_"))) {
				return h, errField
			}
			h.close = true
		}
		if name = fieldOf(key); name != otherField {
			c.room = append(c.room[:0], trimBlanks(value)...)
		}
	}
	if cap(c.room) > maxRoom {
		c.room = nil // too large to be kept
	}
	return h, nil
}

// setStatus reads "HTTP/1.1 200 OK" (RFC 9112, 4), of which the reason may be missing.
func (h *head) setStatus(line []byte) bool {
	const form = "HTTP/1.x 200"
	if len(line) < len(form) || string(line[:7]) != form[:7] || !isDigit(line[7]) || line[8] != ' ' ||
		len(line) > len(form) && line[len(form)] != ' ' {
		return false
	}
	h.minor = line[7] - '0'
	for _, b := range line[9:len(form)] {
		if !isDigit(b) {
			return false
		}
		h.status = 10*h.status + int(b-'0')
	}
	return true
}

// A field is one that matters here, or otherField.
type field int

const (
	otherField field = iota
	connectionField
	contentLengthField
	retryAfterField
	transferEncodingField
)

func fieldOf(name []byte) field {
	switch {
	case len(name) == 10 && bytes.EqualFold(name, []byte("Connection")):
		return connectionField
	case len(name) == 11 && bytes.EqualFold(name, []byte("Retry-After")):
		return retryAfterField
	case len(name) == 14 && bytes.EqualFold(name, []byte("Content-Length")):
		return contentLengthField
	case len(name) == 17 && bytes.EqualFold(name, []byte("Transfer-Encoding")):
		return transferEncodingField
	}
	return otherField
}

func (h *head) set(name field, value []byte) {
	switch name {
	case connectionField:
		for more := true; more; {
			var token []byte
			token, value, more = bytes.Cut(value, []byte(","))
			h.close = h.close || bytes.EqualFold(trimBlanks(token), []byte("close"))
		}
	case contentLengthField: // RFC 9112, 6.3: those that differ are an error
		n, ok := parseLength(value)
		h.faulty = h.faulty || !ok || h.lengths > 0 && n != h.length
		h.length = n
		h.lengths++
	case transferEncodingField: // RFC 9112, 6.1: from HTTP/1.0 it is faulty
		h.chunked = bytes.EqualFold(value, []byte("chunked"))
		h.codings++
		h.faulty = h.faulty || !h.chunked || h.codings > 1 || h.minor == 0
	case retryAfterField:
		if h.retryAfter == "" {
			h.retryAfter = string(value)
		}
	}
}

func parseLength(text []byte) (n int64, ok bool) {
	for _, b := range text {
		digit := int64(b) - '0'
		if !isDigit(b) || n > (math.MaxInt64-digit)/10 {
			return 0, false
		}
		n = 10*n + digit
	}
	return n, len(text) > 0
}

// headLine reads a line of the header. A line feed may stand alone (RFC 9112, 2.2).
func (c *conn) headLine() ([]byte, error) {
	line, err := c.line()
	if err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(line[:len(line)-1], []byte("\r")), nil
}

// line reads up to a line feed. What it returns is valid until the next read.
func (c *conn) line() ([]byte, error) {
	part, err := c.r.ReadSlice('\n')
	c.left -= len(part)
	var long []byte
	for err == bufio.ErrBufferFull && c.left >= 0 {
		long = append(long, part...)
		part, err = c.r.ReadSlice('\n')
		c.left -= len(part)
	}
	switch {
	case c.left < 0:
		return nil, ErrHeaderTooLarge
	case err == io.EOF:
		return nil, io.ErrUnexpectedEOF
	case err != nil:
		return nil, err
	case long != nil:
		return append(long, part...), nil
	}
	return part, nil
}

func isDigit(b byte) bool { return '0' <= b && b <= '9' }
func isBlank(b byte) bool { return b == ' ' || b == '\t' }

func trimBlanks(b []byte) []byte {
	for len(b) > 0 && isBlank(b[0]) {
		b = b[1:]
	}
	for len(b) > 0 && isBlank(b[len(b)-1]) {
		b = b[:len(b)-1]
	}
	return b
}
