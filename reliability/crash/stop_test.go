//go:build unix

package crash_test

import (
	"context"
	"fmt"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/ringback-dev/ringback/store/sqlite"
	"github.com/ringback-dev/ringback/webhook"
)

// TestStop stops a process with SIGSTOP while its requests are in flight, for longer
// than it takes to be declared dead. Another one delivers what it had claimed; when it
// goes on, what it has to say about that is refused, and it works as a new worker.
func TestStop(t *testing.T) {
	t.Parallel()
	limit := 30 * time.Second
	if *full {
		limit = 10 * time.Second
	}
	release := make(chan struct{})
	r := newReceiver(t, func(p post, times int) answer {
		if event, _ := eventOf(t, p.ID); event == "held" && times == 1 {
			return answer{status: 200, text: "first", hold: func(ctx context.Context) {
				select {
				case <-release:
				case <-ctx.Done():
				}
			}}
		}
		return answer{status: 200, text: "second"}
	})
	file, subscriptions := newFile(t, r.URL)
	store, err := sqlite.Open(t.Context(), file, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	tell := func(event string, n int) {
		t.Helper()
		if err := store.Dispatch(t.Context(), update(event, "r1", n)); err != nil {
			t.Fatal(err)
		}
	}
	// arrived waits until every callback has got an event so many times.
	arrived := func(within time.Duration, event string, times int) {
		t.Helper()
		what := fmt.Sprintf("%s to arrive %d times", event, times)
		waitFor(t, within, what, func() bool {
			got := r.times()
			return !slices.ContainsFunc(subscriptions, func(s subscription) bool {
				return got[webhook.DeliveryID(event, s.ID)] < times
			})
		})
	}
	workers := func() []webhook.WorkerBeat {
		t.Helper()
		workers, err := store.Workers(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return workers
	}

	tell("held", 3) // of which all subscriptions hear
	tell("follower", 6)
	first := start(t, config{File: file, Timeout: 5 * time.Minute})
	arrived(patience, "held", 1)
	second := start(t, config{File: file})
	waitFor(t, patience, "the second worker", func() bool { return len(workers()) == 2 })
	stopped := time.Now()
	first.signal(syscall.SIGSTOP)
	arrived(limit, "held", 2)
	t.Logf("taken over %v after the stop", time.Since(stopped))
	arrived(patience, "follower", 1)

	close(release) // the answers wait for the first
	waitFor(t, patience, "the first worker to be gone", func() bool { return len(workers()) == 1 })
	heir := workers()[0].Worker
	first.signal(syscall.SIGCONT)
	waitFor(t, patience, "the first process to be a new worker", func() bool {
		now := workers()
		return len(now) == 2 && now[1].Worker > heir
	})
	second.stop()
	tell("news", 9)
	arrived(patience, "news", 1)
	first.stop()

	for _, s := range subscriptions {
		for _, event := range []string{"held", "follower", "news"} {
			id := webhook.DeliveryID(event, s.ID)
			d, err := store.Delivery(t.Context(), id)
			if err != nil || d.State != webhook.DeliveryDelivered {
				t.Errorf("%s to %s is %s, %v", event, s.path, d.State, err)
			}
			attempts, err := store.Attempts(t.Context(), id)
			if err != nil || len(attempts) != 1 || attempts[0].Answer != "second" {
				t.Errorf("%s to %s: recorded are %+v, %v, want one that was answered with second",
					event, s.path, attempts, err)
			}
			want := 1
			if event == "held" {
				want = 2
			}
			if got := r.times()[id]; got != want {
				t.Errorf("%s to %s arrived %d times, want %d", event, s.path, got, want)
			}
		}
	}
	if left := workers(); len(left) > 0 {
		t.Errorf("workers left: %v", left)
	}
}
