package main_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

const minor, adult, elder = `{"fields":{"age":17}}`, `{"fields":{"age":18}}`, `{"fields":{"age":80}}`

// turns are what may become of the condition age >= 18 in one change of a record, with
// the values of when that fire.
var turns = []struct {
	name  string
	edit  edit
	fires string
}{
	{"holds for a new record", edit{"", adult}, "matches enters changes"},
	{"comes to hold", edit{minor, adult}, "matches enters changes"},
	{"goes on to hold", edit{adult, elder}, "matches"},
	{"ceases to hold", edit{adult, minor}, "leaves changes"},
	{"holds for a record that is deleted", edit{adult, ""}, "matches leaves changes"},
	{"holds neither before nor after", edit{minor, `{"fields":{"age":16}}`}, ""},

	{"does not hold for a new record", edit{"", minor}, ""},
	{"does not hold for a record that is deleted", edit{minor, ""}, ""},
	{"comes to hold by a new field", edit{`{"fields":{"name":"Bob"}}`, adult}, "matches enters changes"},
	{"ceases to hold by null", edit{adult, `{"fields":{"age":null}}`}, "leaves changes"},
	{"holds on through another change", edit{adult, `{"interests":["mac"]}`}, "matches"},
}

var whens = strings.Fields("matches enters leaves changes")

// TestWhen makes each turn with a profile and with a subprofile, of whose parent the
// condition always holds.
func TestWhen(t *testing.T) {
	var receivers []*receiver
	p := start(t, newFile(t))
	for i, turn := range turns {
		for kind, parent := range map[string]string{"profile": "", "subprofile": elder} {
			s := newShelf(p, fmt.Sprintf("%s%d", kind, i), parent)
			edit := s.prepare(turn.edit)
			r := newReceiver(t, nil)
			receivers = append(receivers, r)
			for _, when := range whens {
				p.listen(s.scope, r, "/"+when, `,"expression":"age >= 18","when":"`+when+`"`)
			}
			edit()
			wantFiring(t, r, turn.name+", "+kind, turn.fires)
		}
	}
	p.stop()
	for _, r := range receivers {
		r.empty(t)
	}
}

// wantFiring takes as many messages as paths are named, which must go there.
func wantFiring(t *testing.T, r *receiver, what, paths string) {
	t.Helper()
	var fired []string
	want := strings.Fields(paths)
	for range want {
		fired = append(fired, strings.TrimPrefix(r.next(t).path, "/"))
	}
	slices.Sort(fired)
	slices.Sort(want)
	if !slices.Equal(fired, want) {
		t.Errorf("%s: fires %v, want %v", what, fired, want)
	}
}

// TestWhenAndAction: a callback that is bound to one action hears of the turns in it
// alone. Deleting a profile takes its subprofiles with it.
func TestWhenAndAction(t *testing.T) {
	r := newReceiver(t, nil)
	p := start(t, newFile(t))
	for path, more := range map[string]string{
		"enters-update": `,"expression":"age >= 18","when":"enters","action":"update"`,
		"enters-always": `,"when":"enters"`,
		"leaves-delete": `,"expression":"age >= 18","when":"leaves","action":"delete"`,
		"changes-old":   `,"expression":"old.age == 80","when":"changes"`,
	} {
		p.listen("/database/788", r, "/"+path, more)
	}
	p.listen("/collection/8550", r, "/sub", `,"expression":"profile.age >= 18 && open","when":"leaves"`)

	id := p.create("/database/788/profiles", adult)
	wantFiring(t, r, "created", "enters-always")
	p.must(200, "PUT", "/profile/"+id, minor)
	p.must(200, "PUT", "/profile/"+id, adult)
	wantFiring(t, r, "comes to hold", "enters-update")
	p.must(200, "PUT", "/profile/"+id, elder)
	p.must(200, "PUT", "/profile/"+id, adult)
	wantFiring(t, r, "was older", "")
	p.create("/profile/"+id+"/subprofiles/8550", `{"fields":{"open":true}}`)
	p.must(200, "DELETE", "/profile/"+id, "")
	wantFiring(t, r, "deleted", "leaves-delete sub")
	p.stop()
	r.empty(t)
}

// TestWhenIsAProperty: it is shown, changed and checked like the others.
func TestWhenIsAProperty(t *testing.T) {
	r := newReceiver(t, nil)
	file := newFile(t)
	p := start(t, file)
	path := "/callback/" + p.listen("/database/788", r, "", `,"expression":"age >= 18"`)
	wantShown := func(want string) {
		t.Helper()
		if got := shown(t, p, path)["when"]; got != want {
			t.Errorf("when is %v, want %s", got, want)
		}
	}
	wantShown("matches")
	for _, when := range append(whens, "leaves") {
		p.must(200, "PUT", path, `{"when":"`+when+`"}`)
		wantShown(when)
	}
	for _, bad := range []string{`"always"`, `"Leaves"`, `""`, `null`, `1`} {
		wantError(t, p.do("PUT", path, `{"when":`+bad+`}`), 400, "when")
		wantError(t, p.do("POST", "/database/788/callbacks", `{"url":"https://example.com/","when":`+bad+`}`), 400, "when")
	}
	p.kill()
	p = start(t, file)
	wantShown("leaves")
	id := p.create("/database/788/profiles", adult)
	p.must(200, "PUT", "/profile/"+id, minor)
	if m := decode(t, r.next(t).body); m["action"] != "update" {
		t.Errorf("it fires for a %v", m["action"])
	}
}

// shown returns a callback with all its properties.
func shown(t *testing.T, p *process, path string) map[string]any {
	t.Helper()
	data, ok := p.must(200, "GET", path, "")["data"].([]any)
	if !ok || len(data) != 1 {
		t.Fatalf("no envelope with one callback")
	}
	return data[0].(map[string]any)
}
