package dispatch

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/ringback-dev/ringback/internal/http1"
	"github.com/ringback-dev/ringback/webhook"
	"github.com/ringback-dev/ringback/webhook/message"
	"github.com/ringback-dev/ringback/webhook/signature"
)

var userAgent = "ringback/" + webhook.Version

// A result is what came of an attempt.
type result struct {
	webhook.Attempt
	wait time.Duration // how long the receiver asks to be left alone
}

// attempt makes one request and tells what came of it. It never takes longer than
// the engine's timeout.
func (e *Engine) attempt(ctx context.Context, c *webhook.Claimed) result {
	began := time.Now()
	r := result{Attempt: webhook.Attempt{Number: c.Attempts + 1, Time: began}}
	if err := e.post(ctx, c, &r); err != nil {
		r.Error = explain(err, e.options.Timeout)
	}
	r.Duration = time.Since(began)
	return r
}

// post sends the message and fills in what came back.
func (e *Engine) post(ctx context.Context, c *webhook.Claimed, r *result) error {
	p, err := e.client.prepare(c, r.Time)
	if err != nil {
		return err
	}
	payload := c.Message
	if c.Encoding == webhook.EncodingForm {
		_, payload = message.Request(c.Method, c.Encoding, c.Message)
	}
	o := own.Get().(*ownFields)
	defer own.Put(o)
	answer, err := e.client.Post(ctx, p.target, o.fill(c.ID, r.Time, payload, p.signer), payload)
	if err != nil {
		return err
	}
	r.Status = answer.Status
	r.Answer = printable(answer.Body)
	if r.Status < 200 || r.Status > 299 {
		r.Error = "the answer has status " + strconv.Itoa(r.Status)
	}
	if r.Status == http.StatusTooManyRequests || r.Status == http.StatusServiceUnavailable {
		r.wait = retryAfter(answer.RetryAfter, time.Now())
	}
	return nil
}

// ownFields are the header fields that only one request has, with room for them.
type ownFields struct {
	fields    [3]http1.Field
	room      []byte
	second    int64  // of Unix time, of the last request
	timestamp string // the same as text
}

var own = sync.Pool{New: func() any { return new(ownFields) }}

// fill returns the fields of a request at a time. They are valid until the next call.
func (o *ownFields) fill(id string, at time.Time, payload []byte, signer *signature.Signer) []http1.Field {
	if second := at.Unix(); second != o.second || o.timestamp == "" {
		o.second, o.timestamp = second, strconv.FormatInt(second, 10)
	}
	fields := append(o.fields[:0],
		http1.Field{Name: signature.HeaderID, Value: id},
		http1.Field{Name: signature.HeaderTimestamp, Value: o.timestamp},
	)
	if o.room = signer.Append(o.room[:0], id, o.timestamp, payload); len(o.room) > 0 {
		fields = append(fields, http1.Field{Name: signature.HeaderSignature, Value: string(o.room)})
	}
	return fields
}

// requestSize is about how many bytes of memory a request takes: a form is the message
// once more, with up to three bytes for each of its own.
func requestSize(c *webhook.Claimed) int {
	if c.Encoding == webhook.EncodingForm {
		return 4 * len(c.Message)
	}
	return len(c.Message)
}

// printable returns the beginning of an answer as one line of printable text.
func printable(answer string) string {
	text := strings.Map(func(r rune) rune {
		switch {
		case r == utf8.RuneError:
			return '?' // not UTF-8
		case unicode.IsPrint(r):
			return r
		}
		return ' '
	}, answer)
	return strings.TrimSpace(text)
}
