//go:build unix

package crash_test

import (
	"context"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ringback-dev/ringback/store/sqlite"
	"github.com/ringback-dev/ringback/webhook"
)

// A subscription is a callback of the tests, and what its receiver is like.
type subscription struct {
	webhook.Callback
	path  string
	hears func(n int) bool
	dies  func(entry) bool // its receiver never takes these
}

func always(int) bool  { return true }
func never(entry) bool { return false }

// poison are the updates that a receiver which fails now and then never takes. They are of
// two records only: with one of every record at the same time, all that it hears for a while
// fails, so it is asked more and more seldom, for minutes.
func poison(e entry) bool { return (e.record == "r0" || e.record == "r1") && e.n%4 == 0 }

// newFile makes a host's database with its tables, profiles and subscriptions.
func newFile(t *testing.T, receiver string) (file string, subscriptions []subscription) {
	t.Helper()
	file = filepath.Join(t.TempDir(), "host.db")
	db, err := openHost(file)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(hostTables); err != nil {
		t.Fatal(err)
	}
	for i := range records {
		if _, err := db.Exec("INSERT INTO profiles VALUES ('r' || ?, 0)", i); err != nil {
			t.Fatal(err)
		}
	}
	store, err := sqlite.New(t.Context(), db, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	for _, s := range []subscription{
		{path: "/json", hears: always, dies: never},
		{path: "/xml", hears: always, dies: never, Callback: webhook.Callback{Method: webhook.MethodXML}},
		{path: "/third", hears: func(n int) bool { return n%3 == 0 }, dies: never,
			Callback: webhook.Callback{Expression: "n % 3 == 0"}},
		{path: "/failing", hears: always, dies: poison},
		{path: "/slow", hears: always, dies: never},
	} {
		s.Database, s.URL = "788", receiver+s.path
		if s.Callback, err = store.CreateCallback(t.Context(), s.Callback.WithDefaults(), 0); err != nil {
			t.Fatal(err)
		}
		subscriptions = append(subscriptions, s)
	}
	return file, subscriptions
}

// moody returns what the receiver of newFile's subscriptions decides.
func moody(t *testing.T, random *rand.Rand) func(post, int) answer {
	return func(p post, _ int) answer {
		switch p.Path {
		case "/failing":
			record, n, err := p.content()
			if err != nil {
				t.Error(err)
			}
			if poison(entry{record, n}) || random.IntN(8) == 0 {
				return answer{status: 500}
			}
		case "/slow":
			pause := time.Duration(10+random.IntN(30)) * time.Millisecond
			return answer{status: 200, hold: func(context.Context) { <-time.After(pause) }}
		}
		return answer{status: 200}
	}
}

// eventOf returns the event's part of a delivery's ID, and the callback's.
func eventOf(t *testing.T, delivery string) (event, callback string) {
	t.Helper()
	event, callback, ok := webhook.SplitDeliveryID(delivery)
	if !ok || strings.Contains(callback, "-") {
		t.Errorf("%q is not the ID of a delivery", delivery)
	}
	return event, callback
}
