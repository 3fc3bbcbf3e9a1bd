package load_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ringback-dev/ringback/dispatch"
	"github.com/ringback-dev/ringback/store/memory"
	"github.com/ringback-dev/ringback/webhook"
)

const day = 24 * time.Hour

// A moody is a server that fails while it is told to.
type moody struct {
	*httptest.Server
	fails atomic.Bool
}

func newMoody(t *testing.T) *moody {
	t.Helper()
	m := new(moody)
	m.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if m.fails.Load() {
			w.WriteHeader(http.StatusInternalServerError)
		}
	}))
	t.Cleanup(m.Close)
	return m
}

// TestClock lets an engine whose wall clock is wrong run into receivers that fail, and
// another one, whose clock is right, go on: it makes no more requests than to receivers
// that fail anyway, and when they are well again all is delivered soon.
func TestClock(t *testing.T) {
	cases := []time.Duration{time.Hour, 2 * day, -time.Hour, -day}
	if *full {
		cases = append(cases, day)
	}
	for _, ahead := range cases {
		t.Run(fmt.Sprint("memory ", ahead), func(t *testing.T) {
			m := newMoody(t)
			synctest.Test(t, func(t *testing.T) {
				c := clockTest{
					t: t, store: memory.New(), moody: m, ahead: ahead, watch: time.Minute,
					// Its own pauses, and the longest between requests to what fails.
					soon:   10*time.Minute + 6*time.Minute,
					pauses: []time.Duration{10 * time.Second, time.Minute, 10 * time.Minute, 10 * time.Minute, 10 * time.Minute},
				}
				c.run()
			})
		})
	}
	for _, ahead := range []time.Duration{time.Hour, 2 * day, -day} {
		t.Run(fmt.Sprint("sqlite ", ahead), func(t *testing.T) {
			t.Parallel()
			_, store := newHost(t, filepath.Join(t.TempDir(), "host.db"), 0)
			c := clockTest{
				t: t, store: store, moody: newMoody(t), ahead: ahead, watch: sized(2*time.Second, 10*time.Second), soon: patience,
			}
			for range 20 {
				c.pauses = append(c.pauses, 300*time.Millisecond)
			}
			c.run()
		})
	}
}

// A clockTest is one case of TestClock.
type clockTest struct {
	t      *testing.T
	store  webhook.Store
	moody  *moody
	ahead  time.Duration
	pauses []time.Duration
	watch  time.Duration // for how long the requests of the second engine are counted
	soon   time.Duration // within which all is delivered in the end

	callbacks []webhook.Callback
}

func (c *clockTest) run() {
	c.t.Helper()
	c.prepare()
	c.moody.fails.Store(true)
	wrong := newSkewed(c.store, c.ahead)
	stop := run(c.t, wrong, c.options(), nil)
	c.await(patience, "the receivers to have failed", func() bool {
		for _, callback := range c.stored() {
			if callback.Health.Failures < 10 || callback.Health.PausedUntil.IsZero() {
				return false
			}
		}
		return true
	})
	stop()
	right := newSkewed(c.store, 0)
	began := time.Now()
	stop = run(c.t, right, c.options(), nil)
	defer stop()
	<-time.After(c.watch)
	c.checkCalm(wrong, right, began)
	c.moody.fails.Store(false)
	well := time.Now()
	c.await(c.soon, "everything to be delivered", func() bool {
		return c.count(webhook.DeliveryDelivered)+c.count(webhook.DeliveryDead) == c.count("")
	})
	c.t.Logf("all was delivered %v after the receivers were well", time.Since(well))
	if n := c.count(webhook.DeliveryDead); n > 0 {
		c.t.Errorf("of %d deliveries the attempts were used up", n)
	}
}

// checkCalm checks that the engine whose clock is right calls the receivers one at a time,
// with a pause of a second, which may be shorter by a fifth, at least.
func (c *clockTest) checkCalm(wrong, right *skewed, began time.Time) {
	c.t.Helper()
	for _, callback := range c.callbacks {
		n := right.made(callback.ID)
		took := time.Since(began)
		c.t.Logf("callback %s: %d attempts by the wrong clock, %d within %v by the right one",
			callback.ID, wrong.made(callback.ID), n, took)
		if most := int(took/(800*time.Millisecond)) + 2; n > most {
			c.t.Errorf("callback %s: %d attempts within %v, want %d at most", callback.ID, n, took, most)
		}
	}
}

func (c *clockTest) options() dispatch.Options {
	return dispatch.Options{Retry: dispatch.Retry{Pauses: c.pauses}, DisableAfter: -1}
}

// prepare creates callbacks, and changes of many records.
func (c *clockTest) prepare() {
	c.t.Helper()
	for i := range 3 {
		c.callbacks = append(c.callbacks, subscribe(c.t, c.store, "d", fmt.Sprint(c.moody.URL, "/", i)))
	}
	for i := range 20 {
		if err := c.store.Dispatch(c.t.Context(), update(fmt.Sprint("e", i), "d", fmt.Sprint("r", i), 1)); err != nil {
			c.t.Fatal(err)
		}
	}
}

// stored returns the callbacks as they are stored.
func (c *clockTest) stored() []webhook.Callback {
	c.t.Helper()
	page, err := c.store.Callbacks(c.t.Context(), webhook.CallbackQuery{Limit: len(c.callbacks)})
	if err != nil {
		c.t.Fatal(err)
	}
	return page.Callbacks
}

// count returns how many deliveries are in a state.
func (c *clockTest) count(state webhook.DeliveryState) int {
	c.t.Helper()
	page, err := c.store.Deliveries(c.t.Context(), webhook.DeliveryQuery{State: state, Limit: 1, WithTotal: true})
	if err != nil {
		c.t.Fatal(err)
	}
	return page.Total
}

// await waits until a condition holds, for so long at most by the clock of the bubble,
// where the test is in one.
func (c *clockTest) await(limit time.Duration, what string, holds func() bool) {
	c.t.Helper()
	for began := time.Now(); !holds(); <-time.After(max(limit/5000, 50*time.Millisecond)) {
		if time.Since(began) > limit {
			c.t.Fatalf("after %v still waiting for %s", limit, what)
		}
	}
}
