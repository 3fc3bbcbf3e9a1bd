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
	realm     *realm
	watchdog  watchdog
	records   []*record
	now       view
	before    view
	changed   []string // nil until it is asked for
}

// A view is an event as a condition sees it: as it is now, or as it was before.
type view struct {
	bare       *record // whose fields are names of their own
	profile    *record
	subprofile *record
	old        *record
	changed    goja.Value // once asked for
}

// Begin sets an event up. The event must not change until End.
func (ev *Evaluator) Begin(e *webhook.Event) *Scope {
	s := &Scope{evaluator: ev, event: e}
	s.watchdog.set(ev.options.Deadline)
	s.enter(ev.pool.take())
	return s
}

// enter begins anew in a realm.
func (s *Scope) enter(r *realm) {
	s.realm, s.records, s.now, s.before = r, nil, view{}, view{}
	r.stop = &s.watchdog.expired
	r.now = goja.NaN()
	if !s.event.Time.IsZero() {
		r.now = r.vm.ToValue(s.event.Time.UnixMilli())
	}
}

// End releases what Begin took. The Scope must not be used afterwards.
func (s *Scope) End() {
	s.watchdog.close()
	if s.realm != nil {
		s.realm.rest()
		s.evaluator.pool.put(s.realm)
		s.realm = nil
	}
}

// record returns the view of a state, which is nil where there is none.
func (s *Scope) record(state *webhook.Record) *record {
	for _, known := range s.records {
		if known.state == state {
			return known
		}
	}
	r := &record{realm: s.realm, state: state}
	switch {
	case state == nil:
	case state == s.event.Previous:
		r.id = s.event.Record().ID // the previous state need not repeat it
	default:
		r.id = state.ID
	}
	s.records = append(s.records, r)
	return r
}

// current returns the view of the event as it is.
func (s *Scope) current() *view {
	if s.now.bare == nil {
		s.now = view{
			bare:       s.record(s.event.Record()),
			profile:    s.record(&s.event.Profile),
			subprofile: s.record(nil),
			old:        s.record(s.event.Before()),
		}
		if s.event.Collection != "" {
			s.now.subprofile = s.record(s.event.Subprofile)
		}
	}
	return &s.now
}

// previous returns the view of the event before the change: the record that
// changed as it was, and nothing changed yet.
func (s *Scope) previous() *view {
	if s.before.bare == nil {
		before := s.record(s.event.Before())
		s.before = view{bare: before, profile: before, subprofile: s.record(nil), old: before}
		if s.event.Collection != "" {
			s.before.profile, s.before.subprofile = s.record(&s.event.Profile), before
		}
	}
	return &s.before
}

// resolve returns the value of a free name.
func (s *Scope) resolve(v *view, p *param) goja.Value {
	switch p.scope {
	case nameProfile:
		return v.profile.asObject()
	case nameSubprofile:
		return v.subprofile.asObject()
	case nameOld:
		return v.old.asObject()
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
	if field := v.bare.field(p.name); field != nil {
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
			if s.changed == nil {
				s.changed = append(names, s.event.Changed()...)
			}
			names = s.changed
		}
		v.changed = s.realm.newList(&list{realm: s.realm, texts: names})
	}
	return v.changed
}
