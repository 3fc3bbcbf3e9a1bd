package dispatch_test

import (
	"net/http"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ringback-dev/ringback/dispatch"
	"github.com/ringback-dev/ringback/webhook"
)

// Changes of one record go out one after the other, whatever happens to the first;
// other records do not wait.
func TestOrderPerRecord(t *testing.T) {
	inBubble(t, &dispatch.Options{Retry: dispatch.Retry{Jitter: -1}}, func(b *bench) {
		b.Network.Answer = func(r *http.Request, n int) (*http.Response, error) {
			if n == 1 {
				return answer(500, ""), nil
			}
			return answer(200, ""), nil
		}
		b.Callback("hook", webhook.Callback{})
		b.Dispatch("1", 1, 2, 3)
		b.Dispatch("2", 1, 2, 3)
		b.Start()
		synctest.Wait()
		posts := b.Network.Posts()
		held, free := "1", "2"
		if posts[0].Record == "2" {
			held, free = "2", "1"
		}
		if ages(posts, held) != "1" || ages(posts, free) != "1 2 3" {
			t.Errorf("before the retry: %q about the failing record, %q about the other", ages(posts, held), ages(posts, free))
		}
		advance(6 * time.Second)
		synctest.Wait()
		if got := ages(b.Network.Posts(), held); got != "1 1 2 3" {
			t.Errorf("about the failing record: %s, want 1 1 2 3", got)
		}
	})
}

// A delivery that is given up lets its followers go.
func TestOrderAfterDeath(t *testing.T) {
	o := &dispatch.Options{Retry: dispatch.Retry{Pauses: []time.Duration{}}}
	inBubble(t, o, func(b *bench) {
		b.Network.Answer = func(_ *http.Request, n int) (*http.Response, error) {
			if n == 1 {
				return answer(500, ""), nil
			}
			return answer(200, ""), nil
		}
		c := b.Callback("hook", webhook.Callback{})
		b.Start()
		b.Dispatch("1", 1, 2)
		synctest.Wait()
		if got := ages(b.Network.Posts(), "1"); got != "1 2" {
			t.Errorf("arrived: %s, want 1 2", got)
		}
		if d := b.Delivery("1", 1, c); d.State != webhook.DeliveryDead {
			t.Errorf("the first is %s", d.State)
		}
	})
}

// Two engines on one store keep the order, and nothing goes out twice.
func TestOrderWithTwoEngines(t *testing.T) {
	inBubble(t, nil, func(b *bench) {
		b.Callback("hook", webhook.Callback{})
		other := *b
		other.Engine = b.newEngine(nil)
		b.Start()
		other.Start()
		const records, changes = 10, 20
		for age := range changes {
			for record := range records {
				b.Dispatch(strconv.Itoa(record+1), age)
			}
		}
		advance(time.Second)
		other.Stop()
		var want []string
		for age := range changes {
			want = append(want, strconv.Itoa(age))
		}
		posts := b.Network.Posts()
		for record := range records {
			if got := ages(posts, strconv.Itoa(record+1)); got != strings.Join(want, " ") {
				t.Errorf("record %d: %s", record+1, got)
			}
		}
	})
}
