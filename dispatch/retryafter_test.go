package dispatch_test

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ringback-dev/ringback/dispatch"
	"github.com/ringback-dev/ringback/store/memory"
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

// What the receiver asks for holds for all that waits for it, and for nobody else; when
// the time has come it goes on at once.
func TestRetryAfterPausesCallback(t *testing.T) {
	o := &dispatch.Options{PerCallback: 1, Retry: dispatch.Retry{Pauses: []time.Duration{time.Second}, Jitter: -1}}
	inBubble(t, o, func(b *bench) {
		const pause = 100 * time.Second
		b.Network.Answer = func(r *http.Request, n int) (*http.Response, error) {
			a := answer(200, "")
			if r.URL.Path == "/busy" && n == 1 {
				a.StatusCode = 429
				a.Header.Set("Retry-After", "100")
			}
			return a, nil
		}
		busy := b.Callback("busy", webhook.Callback{})
		b.Callback("other", webhook.Callback{})
		b.records(1, 10)
		advance(123 * time.Millisecond) // the end of the pause is not that of a second
		b.Start()
		began := time.Now()
		advance(pause - time.Millisecond)
		posts := make(map[string]int)
		for _, p := range b.Network.Posts() {
			posts[p.URL]++
		}
		if posts["https://example.com/busy"] != 1 || posts["https://example.com/other"] != 10 {
			t.Errorf("during the pause: %v", posts)
		}
		if health := b.Stored(busy).Health; !health.PausedUntil.Equal(began.Add(pause).Truncate(time.Millisecond)) || health.Failures != 1 {
			t.Errorf("its health is %+v", health)
		}
		advance(10 * time.Millisecond)
		if n := len(b.Network.Posts()); n != 21 {
			t.Errorf("%d posts right after the pause, want 21", n)
		}
	})
}

// A slowlySettled is a slowSettleStore that also appends and fans out with claims.
type slowlySettled struct {
	*memory.Store
	slow slowSettleStore
}

func (s *slowlySettled) Settle(ctx context.Context, w webhook.Worker, outcomes []webhook.Outcome) ([]webhook.Callback, error) {
	return s.slow.Settle(ctx, w, outcomes)
}

// The pause begins with the answer, not when that is settled.
func TestRetryAfterPausesAtOnce(t *testing.T) {
	for _, test := range []struct {
		name  string
		store func(*memory.Store) webhook.Store
	}{
		{"claims", func(s *memory.Store) webhook.Store { return &slowSettleStore{s} }},
		{"claims with the append", func(s *memory.Store) webhook.Store { return &slowlySettled{s, slowSettleStore{s}} }},
	} {
		t.Run(test.name, func(t *testing.T) {
			inBubble(t, nil, func(b *bench) {
				b.Engine = b.engineOn(test.store(b.Store), &dispatch.Options{Retry: exact})
				b.Network.Answer = func(_ *http.Request, n int) (*http.Response, error) {
					a := answer(200, "")
					if n == 1 {
						a.StatusCode = 429
						a.Header.Set("Retry-After", "100")
					}
					return a, nil
				}
				b.Callback("hook", webhook.Callback{})
				b.Start()
				for i := range 10 {
					b.records(i, 1)
					advance(3 * time.Millisecond)
				}
				advance(10 * time.Second)
				if n := len(b.Network.Posts()); n != 1 {
					t.Errorf("%d posts in the pause, want 1", n)
				}
				advance(100 * time.Second)
				if n := len(b.Network.Posts()); n != 11 {
					t.Errorf("%d posts after the pause, want 11", n)
				}
			})
		})
	}
}

// What is being claimed when the receiver asks for a pause is not sent in it.
func TestRetryAfterWhileClaiming(t *testing.T) {
	inBubble(t, nil, func(b *bench) {
		var slow atomic.Bool
		b.Engine = b.engineOn(&claimStore{&slowSettleStore{b.Store}, func([]webhook.Claimed) error {
			if slow.Load() {
				advance(200 * time.Millisecond)
			}
			return nil
		}}, &dispatch.Options{Retry: exact})
		b.Network.Answer = func(_ *http.Request, n int) (*http.Response, error) {
			a := answer(200, "")
			if n == 2 {
				advance(150 * time.Millisecond)
				a.StatusCode = 429
				a.Header.Set("Retry-After", "100")
			}
			return a, nil
		}
		b.Callback("hook", webhook.Callback{})
		b.Start()
		b.records(1, 1)
		advance(time.Second)
		b.records(2, 1)
		synctest.Wait()
		slow.Store(true)
		for i := range 5 {
			b.records(3+i, 1)
			advance(100 * time.Millisecond)
		}
		slow.Store(false)
		advance(10 * time.Second)
		if n := len(b.Network.Posts()); n != 2 {
			t.Errorf("%d posts before the end of the pause, want 2", n)
		}
		advance(100 * time.Second)
		if n := len(b.Network.Posts()); n != 8 {
			t.Errorf("%d posts, want 8", n)
		}
	})
}

// A noPause takes no outcome that pauses a callback.
type noPause struct{ webhook.Store }

func (s *noPause) Settle(ctx context.Context, w webhook.Worker, outcomes []webhook.Outcome) ([]webhook.Callback, error) {
	for _, o := range outcomes {
		if !o.Pause.IsZero() {
			return nil, errors.New("refused")
		}
	}
	return s.Store.Settle(ctx, w, outcomes)
}

// A pause that can't be recorded ends all the same.
func TestRetryAfterNotRecorded(t *testing.T) {
	inBubble(t, nil, func(b *bench) {
		b.Engine = b.engineOn(&noPause{b.Store}, &dispatch.Options{Retry: exact})
		b.Network.Answer = func(_ *http.Request, n int) (*http.Response, error) {
			a := answer(200, "")
			if n == 1 {
				a.StatusCode = 429
				a.Header.Set("Retry-After", "3")
			}
			return a, nil
		}
		b.Callback("hook", webhook.Callback{})
		b.Start()
		b.records(1, 1)
		synctest.Wait()
		began := time.Now()
		b.records(2, 5)
		advance(4 * time.Second)
		posts := b.Network.Posts()
		if len(posts) != 6 {
			t.Fatalf("%d posts, want 6", len(posts))
		}
		if pause := posts[1].Time.Sub(began); pause < 2*time.Second {
			t.Errorf("the pause was %v", pause)
		}
	})
}

// Pauses that end at different times each end on time.
func TestPausesEndOnTime(t *testing.T) {
	inBubble(t, &dispatch.Options{Retry: exact}, func(b *bench) {
		began := time.Now()
		var mu sync.Mutex
		late := make(map[string]time.Duration)
		b.Network.Answer = func(r *http.Request, n int) (*http.Response, error) {
			a := answer(200, "")
			at := time.Duration(len(r.URL.Path)) * 100 * time.Second
			if n == 1 {
				advance(time.Duration(len(r.URL.Path)) * 77 * time.Millisecond)
				a.StatusCode = 503
				a.Header.Set("Retry-After", strconv.Itoa(int(at/time.Second)))
			} else {
				mu.Lock()
				defer mu.Unlock()
				late[r.URL.Path] = time.Since(began) - at - time.Duration(len(r.URL.Path))*77*time.Millisecond
			}
			return a, nil
		}
		for _, name := range []string{"aaaaa", "aaaa", "a", "aa", "aaa"} {
			b.Callback(name, webhook.Callback{})
		}
		b.Start()
		b.Dispatch("1", 1)
		advance(time.Hour)
		if len(late) != 5 {
			t.Errorf("%d receivers were called again, want 5", len(late))
		}
		for name, late := range late {
			if late < 0 || late > 20*time.Millisecond {
				t.Errorf("%s was called again %v after its pause", name, late)
			}
		}
	})
}
