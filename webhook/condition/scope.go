package condition

import (
	"github.com/dop251/goja"
	"github.com/ringback-dev/ringback/webhook"
)

// A Scope is an event, set up for the conditions of all its callbacks: what one of
// them uses is converted once. A Scope is not safe for concurrent use, but many
// may be in use at a time.
type Scope struct {
	evaluator *Evaluator
	event     *webhook.Event
	realm     *realm // nil until a condition needs the interpreter
	records   []*record
	now       view
	before    view
	changed   []string // nil until it is asked for
}

// A view is an event as a condition sees it: as it is now, or as it was before.
type view struct {
	states
	changed goja.Value // once asked for
}

// Begin sets an event up. The event must not change until End.
func (ev *Evaluator) Begin(e *webhook.Event) *Scope {
	// It is small enough to be inlined: a Scope that its caller keeps to itself then takes no
	// memory of the heap's.
	s := &Scope{evaluator: ev, event: e}
	s.look()
	return s
}

// look sets the views up.
func (s *Scope) look() {
	s.now.states, s.before.states = statesNow(s.event), statesBefore(s.event)
}

// ready makes sure that the scope has a realm.
func (s *Scope) ready() {
	if s.realm == nil {
		s.enter(s.evaluator.pool.take())
		s.realm.watchdog.set(s.evaluator.options.Deadline)
	}
}

// enter begins anew in a realm.
func (s *Scope) enter(r *realm) {
	s.realm, s.records = r, nil
	s.now.changed, s.before.changed = nil, nil
	r.eventTime = s.event.Time
}

// renew leaves the realm for a new one: nothing is trusted that was stopped half way.
// The watchdog is of the scope, and goes along.
func (s *Scope) renew() {
	r := newRealm()
	r.watchdog = s.realm.watchdog
	s.enter(r)
}

// End releases what Begin took. The Scope must not be used afterwards.
func (s *Scope) End() {
	if s.realm != nil {
		s.realm.rest()
		s.evaluator.pool.put(s.realm)
		s.realm = nil
	}
	s.event = nil
}

// record returns the view of a state, which is nil where there is none.
func (s *Scope) record(state *webhook.Record) *record {
	for _, known := range s.records {
		if known.state == state {
			return known
		}
	}
	r := &record{realm: s.realm, state: state}
	if state != nil {
		r.id = idOf(s.event, state)
	}
	s.records = append(s.records, r)
	return r
}

// changedNames returns the names of the fields that changed.
func (s *Scope) changedNames() []string {
	if s.changed == nil {
		s.changed = s.event.AppendChanged([]string{})
	}
	return s.changed
}

// resolve returns the value of a free name.
func (s *Scope) resolve(v *view, p *param) goja.Value {
	switch p.scope {
	case nameProfile:
		return s.record(v.profile).asObject()
	case nameSubprofile:
		return s.record(v.subprofile).asObject()
	case nameOld:
		return s.record(v.old).asObject()
	case nameChanged:
		return s.changes(v)
	case nameAction:
		return s.realm.vm.ToValue(string(s.event.Action))
	case nameTrigger:
		return s.realm.vm.ToValue(s.event.Trigger)
	case nameDatabase:
		return s.realm.vm.ToValue(s.event.Database)
	case nameCollection:
		if s.event.Collection == "" {
			return s.realm.vm.ToValue(0)
		}
		return s.realm.vm.ToValue(s.event.Collection)
	case nameUndefined:
		return goja.Undefined()
	case nameNaN:
		return goja.NaN()
	case nameInfinity:
		return goja.PositiveInf()
	}
	if field := s.record(v.bare).field(p.name); field != nil {
		return field
	}
	if builtin := s.realm.builtins[p.name]; builtin != nil {
		return builtin
	}
	return goja.Undefined()
}

// changes returns the names of the fields that changed.
func (s *Scope) changes(v *view) goja.Value {
	if v.changed == nil {
		names := []string{}
		if v == &s.now {
			names = s.changedNames()
		}
		v.changed = s.realm.newList(&list{realm: s.realm, texts: names})
	}
	return v.changed
}
