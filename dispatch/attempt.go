package dispatch

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/ringback-dev/ringback/webhook"
	"github.com/ringback-dev/ringback/webhook/message"
	"github.com/ringback-dev/ringback/webhook/signature"
)

const (
	// maxSnippet is how much of an answer's body is kept with the attempt.
	maxSnippet = 1 << 10

	// answerTime bounds the reading of an answer's body. The status line has
	// decided by then; the rest is read for the record, and so that the
	// connection can be used again.
	answerTime = time.Second
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
	e.post(ctx, cancel, c, &r)
	r.Duration = time.Since(began)
	return r
}

// post sends the message and fills in what came back.
func (e *Engine) post(ctx context.Context, cancel context.CancelFunc, c *webhook.Claimed, r *result) {
	request, err := newRequest(ctx, c, r.Time)
	if err != nil {
		r.Error = "the request cannot be made: " + err.Error()
		return
	}
	response, err := e.transport.RoundTrip(request)
	if err != nil {
		r.Error = explain(err, e.options.Timeout)
		return
	}
	defer response.Body.Close()
	r.Status = response.StatusCode
	if r.Status < 200 || r.Status > 299 {
		r.Error = "the answer has status " + strconv.Itoa(r.Status)
	}
	if r.Status < 200 {
		return // the body of a switched protocol heeds no deadline: leave it alone
	}
	if r.Status == http.StatusTooManyRequests || r.Status == http.StatusServiceUnavailable {
		r.wait = retryAfter(response.Header, time.Now())
	}
	defer time.AfterFunc(answerTime, cancel).Stop()
	r.Answer = readAnswer(response.Body)
}

// newRequest builds the POST of one attempt.
func newRequest(ctx context.Context, c *webhook.Claimed, now time.Time) (*http.Request, error) {
	contentType, payload := message.Request(c.Method, c.Encoding, c.Message)
	// The reader's type is hidden so that the request can't be rewound: Go would
	// send it a second time, unseen, when a reused connection turns out dead.
	body := struct{ io.Reader }{bytes.NewReader(payload)}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.To.URL, body)
	if err != nil {
		return nil, err
	}
	request.ContentLength = int64(len(payload))
	h := request.Header
	h.Set("Content-Type", contentType)
	h.Set("User-Agent", userAgent)
	h.Set("Ringback-Callback", c.Callback)
	signature.Sign(h, c.ID, now, payload, c.To.Secrets(now)...)
	return request, nil
}

// requestSize is about how many bytes of memory a request takes: a form is the message
// once more, with up to three bytes for each of its own.
func requestSize(c *webhook.Claimed) int {
	if c.Encoding == webhook.EncodingForm {
		return 4 * len(c.Message)
	}
	return len(c.Message)
}

// readAnswer returns the beginning of an answer as one line of printable text. What it
// can't read does not matter: the status line has decided.
func readAnswer(body io.Reader) string {
	answer, _ := io.ReadAll(io.LimitReader(body, maxAnswer))
	text := strings.Map(func(r rune) rune {
		switch {
		case r == utf8.RuneError:
			return '?' // not UTF-8
		case unicode.IsPrint(r):
			return r
		}
		return ' '
	}, string(answer[:min(len(answer), maxSnippet)]))
	return strings.TrimSpace(text)
}
