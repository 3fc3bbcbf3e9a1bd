package dispatch_test

import (
	"errors"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ringback-dev/ringback/dispatch"
	"github.com/ringback-dev/ringback/webhook"
)

// exact are retries without jitter, at the default pauses.
var exact = dispatch.Retry{Jitter: -1}

// records dispatches one update of each of so many records.
func (b *bench) records(first, n int) {
	b.Helper()
	for i := range n {
		b.Dispatch(strconv.Itoa(first+i), 1)
	}
}

// After ten failures in a row a receiver is only probed, with growing pauses, however
// much waits for it; a success ends that at once.
func TestCircuit(t *testing.T) {
	inBubble(t, &dispatch.Options{PerCallback: 1, Retry: exact}, func(b *bench) {
		began := time.Now()
		const down = time.Hour
		b.Network.Answer = func(*http.Request, int) (*http.Response, error) {
			if time.Since(began) < down {
				return answer(503, ""), nil
			}
			return answer(200, ""), nil
		}
		c := b.Callback("hook", webhook.Callback{})
		const backlog = 300
		b.records(1, backlog)
		b.Start()
		synctest.Wait()
		if n := len(b.Network.Posts()); n != 11 {
			t.Fatalf("%d posts at once, want 11: the last one pauses the callback", n)
		}
		advance(down - time.Millisecond)
		posts := b.Network.Posts()
		var pauses []time.Duration
		for i := range posts[11:] {
			pauses = append(pauses, posts[11+i].Time.Sub(posts[10+i].Time))
		}
		const second = time.Second
		want := []time.Duration{second, second, 2 * second, 4 * second, 8 * second, 16 * second, 32 * second,
			64 * second, 128 * second, 256 * second, 300 * second, 300 * second}
		for i, pause := range want {
			if got := pauses[i]; got < pause || got > pause+pause/100 {
				t.Errorf("pause %d is %v, want %v", i+1, got, pause)
			}
		}
		if n := len(pauses); n > 22 {
			t.Errorf("%d probes in an hour", n)
		}
		health := b.Stored(c).Health
		if health.Failures != int64(len(posts)) || !health.FailingSince.Equal(began) {
			t.Errorf("after %d posts, the health is %+v", len(posts), health)
		}

		advance(5*time.Minute + 5*time.Second)
		synctest.Wait()
		if health := b.Stored(c).Health; health.Failures != 0 || health.Successes == 0 {
			t.Errorf("when the receiver is back, the health is %+v", health)
		}
		delivered := 0
		for i := range backlog {
			if b.Delivery(strconv.Itoa(1+i), 1, c).State == webhook.DeliveryDelivered {
				delivered++
			}
		}
		// The others wait for the pause after their own failure.
		if delivered < backlog-len(posts) {
			t.Errorf("%d of %d are delivered right after the first success", delivered, backlog)
		}
	})
}

// A receiver from which no answer comes is left alone for longer each time, from the second
// time in a row on, until its circuit is open; one that answers is not.
func TestSilentReceiver(t *testing.T) {
	inBubble(t, &dispatch.Options{PerCallback: 1, Retry: exact}, func(b *bench) {
		b.Network.Answer = func(r *http.Request, _ int) (*http.Response, error) {
			if strings.HasSuffix(r.URL.Path, "silent") {
				return nil, errors.New("reset")
			}
			return answer(503, ""), nil
		}
		b.Callback("silent", webhook.Callback{})
		b.Callback("answers", webhook.Callback{})
		b.records(1, 20)
		b.Start()
		advance(10 * time.Second)
		times := make(map[bool][]time.Time)
		for _, p := range b.Network.Posts() {
			silent := strings.HasSuffix(p.URL, "silent")
			times[silent] = append(times[silent], p.Time)
		}
		const ms = time.Millisecond
		for silent, want := range map[bool][]time.Duration{
			true:  {0, 50 * ms, 100 * ms, 200 * ms, 400 * ms, 800 * ms, 1000 * ms, 1000 * ms, 1000 * ms, 1000 * ms, 1000 * ms},
			false: {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1000 * ms},
		} {
			if len(times[silent]) <= len(want) {
				b.Fatalf("silent: %v: %d posts", silent, len(times[silent]))
			}
			for i, pause := range want {
				if got := times[silent][i+1].Sub(times[silent][i]); got < pause || got > pause+10*ms {
					t.Errorf("silent: %v: pause %d is %v, want %v", silent, i+1, got, pause)
				}
			}
		}
	})
}

// Requests in flight together to which no answer comes are one time, and no reason to pause;
// one more after them is the second time in a row.
func TestSilentTogether(t *testing.T) {
	inBubble(t, &dispatch.Options{Retry: exact}, func(b *bench) {
		began := time.Now()
		var together atomic.Int64
		var oneMore atomic.Bool
		b.Network.Answer = func(*http.Request, int) (*http.Response, error) {
			advance(10 * time.Millisecond)
			switch at := time.Since(began); {
			case at < 15*time.Millisecond: // one
			case at < 30*time.Millisecond: // as many as may be in flight then
				together.Add(1)
				return nil, errors.New("reset")
			case oneMore.CompareAndSwap(false, true):
				return nil, errors.New("reset")
			}
			return answer(200, ""), nil
		}
		b.Callback("hook", webhook.Callback{})
		b.records(1, 300)
		b.Start()
		advance(2 * time.Second)
		if n := together.Load(); n != 8 {
			b.Fatalf("%d requests got no answer together, the test wants 8", n)
		}
		var longest time.Duration
		posts := b.Network.Posts()
		for i := range posts[1:] {
			longest = max(longest, posts[i+1].Time.Sub(posts[i].Time))
		}
		if longest < 50*time.Millisecond || longest > 70*time.Millisecond {
			t.Errorf("nothing was sent for %v, want a pause of 50ms", longest)
		}
	})
}

// An answer in between begins the count anew.
func TestSilentNowAndThen(t *testing.T) {
	inBubble(t, &dispatch.Options{Concurrency: 1, Retry: exact}, func(b *bench) {
		b.Network.Answer = func(_ *http.Request, n int) (*http.Response, error) {
			advance(time.Millisecond)
			if n%2 == 0 {
				return nil, errors.New("reset")
			}
			return answer(200, ""), nil
		}
		c := b.Callback("hook", webhook.Callback{})
		b.records(1, 40)
		b.Start()
		advance(time.Second)
		if n := len(b.Network.Posts()); n != 40 {
			t.Errorf("%d posts in the first second, want 40", n)
		}
		if health := b.Stored(c).Health; !health.PausedUntil.IsZero() {
			t.Errorf("the health is %+v", health)
		}
	})
}

// Requests that were in flight together, and fail together, do not make the pause long.
func TestCircuitAfterBurst(t *testing.T) {
	inBubble(t, &dispatch.Options{Retry: exact}, func(b *bench) {
		var down atomic.Bool
		b.Network.Answer = func(r *http.Request, n int) (*http.Response, error) {
			advance(10 * time.Millisecond)
			if down.Load() {
				return answer(500, ""), nil
			}
			return answer(200, ""), nil
		}
		c := b.Callback("hook", webhook.Callback{})
		b.Start()
		b.records(1, 3000)
		advance(145 * time.Millisecond) // no answer falls on that: they fail together
		down.Store(true)
		advance(20 * time.Millisecond)
		synctest.Wait()
		if failures := b.Stored(c).Health.Failures; failures < 30 {
			t.Fatalf("%d failures, the test wants many at once", failures)
		}
		failed := len(b.Network.Posts())
		advance(4 * time.Second)
		if n := len(b.Network.Posts()) - failed; n < 2 || n > 4 {
			t.Errorf("%d probes in the next four seconds, want 2 to 4", n)
		}
	})
}

// A receiver that hangs has one request in flight, in all, and on however many engines:
// the one that has paused the callback makes the next probe.
func TestCircuitOnTwoEngines(t *testing.T) {
	inBubble(t, nil, func(b *bench) {
		g := b.Watch(func(r *http.Request, _ int) (*http.Response, error) { return hang(r) })
		c := b.Callback("hook", webhook.Callback{})
		other := *b
		other.Engine = b.newEngine(nil)
		b.records(1, 200)
		b.Start()
		other.Start()
		advance(5 * time.Minute) // 10 failures of 15 s each, two at a time, and the first pauses
		before := len(b.Network.Posts())
		synctest.Wait()
		g.Most(c.URL)
		advance(30 * time.Minute)
		// A request of 15 seconds and then a pause of 2 to 6 minutes, jitter included.
		if n := len(b.Network.Posts()) - before; n < 4 || n > 13 {
			t.Errorf("%d probes in half an hour", n)
		}
		if most := g.Most(c.URL); most != 1 {
			t.Errorf("%d probes at a time", most)
		}

		// When the engine whose turn it is goes away, the other one takes over.
		first, second := b, &other
		first.Stop()
		before = len(b.Network.Posts())
		advance(30 * time.Minute)
		if n := len(b.Network.Posts()) - before; n < 4 || n > 9 {
			t.Errorf("%d probes in the half hour after one engine has gone", n)
		}
		second.Stop()
		if d := b.Delivery("200", 1, c); d.Attempts != 0 {
			t.Errorf("the last of the backlog has had %d attempts", d.Attempts)
		}
	})
}

// An engine that begins anew goes on where the last one was.
func TestCircuitOutlivesEngine(t *testing.T) {
	o := &dispatch.Options{PerCallback: 1, Retry: exact}
	inBubble(t, o, func(b *bench) {
		b.Network.Answer = always(500)
		b.Callback("hook", webhook.Callback{})
		b.records(1, 100)
		b.Start()
		advance(time.Hour)
		b.Stop()
		before := len(b.Network.Posts())
		for range 10 {
			b.Engine = b.newEngine(o)
			b.Start()
			advance(time.Minute)
			b.Stop()
		}
		if n := len(b.Network.Posts()) - before; n > 3 {
			t.Errorf("%d posts in ten minutes with ten engines, want one in five minutes", n)
		}
	})
}

// Neither a pause that a wrong clock has noted, nor failures that are to come, keep a
// callback from being tried.
func TestCircuitAfterClockJump(t *testing.T) {
	inBubble(t, &dispatch.Options{PerCallback: 1, Retry: exact}, func(b *bench) {
		c := b.Callback("hook", webhook.Callback{})
		b.records(1, 20)
		store := &healthStore{Store: b.Store, health: webhook.Health{
			Failures: 50, FailingSince: time.Now().Add(48 * time.Hour), PausedUntil: time.Now().Add(48 * time.Hour),
		}}
		b.Engine = b.engineOn(store, nil)
		b.Start()
		synctest.Wait()
		if n := len(b.Network.Posts()); n != 20 {
			t.Errorf("%d posts, want 20", n)
		}
		if d := b.Delivery("20", 1, c); d.State != webhook.DeliveryDelivered {
			t.Errorf("the last delivery is %s", d.State)
		}
	})
}

// What an open circuit saves is attempts: what waits meanwhile has all of them left.
func TestCircuitKeepsAttempts(t *testing.T) {
	inBubble(t, &dispatch.Options{Retry: exact}, func(b *bench) {
		g := b.Watch(func(*http.Request, int) (*http.Response, error) {
			advance(10 * time.Millisecond)
			return answer(500, ""), nil
		})
		c := b.Callback("hook", webhook.Callback{})
		b.records(1, 400)
		b.Start()
		advance(time.Minute)
		g.Most(c.URL)
		advance(3 * time.Hour)
		if most := g.Most(c.URL); most != 1 {
			t.Errorf("%d requests at a time", most)
		}
		untouched, dead := 0, 0
		for i := range 400 {
			d := b.Delivery(strconv.Itoa(1+i), 1, c)
			if d.Attempts == 0 {
				untouched++
			}
			if d.State == webhook.DeliveryDead {
				dead++
			}
		}
		if n := len(b.Network.Posts()); n > 80 || untouched < 320 || dead != 0 {
			t.Errorf("after three hours and %d posts, %d of 400 are untouched and %d dead", n, untouched, dead)
		}
	})
}

// Of requests that were in flight together the longest pause counts, and the engine that
// has noted it goes on when that is over.
func TestPausesOfOneBurst(t *testing.T) {
	inBubble(t, &dispatch.Options{PerCallback: 12, Retry: exact}, func(b *bench) {
		b.Network.Answer = func(r *http.Request, n int) (*http.Response, error) {
			if n == 1 {
				return answer(200, ""), nil
			}
			advance(time.Duration(n) * time.Millisecond)
			refusal := answer(503, "")
			refusal.Header.Set("Retry-After", "10")
			if n == 2 {
				refusal.Header.Set("Retry-After", "30")
			}
			return refusal, nil
		}
		c := b.Callback("hook", webhook.Callback{})
		b.Start()
		b.records(1, 1)
		synctest.Wait()
		b.records(2, 40)
		advance(29 * time.Second)
		before := len(b.Network.Posts())
		if failures := b.Stored(c).Health.Failures; failures < 12 || before > 20 {
			t.Fatalf("%d failures, %d posts", failures, before)
		}
		advance(3 * time.Second)
		if n := len(b.Network.Posts()) - before; n != 1 {
			t.Errorf("%d probes right after the longest pause, want 1", n)
		}
	})
}

// A long pause that ended early, with another URL, does not slow the probes of that one.
func TestPauseThatEndedEarly(t *testing.T) {
	inBubble(t, &dispatch.Options{PerCallback: 1, Retry: exact}, func(b *bench) {
		b.Network.Answer = func(r *http.Request, n int) (*http.Response, error) {
			if r.URL.Path == "/other" {
				return answer(500, ""), nil
			}
			refusal := answer(503, "")
			refusal.Header.Set("Retry-After", "3600")
			return refusal, nil
		}
		c := b.Callback("hook", webhook.Callback{})
		b.records(1, 40)
		b.Start()
		advance(time.Minute)
		if n := len(b.Network.Posts()); n != 1 {
			t.Fatalf("%d posts in a minute, want 1", n)
		}
		c = b.Stored(c)
		c.URL = "https://example.com/other"
		if _, err := b.Store.UpdateCallback(t.Context(), c); err != nil {
			t.Fatal(err)
		}
		advance(20 * time.Second)
		// Ten failures, the first one with an open circuit, and pauses of 1, 1, 2, 4 and 8 s.
		if n := len(b.Network.Posts()) - 1; n < 15 {
			t.Errorf("%d posts to the other URL in 20 seconds", n)
		}
	})
}
