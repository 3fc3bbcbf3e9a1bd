package main_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

// failing are conditions that come to no answer when a record with a long text gets a
// count, each with what its callback must then show.
var failing = []struct{ properties, says string }{
	{`"expression":"nobody.there > 1"`, "'there' of undefined"},
	{`"expression":"text.includes(/x/)"`, "regular expression"},
	{`"expression":"count.startsWith('1')"`, "no method startsWith"},
	{`"expression":"profile"`, "neither yes nor no"},
	{`"expression":"['a','b']"`, "neither yes nor no"},
	{`"expression":"text.split('').length > 0"`, "more memory"},
	{`"expression":"old.count.toFixed() == '1' && count > 1"`, "of undefined"},
	{`"expression":"count.toFixed() == '1'","when":"enters"`, "of undefined"}, // before the change
}

// TestExpressionFailures: a condition that fails does not fire. Its callback shows how
// often that was and, of the last time, how, when and at which event.
func TestExpressionFailures(t *testing.T) {
	r, never := newReceiver(t, nil), newReceiver(t, nil)
	file := newFile(t)
	p := start(t, file)
	p.listen("/database/788", r, "", `,"expression":"count > 0"`)
	add := func(n int) (event string) { // makes one update, at which they fail
		t.Helper()
		id := p.create("/database/788/profiles", `{"fields":{"text":"`+strings.Repeat("x", 20_000)+`"}}`)
		p.must(200, "PUT", "/profile/"+id, fmt.Sprintf(`{"fields":{"count":%d}}`, n))
		return decode(t, r.next(t).body)["event"].(string)
	}
	var paths []string
	for _, row := range failing {
		body := `{"url":"` + never.URL + `","action":"update",` + row.properties + `}`
		paths = append(paths, "/callback/"+p.create("/database/788/callbacks", body))
	}
	for _, path := range paths {
		wantFailures(t, shown(t, p, path), 0, "", "", time.Time{})
	}

	began := time.Now().Truncate(time.Millisecond)
	first := add(1)
	for i, path := range paths {
		wantFailures(t, shown(t, p, path), 1, failing[i].says, first, began)
	}
	began = time.Now().Truncate(time.Millisecond)
	second := add(2)
	p.kill() // nothing of it is lost
	p = start(t, file)
	for i, path := range paths {
		wantFailures(t, shown(t, p, path), 2, failing[i].says, second, began)
	}

	// They are read-only, and stay until there is another condition.
	path := paths[0]
	back, err := json.Marshal(shown(t, p, path))
	if err != nil {
		t.Fatal(err)
	}
	p.must(200, "PUT", path, string(back))
	p.must(200, "PUT", path, `{"method":"xml","expression_failures":0,"expression_error":""}`)
	wantFailures(t, shown(t, p, path), 2, failing[0].says, second, began)
	p.must(200, "PUT", path, `{"method":"json","url":"`+r.URL+`/mended","expression":"nobody?.there > 1 || count == 3"}`)
	wantFailures(t, shown(t, p, path), 0, "", "", time.Time{})
	add(3)
	r.next(t)
	wantFailures(t, shown(t, p, path), 0, "", "", time.Time{})
	p.stop()
	r.empty(t)
	never.empty(t)
}

// wantFailures checks what a callback shows of its failures.
func wantFailures(t *testing.T, callback map[string]any, count int, says, event string, since time.Time) {
	t.Helper()
	got, _ := callback["expression_error"].(string)
	if fmt.Sprint(callback["expression_failures"]) != fmt.Sprint(count) || !strings.Contains(got, says) || (got == "") != (count == 0) {
		t.Errorf("%v: %v failures, %q; want %d, %q", callback["expression"], callback["expression_failures"], got, count, says)
	}
	if count == 0 {
		for _, name := range []string{"expression_error_event", "expression_error_time"} {
			if value, ok := callback[name]; ok {
				t.Errorf("%v: %s is %v without a failure", callback["expression"], name, value)
			}
		}
		return
	}
	if callback["expression_error_event"] != event {
		t.Errorf("%v: failed at event %v, want %s", callback["expression"], callback["expression_error_event"], event)
	}
	text, _ := callback["expression_error_time"].(string)
	at, err := time.Parse(time.RFC3339, text)
	if err != nil || at.Before(since) || at.After(time.Now()) {
		t.Errorf("%v: failed at %q, want RFC 3339 from %v to now", callback["expression"], text, since)
	}
}

// TestScripts: -conditions script takes whole JavaScript. What fails is shown as ever, and
// a process without the flag neither registers scripts nor runs those that are there.
func TestScripts(t *testing.T) {
	const script = `let vip = false; for (const tag of tags) { vip = vip || tag == 'vip' } vip`
	r, never := newReceiver(t, nil), newReceiver(t, nil)
	file := newFile(t)
	p := start(t, file, "-conditions", "script")
	p.listen("/database/788", r, "/always", "")
	id := p.listen("/database/788", r, "/vip", `,"expression":"`+script+`"`)
	p.listen("/database/788", r, "/enters", `,"when":"enters","expression":"[...tags].some(t => t == 'vip')"`)
	loop := "/callback/" + p.listen("/database/788", never, "", `,"expression":"while (true) {}"`)
	thrown := "/callback/" + p.listen("/database/788", never, "", `,"expression":"throw new Error('no luck')"`)
	wantError(t, p.do("POST", "/database/788/callbacks", `{"url":"https://example.com/","expression":"let let"}`), 400, "expression")

	began := time.Now().Truncate(time.Millisecond)
	profile := "/profile/" + p.create("/database/788/profiles", `{"fields":{"tags":["new"]}}`)
	wantFiring(t, r, "no vip", "always")
	p.must(200, "PUT", profile, `{"fields":{"tags":["new","vip"]}}`)
	var event string
	paths := map[string]bool{}
	for range 3 {
		m := r.next(t)
		paths[m.path] = true
		event = decode(t, m.body)["event"].(string)
	}
	if !paths["/vip"] || !paths["/enters"] {
		t.Errorf("fires %v", paths)
	}
	wantFailures(t, shown(t, p, loop), 2, "took longer than 20ms", event, began)
	wantFailures(t, shown(t, p, thrown), 2, "no luck", event, began)
	p.stop()

	p = start(t, file)
	a := p.do("POST", "/database/788/callbacks", marshal(t, map[string]string{"url": "https://example.com/", "expression": script}))
	wantError(t, a, http.StatusBadRequest, "expression")
	began = time.Now().Truncate(time.Millisecond)
	p.must(200, "PUT", profile, `{"fields":{"tags":["vip"]}}`)
	event = decode(t, r.next(t).body)["event"].(string)
	wantFailures(t, shown(t, p, "/callback/"+id), 1, "variables are not available here", event, began)
	p.stop()
	r.empty(t)
	never.empty(t)
}
