package condition

import "github.com/ringback-dev/ringback/webhook"

// states are the records that the names of a condition mean. Nil is an empty record.
type states struct {
	bare       *webhook.Record // whose fields are names of their own
	profile    *webhook.Record
	subprofile *webhook.Record
	old        *webhook.Record
}

// statesNow returns the records of the event as it is.
func statesNow(e *webhook.Event) states {
	now := states{bare: e.Record(), profile: &e.Profile, old: e.Before()}
	if e.Collection != "" {
		now.subprofile = e.Subprofile
	}
	return now
}

// statesBefore returns the records before the change: the one that changed as it was.
func statesBefore(e *webhook.Event) states {
	before := e.Before()
	if e.Collection != "" {
		return states{bare: before, profile: &e.Profile, subprofile: before, old: before}
	}
	return states{bare: before, profile: before, old: before}
}

func (r *states) record(which whichRecord) *webhook.Record {
	switch which {
	case ofProfile:
		return r.profile
	case ofSubprofile:
		return r.subprofile
	case ofOld:
		return r.old
	}
	return r.bare
}

// idOf returns the ID of a state that is not nil. The previous state need not have it.
func idOf(e *webhook.Event, state *webhook.Record) string {
	if state == e.Previous {
		return e.Record().ID
	}
	return state.ID
}
