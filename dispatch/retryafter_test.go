package dispatch_test

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ringback-dev/ringback/dispatch"
	"github.com/ringback-dev/ringback/webhook"
)

// A receiver that is busy says when to come back: the later of that and the usual pause
// counts, and a day at most.
func TestRetryAfter(t *testing.T) {
	const pause = time.Minute
	for _, test := range []struct {
		name   string
		status int
		header string // %DATE is two hours ahead
		want   time.Duration
	}{
		{"seconds", 429, "300", 5 * time.Minute},
		{"unavailable", 503, "300", 5 * time.Minute},
		{"date", 429, "%DATE", 2 * time.Hour},
		{"sooner than the pause", 429, "1", pause},
		{"zero", 429, "0", pause},
		{"past", 503, "Sun, 06 Nov 1994 08:49:37 GMT", pause},
		{"negative", 429, "-5", pause},
		{"fraction", 429, "300.5", pause},
		{"text", 429, "later", pause},
		{"none", 429, "", pause},
		{"too long", 429, "9999999999", 24 * time.Hour},
		{"overflow", 429, "99999999999999999999999999", 24 * time.Hour},
		{"far date", 429, "Fri, 31 Dec 9999 23:59:59 GMT", 24 * time.Hour},
		{"another status", 500, "300", pause},
	} {
		t.Run(test.name, func(t *testing.T) {
			o := &dispatch.Options{Retry: dispatch.Retry{Pauses: []time.Duration{pause}, Jitter: -1}}
			inBubble(t, o, func(b *bench) {
				b.Network.Answer = func(*http.Request, int) (*http.Response, error) {
					a := answer(test.status, "")
					header := test.header
					if header == "%DATE" {
						header = time.Now().Add(2 * time.Hour).UTC().Format(http.TimeFormat)
					}
					if header != "" {
						a.Header.Set("Retry-After", header)
					}
					return a, nil
				}
				c := b.Callback("hook", webhook.Callback{})
				b.Start()
				b.Dispatch("1", 30)
				synctest.Wait()
				posts := b.Network.Posts()
				if len(posts) != 1 {
					t.Fatalf("%d posts, want 1", len(posts))
				}
				// Dates have whole seconds.
				got := b.Delivery("1", 30, c).Due.Sub(posts[0].Time)
				if got > test.want || got < test.want-time.Second {
					t.Errorf("to come back after %v, want %v", got, test.want)
				}
			})
		})
	}
}
