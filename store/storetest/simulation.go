package storetest

import (
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"time"

	"github.com/ringback-dev/ringback/webhook"
)

// seedVariable names the environment variable that makes a simulation repeat an
// earlier one.
const seedVariable = "STORETEST_SEED"

// simulationSteps is how many steps a simulation has.
const simulationSteps = 2000

func simulationTests() []test {
	seed := uint64(time.Now().UnixNano())
	if given, err := strconv.ParseUint(os.Getenv(seedVariable), 10, 64); err == nil {
		seed = given
	}
	return []test{
		{"seed 1", func(h *harness) { simulate(h, 1, simulationSteps, nil) }},
		{"new seed", func(h *harness) { simulate(h, seed, simulationSteps, nil) }},
	}
}

// A simulation does what hosts and engines do, in random order, and compares the
// store with a model again and again.
type simulation struct {
	*harness
	*model
	*rand.Rand
	inTx   DispatchInTx // nil where hosts have no transactions
	now    time.Time
	ahead  time.Duration // how far the clock is ahead of the right time
	events int
	// What was settled last, and by whom.
	settler webhook.Worker
	settled []webhook.Outcome
}

func simulate(h *harness, seed uint64, steps int, inTx DispatchInTx) {
	h.t.Logf("seed %d: set %s to repeat", seed, seedVariable)
	s := &simulation{
		harness: h, model: newModel(), Rand: rand.New(rand.NewPCG(seed, 0)), inTx: inTx, now: time.Now(),
	}
	weighted := []struct {
		weight int
		step   func()
	}{
		{20, s.append}, {20, s.fan}, {25, s.take}, {25, s.settles}, {5, s.repeat}, {4, s.joins}, {3, s.crashes},
		{8, s.appendsAndClaims}, {2, s.leaves}, {4, s.register}, {4, s.change}, {1, s.unregister}, {7, s.clock}, {4, s.jump}, {2, s.forget},
		{6, s.replaySome}, {3, s.startReplays}, {4, s.continues}, {2, s.purges},
	}
	var deck []func()
	for _, step := range weighted {
		for range step.weight {
			deck = append(deck, step.step)
		}
	}
	s.register()
	s.joins()
	for i := range steps {
		deck[s.IntN(len(deck))]()
		if i%20 == 0 {
			s.compare()
		}
		if i%200 == 0 {
			s.checkInvariants()
			s.checkDisabled()
		}
	}
	s.compare()
}

// chance is true once in n times.
func (s *simulation) chance(n int) bool { return s.IntN(n) == 0 }

// any returns one of the callbacks.
func (s *simulation) any() *webhook.Callback { return s.callbacks[s.IntN(len(s.callbacks))] }

// clock lets time pass, jump sets the clock to a wrong time or right again.
func (s *simulation) clock() { s.now = s.now.Add(time.Duration(s.IntN(30)) * time.Second) }

func (s *simulation) jump() {
	s.now = s.now.Add(-s.ahead)
	if s.ahead != 0 {
		s.ahead = 0
	} else {
		s.ahead = time.Duration(s.IntN(144)-72) * time.Hour
	}
	s.now = s.now.Add(s.ahead)
	for range 1 + s.IntN(2) {
		s.mend()
	}
}

// mend expects what a clock that was ahead has left behind to be due soon.
func (s *simulation) mend() {
	s.must(s.store.Reschedule(s.ctx(), s.now))
	for _, d := range s.sorted(func(d *modelDelivery) bool {
		return d.state == webhook.DeliveryReady && !d.due.IsZero() && d.last.After(millis(s.now).Add(time.Minute))
	}) {
		stored, err := s.store.Delivery(s.ctx(), d.id)
		s.must(err)
		// It may have been mended before, by a clock that was right to a minute.
		want := millis(s.now).Add(d.delay)
		early := stored.Due.Before(want) && stored.Due.Before(d.due)
		if early || stored.Due.After(want.Add(time.Minute)) {
			s.t.Fatalf("delivery %s is due at %v, was at %v, want %v", d.id, stored.Due, d.due, want)
		}
		d.due = stored.Due
	}
	for _, c := range s.callbacks {
		if c.Health.FailingSince.After(millis(s.now).Add(time.Minute)) {
			c.Health.FailingSince = millis(s.now)
		}
		stored := s.harness.callback(c.ID).Health.PausedUntil
		if stored.After(c.Health.PausedUntil) || stored.Before(c.Health.PausedUntil) && stored.Before(millis(s.now)) {
			s.t.Fatalf("callback %s is paused until %v, was until %v", c.ID, stored, c.Health.PausedUntil)
		}
		c.Health.PausedUntil = stored
	}
}

func (s *simulation) forget() {
	s.pruneAll()
	s.model.prune(s.pendingIDs())
}

// compare compares the store's deliveries with the model's.
func (s *simulation) compare() {
	s.t.Helper()
	stored := s.harness.deliveries(webhook.DeliveryQuery{})
	equal(s.harness, "deliveries", len(stored), len(s.model.deliveries))
	for _, got := range stored {
		want := s.model.deliveries[got.ID]
		if want == nil {
			s.t.Fatalf("delivery %+v is not expected", got)
		}
		if got.State != want.state || got.Reason != want.reason || got.Sequence != want.sequence ||
			got.Attempts != want.attempts || got.Earlier != want.earlier || got.Replayed != want.lane.replayed ||
			got.Passed != want.passed || got.State == webhook.DeliveryReady && got.Due != want.due {
			s.t.Fatalf("delivery is\n%+v, want\n%+v", got, *want)
		}
	}
	var holders []webhook.Worker
	for _, w := range s.workers {
		if len(s.claimedBy(w)) > 0 {
			holders = append(holders, w)
		}
	}
	slices.Sort(holders)
	equalList(s.harness, "workers that hold claims", s.holders(), holders)
	page, err := s.store.Callbacks(s.ctx(), webhook.CallbackQuery{Limit: 100})
	s.must(err)
	var want []webhook.Callback
	for _, c := range s.callbacks {
		want = append(want, *c)
	}
	equalList(s.harness, "callbacks", page.Callbacks, want)
}
