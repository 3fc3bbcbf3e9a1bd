package condition_test

import (
	"testing"

	"github.com/ringback-dev/ringback/webhook"
	"github.com/ringback-dev/ringback/webhook/condition"
)

func judgeBefore(t testing.TB, ev *condition.Evaluator, e *webhook.Event, source string) condition.Result {
	t.Helper()
	c, err := ev.Compile(source)
	if err != nil {
		t.Fatal(err)
	}
	s := ev.Begin(e)
	defer s.End()
	s.Evaluate(c) // the views must not get mixed up
	defer s.Evaluate(c)
	return s.EvaluateBefore(c)
}

func TestBefore(t *testing.T) {
	now := webhook.Record{ID: "1", Fields: map[string]any{"a": 2, "b": 1}}
	was := webhook.Record{Fields: map[string]any{"a": 1, "b": 1, "gone": 1}, Interests: []string{"x"}}
	profile := &webhook.Event{Action: webhook.ActionUpdate, Database: "1", Trigger: "t", Profile: now, Previous: &was}
	subprofile := &webhook.Event{
		Action: webhook.ActionUpdate, Database: "1", Collection: "2",
		Profile: webhook.Record{ID: "9", Fields: map[string]any{"a": 7}}, Subprofile: &now, Previous: &was,
	}
	remove := &webhook.Event{Action: webhook.ActionDelete, Database: "1", Profile: now}
	create := &webhook.Event{Action: webhook.ActionCreate, Database: "1", Profile: now}
	unknown := &webhook.Event{Action: webhook.ActionUpdate, Database: "1", Profile: now}

	for _, ev := range []*condition.Evaluator{evaluator(t), scripts(t)} {
		for _, test := range []struct {
			name   string
			event  *webhook.Event
			source string
			want   condition.Verdict
		}{
			{"profile", profile, "a == 1 && profile.a == 1 && profile.fields.a == 1 && gone == 1 && profile.interests.x", yes},
			{"profile", profile, "old.a == 1 && old.a == a && changed.length == 0 && profile.ID == '1' && old.ID == '1'", yes},
			{"profile", profile, "action == 'update' && trigger == 't' && database == '1' && subprofile.a === undefined", yes},
			{"profile", profile, "a == 2", no},
			{"profile", profile, "", yes},
			{"profile", profile, "profile", fail},
			{"subprofile", subprofile, "a == 1 && subprofile.a == 1 && profile.a == 7 && old.a == 1 && subprofile.ID == '1'", yes},
			{"delete", remove, "a == 2 && old.a == 2", yes},
			{"create", create, "true", no},
			{"create", create, "", no},
			{"unknown", unknown, "true", no},
			{"unknown", unknown, "", no},
		} {
			if got := judgeBefore(t, ev, test.event, test.source); got.Verdict != test.want {
				t.Errorf("%s: %s: %+v, want %v", test.name, test.source, got, test.want)
			}
		}
	}
}
