package main_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/ringback-dev/ringback/webhook"
)

// TestLoop: a receiver that writes back passes on what made it do so. After five hops the
// callback does not fire again, and a dead delivery says so.
func TestLoop(t *testing.T) {
	r := newReceiver(t, nil)
	p := start(t, newFile(t))
	path := "/callback/" + p.listen("/database/788", r, "", "") + "/deliveries"
	id := p.create("/database/788/profiles", `{"fields":{"n":0}}`)
	var event string
	for n := range webhook.MaxHops + 1 {
		message := decode(t, r.next(t).body)
		hops, cause := message["hops"], message["cause"]
		if n == 0 && (hops != nil || cause != nil) || n > 0 && (fmt.Sprint(hops) != fmt.Sprint(n) || cause != event) {
			t.Errorf("message %d has hops %v and cause %v, want %d and %s", n, hops, cause, n, event)
		}
		event = message["event"].(string)
		headers := []string{"Ringback-Event", event}
		if hops != nil {
			headers = append(headers, "Ringback-Hops", fmt.Sprint(hops))
		}
		if a := p.with("PUT", "/profile/"+id, fmt.Sprintf(`{"fields":{"n":%d}}`, n+1), headers...); a.status != http.StatusOK {
			t.Fatalf("status %d: %s", a.status, a.body)
		}
	}
	p.untilTotal(path+"?state=dead", 1)
	dead := p.items(path + "?state=dead")[0]
	if reason, _ := dead["reason"].(string); !strings.Contains(reason, "loop") || !strings.Contains(reason, event) {
		t.Errorf("the reason is %q, want one with loop and %s", reason, event)
	}
	p.untilTotal(path+"?state=delivered", webhook.MaxHops+1)
	p.must(200, "PUT", "/profile/"+id, `{"fields":{"n":-1}}`) // of nobody's causing
	if m := r.next(t); !strings.Contains(string(m.body), `"n":-1`) {
		t.Errorf("heard %s", m.body)
	}
	p.stop()
	r.empty(t)
}

// TestCause: every kind of write takes its cause from the headers, and one that is no
// cause makes no change.
func TestCause(t *testing.T) {
	r := newReceiver(t, nil)
	p := start(t, newFile(t))
	id := p.create("/database/788/profiles", `{}`)
	sub := p.create("/profile/"+id+"/subprofiles/8550", `{}`)
	p.listen("/database/788", r, "", "")
	p.listen("/collection/8550", r, "", "")
	writes := [][2]string{
		{"POST", "/database/788/profiles"}, {"PUT", "/profile/" + id},
		{"POST", "/profile/" + id + "/subprofiles/8550"}, {"PUT", "/subprofile/" + sub}, {"DELETE", "/subprofile/" + sub}, {"DELETE", "/profile/" + id},
	}
	for _, bad := range []struct {
		header string
		sent   []string
	}{
		{"Ringback-Event", []string{"Ringback-Event", ""}},
		{"Ringback-Event", []string{"Ringback-Event", "a b"}},
		{"Ringback-Event", []string{"Ringback-Event", "a.b", "Ringback-Hops", "1"}},
		{"Ringback-Event", []string{"Ringback-Event", strings.Repeat("x", webhook.MaxEventID+1)}},
		{"Ringback-Event", []string{"Ringback-Event", "e", "Ringback-Event", "e"}},
		{"Ringback-Event", []string{"Ringback-Hops", "1"}},
		{"Ringback-Hops", []string{"Ringback-Event", "e", "Ringback-Hops", "many"}},
		{"Ringback-Hops", []string{"Ringback-Event", "e", "Ringback-Hops", "-1"}},
		{"Ringback-Hops", []string{"Ringback-Event", "e", "Ringback-Hops", "+1"}},
		{"Ringback-Hops", []string{"Ringback-Event", "e", "Ringback-Hops", "1.0"}},
		{"Ringback-Hops", []string{"Ringback-Event", "e", "Ringback-Hops", "9999999999"}},
		{"Ringback-Hops", []string{"Ringback-Event", "e", "Ringback-Hops", "99999999999999999999"}},
		{"Ringback-Hops", []string{"Ringback-Event", "e", "Ringback-Hops", "1", "Ringback-Hops", "2"}},
	} {
		for _, write := range writes {
			wantError(t, p.with(write[0], write[1], `{"fields":{"bad":true}}`, bad.sent...), http.StatusBadRequest, bad.header)
		}
		wantError(t, p.with("PUT", "/profile/"+id, `{}`, bad.sent...), http.StatusBadRequest, bad.header) // no change
	}
	for i, write := range writes {
		hops := []string{"", "0", "3", "", "1", "4"}[i]
		headers := []string{"Ringback-Event", fmt.Sprintf("e-%d", i)}
		want := "1"
		if hops != "" {
			headers = append(headers, "Ringback-Hops", hops)
			want = fmt.Sprint(hops[0] - '0' + 1)
		}
		if a := p.with(write[0], write[1], `{"fields":{"good":true}}`, headers...); a.status >= 300 {
			t.Fatalf("%v: status %d: %s", write, a.status, a.body)
		}
		messages := 1
		if write[0] == "DELETE" && i == len(writes)-1 {
			messages = 2 // the subprofile that was added goes with it
		}
		for range messages {
			body := decode(t, r.next(t).body)
			if fmt.Sprint(body["hops"]) != want || body["cause"] != fmt.Sprintf("e-%d", i) {
				t.Errorf("%v: hops %v, cause %v", write, body["hops"], body["cause"])
			}
		}
	}
	p.stop()
	r.empty(t)
}
