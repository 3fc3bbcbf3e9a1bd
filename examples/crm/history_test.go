package main_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// TestHistory: what became of each delivery is listed, by state, record and time, and
// shown with its attempts. Those that have ended are replayed, one or all.
func TestHistory(t *testing.T) {
	var cured atomic.Bool
	r := newReceiver(t, func(m message) int {
		if strings.Contains(string(m.body), `"sick":true`) && !cured.Load() {
			return http.StatusInternalServerError
		}
		return http.StatusOK
	})
	began := time.Now().Truncate(time.Second)
	p := start(t, newFile(t), "-retry-base", "100us")
	callback := p.listen("/database/788", r, "/", "")
	p.listen("/database/788", newReceiver(t, nil), "/", "") // its deliveries are not listed with these
	path := "/callback/" + callback + "/deliveries"
	wantJSON(t, "no deliveries", p.must(200, "GET", path, ""), `{"start":0,"limit":100,"total":0,"data":[]}`)
	well := p.create("/database/788/profiles", `{"fields":{"sick":false}}`)
	taken := r.next(t)
	sick := p.create("/database/788/profiles", `{"fields":{"sick":true}}`)
	var lost message
	for range 8 {
		lost = r.next(t)
	}
	p.untilTotal(path+"?state=dead", 1)
	p.untilTotal(path+"?state=delivered", 1)

	at := func(after time.Duration) string {
		return url.QueryEscape(began.Add(after).Format(time.RFC3339))
	}
	for query, want := range map[string]string{
		"":                    lost.id() + " " + taken.id(), // the latest first
		"?limit=1":            lost.id(),
		"?start=1":            taken.id(),
		"?state=dead":         lost.id(),
		"?state=delivered":    taken.id(),
		"?state=waiting":      "",
		"?record=" + well:     taken.id(),
		"?record=" + sick:     lost.id(),
		"?record=99":          "",
		"?since=" + at(0):     lost.id() + " " + taken.id(),
		"?since=" + at(1e12):  "",
		"?until=" + at(0):     "",
		"?until=" + at(1e12):  lost.id() + " " + taken.id(),
		"?access_token=x&a=b": lost.id() + " " + taken.id(),
		"?since=" + at(0) + "&until=" + at(1e12) + "&state=dead&record=" + sick: lost.id(),
	} {
		var ids []string
		for _, d := range p.items(path + query) {
			ids = append(ids, fmt.Sprint(d["ID"]))
		}
		if got := strings.Join(ids, " "); got != want {
			t.Errorf("%s lists %q, want %q", query, got, want)
		}
	}
	for field, query := range map[string]string{"state": "gone", "since": "yesterday", "until": "", "record": ""} {
		wantError(t, p.do("GET", path+"?"+field+"="+query, ""), http.StatusBadRequest, field)
	}

	delivery := "/delivery/" + lost.id()
	d := shown(t, p, delivery)
	if d["record"] != sick || d["callback"] != callback || d["state"] != "dead" || d["reason"] == "" || len(d["attempts"].([]any)) != 8 {
		t.Errorf("the dead delivery shows %v", d)
	}
	for _, attempt := range d["attempts"].([]any) {
		if attempt := attempt.(map[string]any); marshal(t, attempt["status"]) != "500" || attempt["error"] == "" {
			t.Errorf("attempt %v", attempt)
		}
	}

	cured.Store(true)
	p.must(202, "POST", delivery+"/replay", "")
	wantAgain(t, r.next(t), lost)
	p.untilShown(delivery, "state", "delivered")
	if d := shown(t, p, delivery); d["replayed"] != true || len(d["attempts"].([]any)) != 9 {
		t.Errorf("replayed, it shows %v", d)
	}
	// What was delivered can be replayed too, and is by default, in the order of the events.
	replay := "/callback/" + callback + "/replay"
	wantJSON(t, "the replay", p.must(202, "POST", replay, since(began, "")), `{"start":0,"limit":0,"total":2,"data":[]}`)
	again := map[string]message{}
	for range 2 {
		m := r.next(t)
		again[m.id()] = m
	}
	wantAgain(t, again[taken.id()], taken)
	wantAgain(t, again[lost.id()], lost)
	p.untilTotal(path+"?state=delivered", 2)
	wantJSON(t, "a replay of nothing", p.must(202, "POST", replay, since(began.Add(time.Hour), "")), `{"start":0,"limit":0,"total":0,"data":[]}`)
	wantJSON(t, "a replay of nothing", p.must(202, "POST", replay, since(began, `,"state":"dead"`)), `{"start":0,"limit":0,"total":0,"data":[]}`)
	wantError(t, p.do("POST", replay, `{}`), http.StatusBadRequest, "since")
	wantError(t, p.do("POST", "/delivery/none_"+callback+"/replay", ""), http.StatusNotFound, "")
	p.stop()
	r.empty(t)
}

// wantAgain checks that a message is the same as one before.
func wantAgain(t *testing.T, got, before message) {
	t.Helper()
	if got.id() != before.id() || string(got.body) != string(before.body) {
		t.Errorf("replayed as\n%s %s\nwant\n%s %s", got.id(), got.body, before.id(), before.body)
	}
}

// TestReplayCrash kills the process in the middle of a replay. It goes on after a
// restart: each delivery comes once more, with the same bytes.
func TestReplayCrash(t *testing.T) {
	t.Parallel() // most of it is waiting for the dead process to be given up
	const deliveries, before = 300, 60
	var replayed atomic.Int64 // negative until it begins
	replayed.Store(-1 << 32)
	killed := make(chan struct{})
	release := sync.OnceFunc(func() { close(killed) })
	r := newReceiver(t, func(message) int {
		if replayed.Add(1) > before {
			<-killed // never answered
		}
		return http.StatusOK
	})
	defer release()
	file := newFile(t)
	began := time.Now().Truncate(time.Second)
	p := start(t, file)
	path := "/callback/" + p.listen("/database/788", r, "", "")
	bodies := map[string]string{}
	for range deliveries {
		p.create("/database/788/profiles", `{}`)
	}
	for range deliveries {
		m := r.next(t)
		bodies[m.id()] = string(m.body)
	}
	p.untilTotal(path+"/deliveries?state=delivered", deliveries)

	replayed.Store(0)
	wantJSON(t, "the replay", p.must(202, "POST", path+"/replay", since(began, "")),
		fmt.Sprintf(`{"start":0,"limit":0,"total":%d,"data":[]}`, deliveries))
	again := map[string]bool{}
	take := func() {
		m := r.next(t)
		if again[m.id()] = true; string(m.body) != bodies[m.id()] {
			t.Errorf("%s comes again as %s, was %s", m.id(), m.body, bodies[m.id()])
		}
	}
	for len(again) <= before {
		take()
	}
	p.kill()
	release()
	p = start(t, file)
	for len(again) < deliveries {
		take()
	}
	p.untilTotal(path+"/deliveries?state=delivered", deliveries)
	for _, d := range p.items(path + "/deliveries?limit=1000") {
		if d["replayed"] != true {
			t.Errorf("not replayed: %v", d)
		}
	}
	p.stop()
}
