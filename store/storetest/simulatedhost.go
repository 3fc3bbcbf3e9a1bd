package storetest

import (
	"fmt"
	"slices"

	"github.com/ringback-dev/ringback/webhook"
)

// These are the steps of a simulation that a host takes.

// scope returns one of a few places.
func (s *simulation) scope() (database, collection string) {
	database = [...]string{"d", "D"}[s.IntN(2)]
	if s.chance(2) {
		collection = "c"
	}
	return database, collection
}

// one returns one of a few records.
func (s *simulation) one() string { return numbered("r", 2)[s.IntN(2)] }

// newEvents returns some events, known ones among them.
func (s *simulation) newEvents() (events []webhook.Event) {
	for range 1 + s.IntN(4) {
		id := fmt.Sprint("e", s.events)
		if s.events > 0 && s.chance(5) {
			id = fmt.Sprint("e", s.IntN(s.events)) // may be kept still
		}
		s.events++
		database, collection := s.scope()
		e := profile(id, s.one())
		if collection != "" {
			e = child(id, database, collection, e.Profile.ID, s.one())
		}
		e.Database = database
		events = append(events, e)
	}
	return events
}

func (s *simulation) append() {
	events := s.newEvents()
	commit := true
	if s.inTx == nil || s.chance(2) {
		s.dispatch(events...)
	} else {
		commit = !s.chance(3)
		s.must(s.inTx(commit, events...))
	}
	for _, e := range events {
		if commit {
			s.model.append(e)
		}
	}
}

func (s *simulation) register() {
	if len(s.callbacks) >= 6 {
		return
	}
	database, collection := s.scope()
	if collection != "" && s.chance(2) {
		database = ""
	}
	c := s.create(database, collection)
	s.callbacks = append(s.callbacks, &c)
}

func (s *simulation) change() {
	c := s.any()
	change := *c
	change.Expression = fmt.Sprint(s.Int())
	if s.chance(3) {
		change.URL = fmt.Sprint("https://example.com/", s.IntN(3))
	}
	if s.chance(3) {
		change.Ordering = [...]webhook.Ordering{webhook.OrderingHold, webhook.OrderingSkip}[s.IntN(2)]
	}
	// Where all are disabled nothing happens any more.
	if change.State == webhook.StateDisabled {
		change.State = webhook.StateActive
	} else if s.chance(3) {
		change.State, change.Reason = webhook.StateDisabled, fmt.Sprint("by hand ", s.IntN(3))
	}
	stale := change
	stale.Version += int64(1 - 2*s.IntN(2))
	_, err := s.store.UpdateCallback(s.ctx(), stale)
	s.wantErr("stale update", err, webhook.ErrConflict)
	changed, err := s.store.UpdateCallback(s.ctx(), change)
	s.must(err)
	s.model.update(c, change)
	s.takeOver(c, changed)
}

// takeOver takes over what the store alone can know of an update, and compares the
// rest.
func (s *simulation) takeOver(c *webhook.Callback, changed webhook.Callback) {
	s.t.Helper()
	if changed.Version == c.Version || changed.Updated.Before(c.Updated) {
		s.t.Fatalf("version went from %d to %d, updated from %v to %v",
			c.Version, changed.Version, c.Updated, changed.Updated)
	}
	c.Version, c.Updated = changed.Version, changed.Updated
	equal(s.harness, "callback", changed, *c)
}

func (s *simulation) unregister() {
	if len(s.callbacks) > 1 {
		id := s.any().ID
		s.must(s.store.DeleteCallback(s.ctx(), id))
		s.drop(id)
	}
}

// replaySome replays a delivery, or several about the same record in any order, whatever
// their states.
func (s *simulation) replaySome() {
	all := s.sorted(func(*modelDelivery) bool { return true })
	if len(all) == 0 {
		return
	}
	one := all[s.IntN(len(all))]
	s.replayOne(one)
	if s.chance(2) {
		return
	}
	for _, i := range s.Perm(len(all)) {
		d := all[i]
		if d.lane.callback == one.lane.callback && d.lane.record == one.lane.record {
			s.replayOne(d)
		}
	}
}

func (s *simulation) replayOne(d *modelDelivery) {
	got, err := s.store.Replay(s.ctx(), d.id)
	disabled := s.registered(d.lane.callback).State == webhook.StateDisabled
	switch {
	case disabled && !d.state.Ended() && err == nil: // either may come first
	case disabled:
		s.wantErr("replay", err, webhook.ErrDisabled)
	case d.state.Ended() && !d.message:
		s.wantErr("replay without a message", err, webhook.ErrInvalid)
	default:
		s.must(err)
		if d.state.Ended() {
			s.model.replay(d)
		}
		equal(s.harness, "state", got.State, d.state)
		equal(s.harness, "earlier attempts", got.Earlier, d.earlier)
	}
}

func (s *simulation) startReplays() {
	c := s.any()
	state := [...]webhook.DeliveryState{"", webhook.DeliveryDelivered, webhook.DeliveryDead}[s.IntN(3)]
	selected, err := s.store.StartReplay(s.ctx(), webhook.ReplayRequest{Callback: c.ID, State: state})
	if c.State == webhook.StateDisabled {
		s.wantErr("start of a replay", err, webhook.ErrDisabled)
		return
	}
	s.must(err)
	equal(s.harness, "selected", selected, len(s.request(c.ID, state, s.lastSequence()).selected))
}

// lastSequence returns the sequence of the last event that matters.
func (s *simulation) lastSequence() (last int64) {
	for _, e := range s.harness.pending() {
		last = max(last, e.Sequence)
	}
	for _, d := range s.model.deliveries {
		last = max(last, d.sequence)
	}
	return last
}

func (s *simulation) purges() {
	database, collection := s.scope()
	record := s.one()
	var gone []string
	for id, e := range s.model.events {
		if e.Database == database && (e.Collection == collection && e.Record().ID == record ||
			collection == "" && e.Collection != "" && e.Profile.ID == record) {
			gone = append(gone, id)
		}
	}
	slices.Sort(gone)
	equal(s.harness, "events purged", s.purge(database, collection, record), len(gone))
	for _, id := range gone {
		s.remove(id)
	}
}
