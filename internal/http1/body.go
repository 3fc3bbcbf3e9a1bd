package http1

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"slices"
)

// readBody reads the body of an answer and reports whether it was read to its end, with
// no doubt where that is (RFC 9112, 6.3). It returns what it has got, be it not all.
func (c *conn) readBody(ctx context.Context, h *head, o *Options) (snippet string, complete bool) {
	b := body{conn: c, snippet: c.room[:0], max: o.Snippet, left: uint64(o.MaxBody)}
	switch {
	case h.status == http.StatusNoContent || h.status == http.StatusNotModified:
		// There is none, but who announces one may send it.
		return "", h.codings == 0 && h.length == 0 && !h.faulty
	case h.faulty:
		return "", false
	case h.chunked:
		c.within(ctx, o.BodyTime)
		c.left = o.MaxHeader
		// With both, it could be meant to be read differently by others.
		complete = b.readChunked() && h.lengths == 0
	case h.lengths > 0:
		if int64(c.r.Buffered()) < h.length {
			c.within(ctx, o.BodyTime)
		}
		complete = b.read(uint64(h.length)) && h.lengths == 1
	default: // it ends with the connection
		c.within(ctx, o.BodyTime)
		b.read(uint64(b.max))
	}
	if cap(b.snippet) <= maxRoom {
		c.room = b.snippet
	}
	return string(b.snippet), complete
}

// A body is being read.
type body struct {
	*conn
	snippet []byte
	max     int    // of the snippet
	left    uint64 // of what may be read
}

// read reads the next n bytes and reports whether it could. When they are more than may
// be read, it reads what is still missing of the snippet.
func (b *body) read(n uint64) bool {
	kept := min(n, uint64(b.max-len(b.snippet)))
	if kept > 0 {
		had := len(b.snippet)
		b.snippet = slices.Grow(b.snippet, int(kept))
		got, err := io.ReadFull(b.r, b.snippet[had:had+int(kept)])
		b.snippet = b.snippet[:had+got]
		if err != nil {
			return false
		}
	}
	if n > b.left {
		return false
	}
	b.left -= n
	_, err := b.r.Discard(int(n - kept))
	return err == nil
}

// readChunked reads a body in the chunked coding (RFC 9112, 7.1).
func (b *body) readChunked() bool {
	for {
		line, ok := b.chunkLine()
		if !ok {
			return false
		}
		size, ok := parseSize(line)
		switch {
		case !ok:
			return false
		case size == 0:
			return b.readTrailer()
		case !b.read(size):
			return false
		}
		if end, ok := b.chunkLine(); !ok || len(end) > 0 {
			return false
		}
	}
}

// readTrailer reads over the fields after the last chunk.
func (b *body) readTrailer() bool {
	for {
		line, ok := b.chunkLine()
		if !ok || len(line) == 0 {
			return ok
		}
		if name, value, ok := bytes.Cut(line, []byte(":")); !ok || !validName(name) || !validValue(value) {
			return false
		}
	}
}

// chunkLine reads a line that has to end with CR and LF: where a single LF counts for
// one and not for another, they disagree about the chunks.
func (b *body) chunkLine() ([]byte, bool) {
	line, err := b.line()
	if err != nil {
		return nil, false
	}
	line, ok := bytes.CutSuffix(line, []byte("\r\n"))
	return line, ok && bytes.IndexByte(line, '\r') < 0
}

// parseSize returns the size of a chunk. Extensions are ignored.
func parseSize(line []byte) (size uint64, ok bool) {
	digits, _, _ := bytes.Cut(line, []byte(";"))
	digits = bytes.TrimRight(digits, " \t")
	for _, b := range digits {
		switch {
		case isDigit(b):
			b -= '0'
		case 'a' <= b && b <= 'f':
			b -= 'a' - 10
		case 'A' <= b && b <= 'F':
			b -= 'A' - 10
		default:
			return 0, false
		}
		size = size<<4 | uint64(b)
	}
	return size, 0 < len(digits) && len(digits) <= 16
}
