package main_test

import (
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// TestRetryAfter: an answer of 503 pauses the whole callback for as long as it asks for,
// over a restart too. Another URL ends the pause.
func TestRetryAfter(t *testing.T) {
	r := newReceiverFunc(t, func(w http.ResponseWriter, m message) {
		if m.path == "/busy" {
			w.Header().Set("Retry-After", "3600")
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	})
	file := newFile(t)
	p := start(t, file)
	path := "/callback/" + p.listen("/database/788", r, "/busy", "")
	began := time.Now()
	p.create("/database/788/profiles", `{"fields":{"n":1}}`)
	r.next(t)
	wantPause := func() {
		t.Helper()
		end, err := time.Parse(time.RFC3339, paused(t, p, path))
		if err != nil || end.Before(began.Add(time.Hour-time.Second)) || end.After(time.Now().Add(time.Hour+time.Second)) {
			t.Errorf("paused until %v (%v)", end, err)
		}
	}
	wantPause()
	p.kill()
	p = start(t, file)
	wantPause()

	// Others hear meanwhile.
	p.listen("/database/788", r, "/witness", "")
	p.create("/database/788/profiles", `{"fields":{"n":2}}`)
	if m := r.next(t); m.path != "/witness" {
		t.Errorf("a message goes to %s", m.path)
	}
	if d := p.items(path + "/deliveries?record=2"); len(d) != 1 || d[0]["state"] != "ready" || marshal(t, d[0]["attempt_count"]) != "0" {
		t.Errorf("in the pause there are %v", d)
	}
	p.must(200, "PUT", path, `{"url":"`+r.URL+`/idle"}`)
	if m := r.next(t); m.path != "/idle" || !strings.Contains(string(m.body), `"n":2`) {
		t.Errorf("after the pause there comes to %s: %s", m.path, m.body)
	}
	if got, ok := shown(t, p, path)["paused_until"]; ok {
		t.Errorf("another URL is paused until %v", got)
	}
}

// paused waits until a callback is paused, and returns until when.
func paused(t *testing.T, p *process, path string) (text string) {
	t.Helper()
	until(t, path+" is paused", func() bool {
		text, _ = shown(t, p, path)["paused_until"].(string)
		return text != ""
	})
	return text
}

// TestPauseEnds: after the pause everything comes, by itself.
func TestPauseEnds(t *testing.T) {
	var first atomic.Int64 // when the first message was answered, in milliseconds
	r := newReceiverFunc(t, func(w http.ResponseWriter, _ message) {
		if first.CompareAndSwap(0, time.Now().UnixMilli()) {
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(http.StatusTooManyRequests)
		}
	})
	p := start(t, newFile(t), "-retry-base", "50ms")
	path := "/callback/" + p.listen("/database/788", r, "", "")
	p.create("/database/788/profiles", `{"fields":{"n":1}}`)
	refused := r.next(t)
	p.create("/database/788/profiles", `{"fields":{"n":2}}`)
	ids := map[string]bool{}
	for range 2 {
		m := r.next(t)
		ids[m.id()] = true
		if pause := time.Now().UnixMilli() - first.Load(); len(ids) == 1 && pause < 900 {
			t.Errorf("the pause was %d ms, want a second", pause)
		}
	}
	if len(ids) != 2 || !ids[refused.id()] {
		t.Errorf("after the pause there came %v", ids)
	}
	p.untilTotal(path+"/deliveries?state=delivered", 2)
	p.stop()
	r.empty(t)
}
