package main_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// since is the body that replays all of a callback since a time, further properties
// included.
func since(at time.Time, more string) string {
	return `{"since":"` + at.UTC().Format(time.RFC3339) + `"` + more + `}`
}

// TestGone: an answer of 410 disables a callback, which then shows why and hears
// nothing. It is enabled again by hand, and what is dead comes when it is replayed. The log
// tells of both, without the token in the URL.
func TestGone(t *testing.T) {
	var gone atomic.Bool
	r := newReceiver(t, func(message) int {
		if gone.Load() {
			return http.StatusGone
		}
		return http.StatusOK
	})
	witness := newReceiver(t, nil)
	file := newFile(t)
	p := start(t, file)
	began := time.Now()
	path := "/callback/" + p.listen("/database/788", r, "/?token=hush", "")
	p.listen("/database/788", witness, "/", "")
	unheard := func(n string) { // by the one that is disabled
		t.Helper()
		p.create("/database/788/profiles", `{"fields":{"n":`+n+`}}`)
		witness.next(t)
	}
	gone.Store(true)
	p.create("/database/788/profiles", `{"fields":{"n":1}}`)
	lost := r.next(t)
	witness.next(t)
	p.untilShown(path, "state", "disabled")
	if reason, _ := shown(t, p, path)["reason"].(string); !strings.Contains(reason, "410") {
		t.Errorf("the reason is %q", reason)
	}
	delivery := "/delivery/" + lost.id()
	p.untilShown(delivery, "state", "dead")
	unheard("2")
	for _, refused := range [][2]string{{delivery + "/replay", ""}, {path + "/replay", since(began, "")}} {
		wantError(t, p.do("POST", refused[0], refused[1]), http.StatusBadRequest, "state")
	}
	p.stop() // it stays disabled
	wantLogged := func(state, reason string) {
		t.Helper()
		log := p.stderr.String()
		if !strings.Contains(log, "state="+state) || !strings.Contains(log, reason) || strings.Contains(log, "hush") {
			t.Errorf("logged: %s", log)
		}
	}
	wantLogged("disabled", "410")

	gone.Store(false)
	p = start(t, file)
	unheard("3")
	back := p.must(200, "PUT", path, `{"state":"active"}`)["data"].([]any)[0].(map[string]any)
	if back["state"] != "active" || back["reason"] != "" {
		t.Errorf("enabled, it shows %v", back)
	}
	p.create("/database/788/profiles", `{"fields":{"n":4}}`)
	if m := r.next(t); !strings.Contains(string(m.body), `"n":4`) {
		t.Errorf("heard %s", m.body)
	}
	wantJSON(t, "the replay", p.must(202, "POST", path+"/replay", since(began, `,"state":"dead"`)), `{"start":0,"limit":0,"total":1,"data":[]}`)
	again := r.next(t)
	if again.id() != lost.id() || string(again.body) != string(lost.body) {
		t.Errorf("replayed as\n%s %s\nwant\n%s %s", again.id(), again.body, lost.id(), lost.body)
	}
	p.untilShown(delivery, "state", "delivered")
	if total := p.total(path + "/deliveries"); total != 2 {
		t.Errorf("%d deliveries, want 2", total)
	}
	p.stop()
	wantLogged("active", "")
	r.empty(t)
}

// TestDisableByHand: what is open is dead with the reason, and stays so when the callback
// is enabled; a restart changes nothing of it.
func TestDisableByHand(t *testing.T) {
	var well atomic.Bool
	r := newReceiver(t, func(message) int {
		if well.Load() {
			return http.StatusOK
		}
		return http.StatusInternalServerError
	})
	file := newFile(t)
	p := start(t, file, "-retry-base", "1h")
	path := "/callback/" + p.listen("/database/788", r, "/", "")
	profile := "/profile/" + p.create("/database/788/profiles", `{"fields":{"n":1}}`)
	p.must(200, "PUT", profile, `{"fields":{"n":2}}`)
	r.next(t)
	p.untilTotal(path+"/deliveries?state=waiting", 1)
	p.untilShown(path, "consecutive_failures", json.Number("1"))
	if _, failing := shown(t, p, path)["failing_since"]; !failing {
		t.Error("it does not show since when it is failing")
	}
	p.must(200, "PUT", path, `{"state":"disabled","ordering":"skip"}`)
	p.untilTotal(path+"/deliveries?state=dead", 2)
	for _, d := range p.items(path + "/deliveries") {
		if d["reason"] != "disabled over the API" {
			t.Errorf("%v is dead because of %q", d["ID"], d["reason"])
		}
	}
	p.kill()

	well.Store(true)
	p = start(t, file)
	if c := shown(t, p, path); c["state"] != "disabled" || c["reason"] != "disabled over the API" || c["ordering"] != "skip" {
		t.Errorf("after a restart: %v", c)
	}
	p.must(200, "PUT", path, `{"state":"active"}`)
	if _, failing := shown(t, p, path)["failing_since"]; failing {
		t.Error("enabled, it still counts as failing")
	}
	p.must(200, "PUT", profile, `{"fields":{"n":3}}`)
	if m := r.next(t); !strings.Contains(string(m.body), `"n":3`) {
		t.Errorf("enabled, it hears %s", m.body)
	}
	p.untilShown(path, "successes", json.Number("1"))
	if dead := p.total(path + "/deliveries?state=dead"); dead != 2 {
		t.Errorf("%d are dead, want 2", dead)
	}
	p.stop()
	r.empty(t)
}
