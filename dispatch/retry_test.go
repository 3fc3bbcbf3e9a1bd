package dispatch_test

import (
	"errors"
	"fmt"
	"math"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ringback-dev/ringback/dispatch"
	"github.com/ringback-dev/ringback/webhook"
)

func TestRetrySchedule(t *testing.T) {
	for _, test := range []struct {
		name   string
		pauses []time.Duration
		jitter float64
		slack  float64
	}{
		{"exact", dispatch.DefaultPauses()[:4], -1, 0},
		{"with jitter", []time.Duration{5 * time.Second, time.Minute, 10 * time.Minute}, 0, 0.2},
	} {
		t.Run(test.name, func(t *testing.T) {
			o := &dispatch.Options{Retry: dispatch.Retry{Pauses: test.pauses, Jitter: test.jitter}}
			inBubble(t, o, func(b *bench) {
				b.Network.Answer = func(*http.Request, int) (*http.Response, error) {
					return answer(500, "out of order"), nil
				}
				c := b.Callback("hook", webhook.Callback{})
				b.Start()
				b.Dispatch("1", 30)
				total := time.Minute
				for _, pause := range test.pauses {
					total += pause * 6 / 5
				}
				advance(total)
				synctest.Wait()

				attempted := len(test.pauses) + 1
				posts := b.Network.Posts()
				if len(posts) != attempted {
					t.Fatalf("%d attempts, want %d", len(posts), attempted)
				}
				for i, want := range test.pauses {
					got := posts[i+1].Time.Sub(posts[i].Time)
					// Times are kept to the millisecond.
					if math.Abs(float64(got-want)) > test.slack*float64(want)+float64(time.Millisecond) {
						t.Errorf("pause %d is %v, want %v", i+1, got, want)
					}
				}
				for _, p := range posts[1:] {
					if p.Body != posts[0].Body || p.Header.Get("webhook-id") != posts[0].Header.Get("webhook-id") {
						t.Errorf("a later attempt differs: %s %s", p.Header.Get("webhook-id"), p.Body)
					}
				}

				d := b.Delivery("1", 30, c)
				if d.State != webhook.DeliveryDead || d.Attempts != attempted ||
					d.Reason != fmt.Sprintf("all %d attempts failed, the last one: the answer has status 500", attempted) {
					t.Errorf("delivery: %+v", d)
				}
				attempts, err := b.Store.Attempts(t.Context(), d.ID)
				if err != nil || len(attempts) != attempted {
					t.Fatalf("%d attempts recorded, %v", len(attempts), err)
				}
				for i, a := range attempts {
					if a.Number != i+1 || a.Status != 500 || a.Answer != "out of order" || a.Error == "" {
						t.Errorf("attempt %d: %+v", i+1, a)
					}
				}
			})
		})
	}
}

func TestRetryThenSuccess(t *testing.T) {
	inBubble(t, nil, func(b *bench) {
		b.Network.Answer = func(_ *http.Request, n int) (*http.Response, error) {
			switch n {
			case 1:
				return nil, errors.New("no route")
			case 2:
				return answer(302, ""), nil
			}
			return answer(204, ""), nil
		}
		c := b.Callback("hook", webhook.Callback{})
		b.Start()
		b.Dispatch("1", 30)
		advance(time.Hour)
		synctest.Wait()
		if d := b.Delivery("1", 30, c); d.State != webhook.DeliveryDelivered || d.Attempts != 3 || d.Reason != "" {
			t.Errorf("delivery: %+v", d)
		}
	})
}

// An edit of the callback applies to later attempts, but never to the message.
func TestEditBetweenAttempts(t *testing.T) {
	inBubble(t, nil, func(b *bench) {
		b.Network.Answer = func(r *http.Request, _ int) (*http.Response, error) {
			if r.URL.Path == "/wrong" {
				return answer(404, ""), nil
			}
			return answer(200, ""), nil
		}
		c := b.Callback("wrong", webhook.Callback{})
		b.Start()
		b.Dispatch("1", 30)
		synctest.Wait()
		c.URL, c.Method = "https://example.com/right", webhook.MethodXML
		if _, err := b.Store.UpdateCallback(t.Context(), c); err != nil {
			t.Fatal(err)
		}
		advance(time.Minute)
		synctest.Wait()
		posts := b.Network.Posts()
		if len(posts) != 2 || posts[1].URL != "https://example.com/right" || posts[1].Body != posts[0].Body {
			t.Errorf("posts: %+v", posts)
		}
	})
}

// A retry is made when it is due, not when the engine next looks for work unasked.
func TestRetryIsPunctual(t *testing.T) {
	o := &dispatch.Options{Retry: dispatch.Retry{Pauses: []time.Duration{300 * time.Millisecond}, Jitter: -1}}
	inBubble(t, o, func(b *bench) {
		b.Network.Answer = func(*http.Request, int) (*http.Response, error) { return answer(500, ""), nil }
		b.Callback("hook", webhook.Callback{})
		b.Start()
		b.Dispatch("1", 30)
		advance(900 * time.Millisecond)
		posts := b.Network.Posts()
		if len(posts) != 2 {
			t.Fatalf("%d posts, want 2", len(posts))
		}
		if got := posts[1].Time.Sub(posts[0].Time); got < 299*time.Millisecond || got > 301*time.Millisecond {
			t.Errorf("the second post came after %v, want 300ms", got)
		}
	})
}
