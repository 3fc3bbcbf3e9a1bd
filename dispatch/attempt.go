package dispatch

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

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
	ctx, cancel := context.WithTimeout(ctx, e.options.Timeout)
	defer cancel()
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
	u, err := url.Parse(c.To.URL)
	if err != nil {
		return refuse("the URL cannot be parsed")
	}
	if err := e.options.Targets.checkScheme(u); err != nil {
		return err
	}
	contentType, payload := message.Request(c.Method, c.Encoding, c.Message)
	header := make(http.Header, 6)
	header.Set("Content-Type", contentType)
	header.Set("User-Agent", userAgent)
	header.Set("Ringback-Callback", c.Callback)
	signature.Sign(header, c.ID, r.Time, payload, c.To.Secrets(r.Time)...)
	answer, err := e.client.Post(ctx, u, header, payload)
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

// requestSize is about how many bytes of memory a request takes: a form is the message
// once more, with up to three bytes for each of its own.
func requestSize(c *webhook.Claimed) int {
	if c.Encoding == webhook.EncodingForm {
		return 4 * len(c.Message)
	}
	return len(c.Message)
}

// printable returns the beginning of an answer as one line of printable text.
func printable(answer []byte) string {
	text := strings.Map(func(r rune) rune {
		switch {
		case r == utf8.RuneError:
			return '?' // not UTF-8
		case unicode.IsPrint(r):
			return r
		}
		return ' '
	}, string(answer))
	return strings.TrimSpace(text)
}
