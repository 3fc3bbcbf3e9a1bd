package webhook_test

import (
	"encoding/json"
	"reflect"
	"testing"

	"github.com/ringback-dev/ringback/webhook"
)

func TestChange(t *testing.T) {
	state := map[string]any{"same": 1, "changed": "new", "new": nil, "list": []any{1, 2}}
	before := map[string]any{"same": json.Number("1.0"), "changed": "old", "gone": nil, "list": []any{1, 3}}
	tests := []struct {
		name       string
		event      webhook.Event
		changed    []string
		parameters map[string]any
	}{
		{
			"create", webhook.Event{Action: webhook.ActionCreate, Profile: webhook.Record{Fields: state}},
			[]string{"changed", "list", "new", "same"}, state,
		},
		{
			"create of nothing", webhook.Event{Action: webhook.ActionCreate},
			nil, map[string]any{},
		},
		{
			"delete", webhook.Event{Action: webhook.ActionDelete, Profile: webhook.Record{Fields: state}},
			nil, map[string]any{},
		},
		{
			"delete with previous", webhook.Event{
				Action: webhook.ActionDelete, Profile: webhook.Record{Fields: state}, Previous: &webhook.Record{Fields: before},
			},
			nil, map[string]any{},
		},
		{
			"update", webhook.Event{
				Action: webhook.ActionUpdate, Profile: webhook.Record{Fields: state}, Previous: &webhook.Record{Fields: before},
			},
			[]string{"changed", "gone", "list", "new"},
			map[string]any{"changed": "new", "new": nil, "list": []any{1, 2}},
		},
		{
			"update of unknown", webhook.Event{Action: webhook.ActionUpdate, Profile: webhook.Record{Fields: state}},
			[]string{"changed", "list", "new", "same"}, state,
		},
		{
			"update from nothing", webhook.Event{
				Action: webhook.ActionUpdate, Profile: webhook.Record{Fields: state}, Previous: &webhook.Record{},
			},
			[]string{"changed", "list", "new", "same"}, state,
		},
		{
			"update to nothing", webhook.Event{Action: webhook.ActionUpdate, Previous: &webhook.Record{Fields: before}},
			[]string{"changed", "gone", "list", "same"}, map[string]any{},
		},
		{
			"update of interests", webhook.Event{
				Action:   webhook.ActionUpdate,
				Profile:  webhook.Record{Fields: state, Interests: []string{"a"}},
				Previous: &webhook.Record{Fields: state},
			},
			nil, map[string]any{},
		},
		{
			"update of a subprofile", webhook.Event{
				Action: webhook.ActionUpdate, Collection: "c",
				Profile:    webhook.Record{Fields: map[string]any{"parent": 1}},
				Subprofile: &webhook.Record{Fields: state}, Previous: &webhook.Record{Fields: before},
			},
			[]string{"changed", "gone", "list", "new"},
			map[string]any{"changed": "new", "new": nil, "list": []any{1, 2}},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := test.event.Changed(); !reflect.DeepEqual(got, test.changed) {
				t.Errorf("Changed is %q, want %q", got, test.changed)
			}
			if got := test.event.Parameters(); !reflect.DeepEqual(got, test.parameters) {
				t.Errorf("Parameters is %v, want %v", got, test.parameters)
			}
		})
	}
}

func TestRecordAndBefore(t *testing.T) {
	previous := &webhook.Record{}
	for _, collection := range []string{"", "8550"} {
		e := webhook.Event{Database: "788", Collection: collection, Previous: previous}
		want := &e.Profile
		if collection != "" {
			e.Subprofile = &webhook.Record{ID: "77"}
			want = e.Subprofile
		}
		if got := e.Record(); got != want {
			t.Errorf("collection %q: the record is %v", collection, got)
		}
		if got := e.Scope(); got != (webhook.Scope{Database: "788", Collection: collection}) {
			t.Errorf("collection %q: the scope is %v", collection, got)
		}
		for action, before := range map[webhook.Action]*webhook.Record{
			webhook.ActionCreate: nil, webhook.ActionUpdate: previous, webhook.ActionDelete: want,
		} {
			e.Action = action
			if got := e.Before(); got != before {
				t.Errorf("collection %q, %s: before is %v", collection, action, got)
			}
		}
	}
	unknown := webhook.Event{Action: webhook.ActionUpdate}
	if got := unknown.Before(); got != nil {
		t.Errorf("update of unknown: before is %v", got)
	}
}

func TestAppendChanged(t *testing.T) {
	e := webhook.Event{Action: webhook.ActionCreate, Profile: webhook.Record{Fields: map[string]any{"b": 1, "a": 2}}}
	got := e.AppendChanged([]string{"z", "c"})
	if want := []string{"z", "c", "a", "b"}; !reflect.DeepEqual(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
