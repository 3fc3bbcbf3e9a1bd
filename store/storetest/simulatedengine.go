package storetest

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/ringback-dev/ringback/webhook"
)

// These are the steps of a simulation that an engine takes.

func (s *simulation) fan() {
	limit := 1 + s.IntN(6)
	pending, err := s.store.Pending(s.ctx(), webhook.PendingRequest{Limit: limit, LimitBytes: 1 << 30})
	s.must(err)
	var ids []string
	var expansions []webhook.Expansion
	for _, e := range pending.Events {
		if !slices.Contains(s.model.pending, e.ID) || slices.Contains(ids, e.ID) {
			expansions = append(expansions, s.expansion(e)) // of what repeats another: nothing comes of it
			continue
		}
		ids = append(ids, e.ID)
		listeners, err := s.store.Listeners(s.ctx(), e.Scope())
		s.must(err)
		var heard []string
		for _, c := range listeners.Callbacks {
			if c.After < e.Sequence {
				heard = append(heard, c.ID)
			}
		}
		equalList(s.harness, "listeners", heard, s.listeners(e))
		x := s.expansion(e)
		s.addAll(e, x)
		expansions = append(expansions, x)
	}
	n := min(len(ids), len(s.model.pending))
	if len(pending.Events) < limit {
		n = len(s.model.pending)
	}
	equalList(s.harness, "pending", ids, s.model.pending[:n])
	s.model.pending = s.model.pending[n:]
	if claimer, ok := s.store.(webhook.FanOutClaimer); ok && s.chance(2) {
		r, _ := s.claimRequest()
		claimed, err := claimer.FanOutAndClaim(s.ctx(), expansions, r)
		s.must(err)
		s.took(r.Worker, claimed)
	} else {
		s.must(s.store.FanOut(s.ctx(), expansions))
	}
	if s.chance(3) {
		s.must(s.store.FanOut(s.ctx(), expansions)) // by one who does not know
	}
}

// expansion returns what an event may fan out to.
func (s *simulation) expansion(e webhook.Event) webhook.Expansion {
	x := expand(e)
	for _, id := range s.listeners(e) {
		if s.chance(4) {
			continue // its condition does not hold
		}
		t := webhook.Target{Callback: id, Method: webhook.MethodJSON, Encoding: webhook.EncodingBody}
		if s.chance(10) {
			t.Dead = "could not be sent"
			if s.chance(2) {
				t.Method = webhook.MethodXML // of which there is no message
			}
		}
		x.Targets = append(x.Targets, t)
	}
	for _, c := range s.callbacks {
		if c.State == webhook.StateDisabled { // as it may have been not, when it was read
			x.Targets = append(x.Targets, webhook.Target{
				Callback: c.ID, Method: webhook.MethodJSON, Encoding: webhook.EncodingBody,
			})
		}
	}
	return x
}

// addAll expects the deliveries that a fan-out has written.
func (s *simulation) addAll(e webhook.Event, x webhook.Expansion) {
	for _, t := range x.Targets {
		if s.registered(t.Callback).State == webhook.StateActive {
			s.add(e, t)
		}
	}
}

// worker returns a registered worker.
func (s *simulation) worker() webhook.Worker {
	if len(s.workers) == 0 {
		s.joins()
	}
	return s.workers[s.IntN(len(s.workers))]
}

// due reports whether a delivery may be claimed.
func (s *simulation) due(d *modelDelivery) bool {
	c := s.registered(d.lane.callback)
	return d.state == webhook.DeliveryReady && !d.due.After(s.now) && c.State == webhook.StateActive &&
		!c.Health.Paused(s.now)
}

func (s *simulation) take() {
	r, all := s.claimRequest()
	s.took(r.Worker, s.claim(r))
	for id, d := range s.model.deliveries {
		if all && s.due(d) {
			s.t.Fatalf("delivery %s is due, but was not claimed", id)
		}
	}
}

// claimRequest returns a request of some worker, for all that is due or for less.
func (s *simulation) claimRequest() (r webhook.ClaimRequest, all bool) {
	r = claimAll(s.worker())
	r.Now = s.now
	all = s.chance(3)
	if !all {
		r.Limit = 1 + s.IntN(5)
		r.LimitBytes = s.IntN(20)
		r.Room = func(id string, health webhook.Health) int {
			if want := s.registered(id).Health; health != want {
				s.t.Errorf("room was asked for callback %s with health %+v, want %+v", id, health, want)
			}
			return s.IntN(3)
		}
	}
	return r, all
}

// took expects a worker to hold what it was given.
func (s *simulation) took(w webhook.Worker, claimed []webhook.Claimed) {
	for _, c := range claimed {
		d := s.model.deliveries[c.ID]
		if d == nil || !s.due(d) {
			s.t.Fatalf("claimed %+v, which is %+v", c.Delivery, d)
		}
		equal(s.harness, "callback", *c.To, *s.registered(c.Callback))
		equal(s.harness, "attempts", c.Attempts, d.attempts)
		equal(s.harness, "message", string(c.Message), d.event)
		d.state, d.worker = webhook.DeliveryClaimed, w
	}
}

func (s *simulation) settles() {
	w := s.worker()
	var outcomes []webhook.Outcome
	var disabled []string
	for _, d := range s.claimedBy(w) {
		if s.chance(4) {
			continue
		}
		o := s.outcome(d)
		outcomes = append(outcomes, o)
		if s.model.settle(d, o) {
			disabled = append(disabled, o.Callback)
		}
	}
	got := s.record(w, outcomes...)
	slices.SortFunc(got, func(a, b webhook.Callback) int { return cmp.Compare(a.ID, b.ID) })
	var ids []string
	for _, c := range got {
		ids = append(ids, c.ID)
		if want := s.registered(c.ID); want != nil {
			s.takeOver(want, c)
		}
	}
	slices.Sort(disabled)
	equalList(s.harness, "disabled", ids, disabled)
	s.settler = w
	s.settled = slices.DeleteFunc(outcomes, func(o webhook.Outcome) bool { return o.Attempt == nil })
}

// outcome returns what may become of a claimed delivery.
func (s *simulation) outcome(d *modelDelivery) webhook.Outcome {
	c := s.registered(d.lane.callback)
	o := webhook.Outcome{Sequence: d.sequence, Callback: c.ID, State: webhook.DeliveryReady}
	if !s.chance(5) {
		o.Attempt = &webhook.Attempt{Number: d.attempts + 1, Time: s.now, Status: 500}
	}
	switch n := s.IntN(6); {
	case n < 2:
		o.State = webhook.DeliveryDelivered
	case n == 2:
		o.State, o.Reason = webhook.DeliveryDead, "gave up"
	case n < 5 && o.Attempt != nil:
		o.Due = s.now.Add(time.Duration(s.IntN(60)) * time.Second)
	}
	o.Pass = o.State == webhook.DeliveryReady && s.chance(3)
	if s.chance(8) {
		o.Pause = s.now.Add(time.Duration(1+s.IntN(120)) * time.Second)
	}
	if s.chance(30) && o.State != webhook.DeliveryDelivered {
		o.Disable = &webhook.Disabling{Reason: "does not answer", Version: c.Version - int64(s.IntN(4)/3)}
		switch s.IntN(3) {
		case 0:
			o.Disable.FailingSince = c.Health.FailingSince
		case 1:
			o.Disable.FailingSince = s.now.Add(-time.Hour)
		}
	}
	return o
}

// repeat settles again what was settled last, as one does who does not know.
func (s *simulation) repeat() {
	disabled, err := s.store.Settle(s.ctx(), s.settler, s.settled)
	equal(s.harness, "disabled again", len(disabled), 0)
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
	s.model.leave(w, true)
	s.wantErr("late settle", s.trySettle(s.ctx(), w, late), webhook.ErrFenced)
	s.appendsFenced(w)
}

func (s *simulation) leaves() {
	w := s.worker()
	s.must(s.store.Leave(s.ctx(), w))
	s.model.leave(w, false)
}

// continues replays some of what was asked for: the oldest request of a callback first,
// in the order of events, leaving nothing out.
func (s *simulation) continues() {
	limit := 1 + s.IntN(2)
	more, err := s.store.ContinueReplays(s.ctx(), limit)
	s.must(err)
	stored := make(map[string]webhook.DeliveryState)
	for _, d := range s.harness.deliveries(webhook.DeliveryQuery{}) {
		stored[d.ID] = d.State
	}
	left := make(map[string][]string) // by callback
	var unsure []lane
	for _, r := range s.requests {
		for _, d := range s.model.ahead(r) {
			due := r.due(d)
			switch {
			case r.mayReplay(d) && !stored[d.id].Ended():
				if before := left[r.callback]; before != nil {
					s.t.Fatalf("delivery %s was replayed before %s", d.id, strings.Join(before, ", "))
				}
				limit--
				r.after = d.sequence
				s.model.replay(d)
				if !due {
					unsure = append(unsure, d.lane)
				}
			case due:
				left[r.callback] = append(left[r.callback], d.id)
			}
		}
	}
	// Where a request need not have replayed one, it may be another one that did so, and
	// later: then it is the store that says which one is the first of the lane.
	for _, l := range unsure {
		for _, d := range s.inLane(l) {
			if d.state != webhook.DeliveryClaimed {
				d.state = stored[d.id]
			}
		}
	}
	if limit < 0 || len(left) > 0 && !more {
		s.t.Fatalf("replayed %d too many, left %v, more is %t", -limit, left, more)
	}
	if !more {
		s.requests = nil
	}
}
