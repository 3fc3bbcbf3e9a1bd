package main

import (
	"maps"
	"slices"
	"time"

	"github.com/ringback-dev/ringback/webhook"
)

// A profile is a record of a database.
type profile struct {
	webhook.Record
	database string
}

// A subprofile is a record of a collection, under a profile.
type subprofile struct {
	webhook.Record
	collection string
	profile    profile
}

// event tells of a change of the profile.
func (p profile) event(action webhook.Action, previous *webhook.Record) webhook.Event {
	return webhook.Event{
		Action:   action,
		Database: p.database,
		Trigger:  trigger,
		Profile:  p.Record,
		Previous: previous,
	}
}

// event tells of a change of the subprofile.
func (s subprofile) event(action webhook.Action, previous *webhook.Record) webhook.Event {
	return webhook.Event{
		Action:     action,
		Database:   s.profile.database,
		Collection: s.collection,
		Trigger:    trigger,
		Profile:    s.profile.Record,
		Subprofile: &s.Record,
		Previous:   previous,
	}
}

// trigger is what causes every change here: a request to the REST interface.
const trigger = "rest"

// A change is what a request asks of a record.
type change struct {
	fields    map[string]any // the named ones only
	interests []string       // nil: not named
	cause     *webhook.Cause // nil: not known
}

// create returns a new record, which has no ID yet.
func (c *change) create(now time.Time) webhook.Record {
	r := webhook.Record{Fields: map[string]any{}, Interests: []string{}, Created: now, Modified: now}
	maps.Copy(r.Fields, c.fields)
	r.Interests = append(r.Interests, c.interests...)
	return r
}

// update returns the record as it is after the change, and whether that makes a
// difference.
func (c *change) update(before webhook.Record, now time.Time) (after webhook.Record, differs bool) {
	after = before
	after.Fields = maps.Clone(before.Fields)
	for name, value := range c.fields {
		if old, had := before.Fields[name]; !had || !webhook.Equal(old, value) {
			after.Fields[name] = value
			differs = true
		}
	}
	if c.interests != nil && !slices.Equal(c.interests, before.Interests) {
		after.Interests = c.interests
		differs = true
	}
	if differs {
		after.Modified = now
	}
	return after, differs
}
