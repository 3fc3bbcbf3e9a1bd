package main

import (
	"time"

	"github.com/ringback-dev/ringback/webhook"
)

// A view is a record as clients see it.
type view struct {
	ID         string         `json:"ID"`
	Database   string         `json:"database"`
	Collection string         `json:"collection,omitempty"` // of a subprofile
	Profile    string         `json:"profile,omitempty"`    // of a subprofile: its parent
	Fields     map[string]any `json:"fields"`
	Interests  []string       `json:"interests"`
	Created    time.Time      `json:"created"`
	Modified   time.Time      `json:"modified"`
}

// A viewer can be seen by clients.
type viewer interface{ view() view }

func newView(r webhook.Record) view {
	return view{ID: r.ID, Fields: r.Fields, Interests: r.Interests, Created: r.Created, Modified: r.Modified}
}

func (p profile) view() view {
	v := newView(p.Record)
	v.Database = p.database
	return v
}

func (s subprofile) view() view {
	v := newView(s.Record)
	v.Database, v.Collection, v.Profile = s.profile.database, s.collection, s.profile.ID
	return v
}
