package dispatch_test

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ringback-dev/ringback/dispatch"
	"github.com/ringback-dev/ringback/webhook"
)

// The host may say which failures are worth repeating. It is asked about failures alone,
// and what it does by mistake repeats too much rather than too little.
func TestRetryable(t *testing.T) {
	var log logbook
	o := &dispatch.Options{Logger: log.Logger()}
	o.Retry.Retryable = func(a webhook.Attempt) bool {
		switch a.Status {
		case 200, 410:
			t.Errorf("asked about %+v", a)
		case 418:
			panic("the host's")
		}
		return a.Number < 2 && (a.Status == 0 || a.Status >= 500)
	}
	inBubble(t, o, func(b *bench) {
		answers := map[string]int{"/ok": 200, "/gone": 410, "/bad": 400, "/moved": 301, "/down": 503, "/panics": 418}
		b.Network.Answer = func(r *http.Request, n int) (*http.Response, error) {
			if status, ok := answers[r.URL.Path]; ok && n < 3 {
				return answer(status, ""), nil
			} else if ok {
				return answer(200, ""), nil
			}
			return hang(r)
		}
		want := map[string]struct {
			posts int
			state webhook.DeliveryState
			text  string
		}{
			"ok":     {1, webhook.DeliveryDelivered, ""},
			"gone":   {1, webhook.DeliveryDead, "the receiver answered 410 Gone"},
			"bad":    {1, webhook.DeliveryDead, "attempt 1 failed and is not to be repeated: the answer has status 400"},
			"moved":  {1, webhook.DeliveryDead, "attempt 1 failed and is not to be repeated: the answer has status 301"},
			"down":   {2, webhook.DeliveryDead, "attempt 2 failed and is not to be repeated: the answer has status 503"},
			"silent": {2, webhook.DeliveryDead, "attempt 2 failed and is not to be repeated: no answer within 15s"},
			"panics": {3, webhook.DeliveryDelivered, ""},
		}
		callbacks := make(map[string]webhook.Callback)
		for name := range want {
			callbacks[name] = b.Callback(name, webhook.Callback{})
		}
		b.Start()
		b.Dispatch("1", 30)
		advance(time.Hour)
		synctest.Wait()
		for name, want := range want {
			d := b.Delivery("1", 30, callbacks[name])
			if d.State != want.state || d.Attempts != want.posts || d.Reason != want.text {
				t.Errorf("%s: %s after %d attempts: %q, want %+v", name, d.State, d.Attempts, d.Reason, want)
			}
		}
		if n := log.Count("Retryable panicked"); n != 2 {
			t.Errorf("the panics are logged %d times, want 2", n)
		}
	})
}

// By default whatever is no success is repeated, but for 410.
func TestEveryFailureIsRetried(t *testing.T) {
	for _, status := range []int{99, 101, 199, 300, 301, 302, 304, 307, 400, 401, 404, 408, 422, 429, 500, 503, 599, 999} {
		inBubble(t, nil, func(b *bench) {
			b.Network.Answer = always(status)
			c := b.Callback("hook", webhook.Callback{})
			b.Start()
			b.Dispatch("1", 30)
			synctest.Wait()
			if d := b.Delivery("1", 30, c); d.State != webhook.DeliveryReady || d.Attempts != 1 || d.Due.IsZero() {
				t.Errorf("after %d the delivery is %s, due %v", status, d.State, d.Due)
			}
		})
	}
}

// Where the callback asks for it, what failed once lets the later changes of its record
// pass, and is repeated beside them.
func TestOrderingSkip(t *testing.T) {
	inBubble(t, &dispatch.Options{Retry: exact}, func(b *bench) {
		b.Network.Answer = func(r *http.Request, n int) (*http.Response, error) {
			if n == 1 {
				advance(time.Second)
				return answer(500, ""), nil
			}
			return answer(200, ""), nil
		}
		c := b.Callback("hook", webhook.Callback{Ordering: webhook.OrderingSkip})
		b.Start()
		b.Dispatch("1", 1, 2, 3)
		synctest.Wait()
		if got := ages(b.Network.Posts(), "1"); got != "1" {
			t.Errorf("before the first attempt has ended: %s, want 1", got)
		}
		advance(2 * time.Second)
		if got := ages(b.Network.Posts(), "1"); got != "1 2 3" {
			t.Errorf("when it has failed: %s, want 1 2 3", got)
		}
		if d := b.Delivery("1", 1, c); d.State != webhook.DeliveryReady || !d.Passed {
			t.Errorf("what failed is %s, passed %v", d.State, d.Passed)
		}
		advance(10 * time.Second)
		if got := ages(b.Network.Posts(), "1"); got != "1 2 3 1" {
			t.Errorf("in the end: %s, want 1 2 3 1", got)
		}
	})
}

// A delivery that is replayed has all its attempts before it again, with the pauses of
// the first ones.
func TestReplayRetries(t *testing.T) {
	o := &dispatch.Options{Retry: dispatch.Retry{Pauses: []time.Duration{time.Second, time.Minute}, Jitter: -1}}
	inBubble(t, o, func(b *bench) {
		b.Network.Answer = always(500)
		c := b.Callback("hook", webhook.Callback{})
		b.Start()
		b.Dispatch("1", 30)
		advance(time.Hour)
		d := b.Delivery("1", 30, c)
		if d.State != webhook.DeliveryDead || d.Attempts != 3 {
			t.Fatalf("the delivery is %s after %d attempts", d.State, d.Attempts)
		}
		replayed := time.Now()
		if _, err := b.Store.Replay(t.Context(), d.ID); err != nil {
			t.Fatal(err)
		}
		advance(time.Hour)
		d = b.Delivery("1", 30, c)
		if d.State != webhook.DeliveryDead || d.Attempts != 6 ||
			d.Reason != "all 3 attempts failed, the last one: the answer has status 500" {
			t.Errorf("replayed, it is %s after %d attempts: %s", d.State, d.Attempts, d.Reason)
		}
		posts := b.Network.Posts()
		for i, want := range []time.Duration{0, time.Second, 61 * time.Second} {
			if got := posts[3+i].Time.Sub(replayed); got < want || got > want+10*time.Millisecond {
				t.Errorf("attempt %d is made %v after the replay, want %v", i+1, got, want)
			}
		}
	})
}
