package storetest

import (
	"fmt"
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

func simulationTests() []test {
	seed := uint64(time.Now().UnixNano())
	if given, err := strconv.ParseUint(os.Getenv(seedVariable), 10, 64); err == nil {
		seed = given
	}
	return []test{
		{"seed 1", func(h *harness) { simulate(h, 1) }},
		{"seed 2", func(h *harness) { simulate(h, 2) }},
		{"new seed", func(h *harness) { simulate(h, seed) }},
	}
}

// A simulation does what hosts and engines do, in random order, and compares the
// store with a model after each step.
type simulation struct {
	*harness
	*model
	*rand.Rand
	now    time.Time
	events int
	// What was settled last, and by whom.
	settler webhook.Worker
	settled []webhook.Outcome
}

func simulate(h *harness, seed uint64) {
	h.t.Logf("seed %d: set %s to repeat", seed, seedVariable)
	s := &simulation{
		harness: h,
		model:   &model{known: make(map[string]bool), deliveries: make(map[string]*modelDelivery)},
		Rand:    rand.New(rand.NewPCG(seed, 0)),
		now:     time.Now(),
	}
	steps := []struct {
		weight int
		step   func()
	}{
		{20, s.append}, {20, s.fan}, {25, s.take}, {25, s.record}, {5, s.repeat}, {4, s.joins}, {3, s.crashes}, {2, s.leaves},
		{4, s.register}, {1, s.change}, {1, s.unregister}, {5, s.clock}, {2, s.forget},
	}
	var deck []func()
	for _, step := range steps {
		for range step.weight {
			deck = append(deck, step.step)
		}
	}
	s.register()
	s.joins()
	for i := range 400 {
		deck[s.IntN(len(deck))]()
		if i%20 == 0 {
			s.compare()
			s.checkInvariants()
		}
	}
	s.compare()
}

// scope returns one of a few places.
func (s *simulation) scope() (database, collection string) {
	database = [...]string{"d", "D"}[s.IntN(2)]
	if s.IntN(2) == 0 {
		collection = "c"
	}
	return database, collection
}

func (s *simulation) append() {
	var events []webhook.Event
	for range 1 + s.IntN(4) {
		id := fmt.Sprint("e", s.events)
		if s.events > 0 && s.IntN(5) == 0 {
			id = fmt.Sprint("e", s.IntN(s.events)) // may be kept still
		}
		s.events++
		database, collection := s.scope()
		record := numbered("r", 3)[s.IntN(3)]
		e := profile(id, record)
		if collection != "" {
			e = subprofile(id, database, collection, record)
		}
		e.Database = database
		events = append(events, e)
		if !s.known[id] {
			s.known[id] = true
			s.model.pending = append(s.model.pending, id)
		}
	}
	s.dispatch(events...)
}

func (s *simulation) fan() {
	limit := 1 + s.IntN(6)
	pending, err := s.store.Pending(s.ctx(), limit, 1<<30)
	s.must(err)
	var ids []string
	var expansions []webhook.Expansion
	for _, e := range pending.Events {
		ids = append(ids, e.ID)
		listeners, err := s.store.Listeners(s.ctx(), e.Scope())
		s.must(err)
		x := expand(e)
		var heard []string
		for _, c := range listeners.Callbacks {
			if c.After >= e.Sequence {
				continue
			}
			heard = append(heard, c.ID)
			if s.IntN(4) == 0 {
				continue // its condition does not hold
			}
			t := webhook.Target{Callback: c.ID, Method: webhook.MethodJSON, Encoding: webhook.EncodingBody}
			if s.IntN(10) == 0 {
				t.Dead = "its condition failed"
			}
			x.Targets = append(x.Targets, t)
			s.add(e, t)
		}
		equalList(s.harness, "listeners", heard, s.listeners(e))
		expansions = append(expansions, x)
	}
	n := min(limit, len(s.model.pending))
	equalList(s.harness, "pending", ids, s.model.pending[:n])
	s.model.pending = s.model.pending[n:]
	s.must(s.store.FanOut(s.ctx(), expansions))
	if s.IntN(3) == 0 {
		s.must(s.store.FanOut(s.ctx(), expansions)) // by one who does not know
	}
}

// worker returns a registered worker.
func (s *simulation) worker() webhook.Worker {
	if len(s.workers) == 0 {
		s.joins()
	}
	return s.workers[s.IntN(len(s.workers))]
}

func (s *simulation) take() {
	r := claimAll(s.worker())
	r.Now = s.now
	all := s.IntN(3) == 0
	if !all {
		r.Limit = 1 + s.IntN(5)
		r.LimitBytes = s.IntN(20)
		r.Room = func(string) int { return s.IntN(3) }
	}
	for _, c := range s.claim(r) {
		d := s.model.deliveries[c.ID]
		if d == nil || d.state != webhook.DeliveryReady || d.due.After(s.now) || s.inLane(d.lane)[0] != d {
			s.t.Fatalf("claimed %+v, which is %+v", c.Delivery, d)
		}
		equal(s.harness, "attempts", c.Attempts, d.attempts)
		equal(s.harness, "message", string(c.Message), d.event)
		d.state, d.worker = webhook.DeliveryClaimed, r.Worker
	}
	for id, d := range s.model.deliveries {
		if all && d.state == webhook.DeliveryReady && !d.due.After(s.now) {
			s.t.Fatalf("delivery %s is due, but was not claimed", id)
		}
	}
}

func (s *simulation) record() {
	w := s.worker()
	var outcomes []webhook.Outcome
	for _, d := range s.claimedBy(w) {
		if s.IntN(4) == 0 {
			continue
		}
		o := webhook.Outcome{Sequence: d.sequence, Callback: d.lane.callback, State: webhook.DeliveryDelivered}
		switch s.IntN(6) {
		case 0:
			o.State, o.Reason = webhook.DeliveryDead, "gave up"
		case 1:
			o.State = webhook.DeliveryReady
		case 2:
			o.State, o.Due = webhook.DeliveryReady, s.now.Add(time.Duration(s.IntN(60))*time.Second)
		}
		if s.IntN(5) > 0 {
			o.Attempt = &webhook.Attempt{Number: d.attempts + 1, Time: s.now, Status: 500}
		}
		outcomes = append(outcomes, o)
		s.model.settle(d, o)
	}
	s.must(s.store.Settle(s.ctx(), w, outcomes))
	s.settler = w
	s.settled = slices.DeleteFunc(outcomes, func(o webhook.Outcome) bool { return o.Attempt == nil })
}

// repeat settles again what was settled last, as one does who does not know.
func (s *simulation) repeat() {
	err := s.store.Settle(s.ctx(), s.settler, s.settled)
	if !slices.Contains(s.workers, s.settler) {
		s.wantErr("settle again", err, webhook.ErrFenced)
		return
	}
	s.must(err)
}

func (s *simulation) joins() { s.workers = append(s.workers, s.join()) }

// crashes declares a worker dead, who then wakes up and wants to settle.
func (s *simulation) crashes() {
	w := s.worker()
	var late []webhook.Outcome
	for _, d := range s.claimedBy(w) {
		late = append(late, webhook.Outcome{
			Sequence: d.sequence, Callback: d.lane.callback, State: webhook.DeliveryDelivered,
		})
	}
	s.retire(w)
	s.end(w, true)
	s.wantErr("late settle", s.store.Settle(s.ctx(), w, late), webhook.ErrFenced)
}

func (s *simulation) leaves() {
	w := s.worker()
	s.must(s.store.Leave(s.ctx(), w))
	s.end(w, false)
}

func (s *simulation) register() {
	database, collection := s.scope()
	if collection != "" && s.IntN(2) == 0 {
		database = ""
	}
	if len(s.callbacks) < 6 {
		s.callbacks = append(s.callbacks, s.create(database, collection))
	}
}

func (s *simulation) change() {
	for i, c := range s.callbacks {
		c.Expression = fmt.Sprint(s.Int())
		changed, err := s.store.UpdateCallback(s.ctx(), c)
		s.must(err)
		s.callbacks[i] = changed
	}
}

func (s *simulation) unregister() {
	if len(s.callbacks) > 1 {
		id := s.callbacks[s.IntN(len(s.callbacks))].ID
		s.must(s.store.DeleteCallback(s.ctx(), id))
		s.drop(id)
	}
}

func (s *simulation) clock() { s.now = s.now.Add(time.Duration(s.IntN(30)) * time.Second) }

func (s *simulation) forget() {
	s.pruneAll()
	s.model.prune()
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
		if got.State != want.state || got.Attempts != want.attempts || got.Sequence != want.sequence ||
			got.State == webhook.DeliveryReady && got.Due != want.due {
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
	if !slices.Equal(page.Callbacks, s.callbacks) {
		s.t.Fatalf("callbacks are\n%+v, want\n%+v", page.Callbacks, s.callbacks)
	}
}
