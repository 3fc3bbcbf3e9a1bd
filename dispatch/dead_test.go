package dispatch_test

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ringback-dev/ringback/dispatch"
	"github.com/ringback-dev/ringback/webhook"
)

// dead are receivers of three kinds: silent ones, those that reset the connection, and
// those that drip their answer.
func dead(r *http.Request, _ int) (*http.Response, error) {
	switch {
	case strings.Contains(r.URL.Path, "/reset"):
		advance(time.Millisecond)
		return nil, syscall.ECONNRESET
	case strings.Contains(r.URL.Path, "/drip"):
		// The status comes at once, the body is read for a second.
		advance(time.Second)
		return answer(200, ""), nil
	}
	return hang(r)
}

// However many receivers are dead, and however much waits for them, one that answers
// hears of a change at once, and they take no slot of those that answer.
func TestDeadReceivers(t *testing.T) {
	for _, test := range []struct {
		name   string
		kinds  []string
		dead   int
		events int
	}{
		{"300 that never answer", []string{"silent"}, 300, 20},
		{"400 of three kinds", []string{"silent", "reset", "drip"}, 400, 10},
	} {
		t.Run(test.name, func(t *testing.T) {
			// Were the only slot for receivers that answer ever taken by another one, the
			// healthy one would wait for it.
			inBubble(t, &dispatch.Options{Concurrency: 1, Retry: exact}, func(b *bench) {
				b.Network.Answer = func(r *http.Request, n int) (*http.Response, error) {
					if r.URL.Path != "/healthy" {
						return dead(r, n)
					}
					advance(10 * time.Millisecond)
					return answer(200, ""), nil
				}
				for i := range test.dead {
					b.Callback(test.kinds[i%len(test.kinds)]+strconv.Itoa(i), webhook.Callback{})
				}
				c := b.Callback("healthy", webhook.Callback{})
				b.Start()
				committed := make(map[string]time.Time)
				for i := range test.events {
					record := strconv.Itoa(i + 1)
					committed[record] = time.Now()
					b.Dispatch(record, 1)
					advance(3 * time.Second)
				}
				var waits []time.Duration
				for _, p := range b.Network.Posts() {
					if strings.HasSuffix(p.URL, "/healthy") {
						waits = append(waits, p.Time.Sub(committed[p.Record]))
					}
				}
				if len(waits) != test.events || slices.Max(waits) > 10*time.Millisecond {
					t.Errorf("%d posts to the healthy receiver, after %v", len(waits), waits)
				}
				if health := b.Stored(c).Health; health.Failures != 0 || health.Successes != int64(test.events) {
					t.Errorf("its health is %+v", health)
				}
			})
		})
	}
}
