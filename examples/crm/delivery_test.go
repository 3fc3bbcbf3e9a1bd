package main_test

import (
	"fmt"
	"net/http"
	"slices"
	"sync/atomic"
	"testing"
)

// TestNothingChangedIsNoEvent: between the two updates that the receiver hears of
// there were many that changed nothing.
func TestNothingChangedIsNoEvent(t *testing.T) {
	r := newReceiver(t, nil)
	p := start(t, newFile(t))
	p.listen("/database/788", r, "/profile", `,"action":"update"`)
	p.listen("/collection/8550", r, "/subprofile", `,"action":"update"`)
	const state = `{"fields":{"n":1,"big":9007199254740993,"list":[1,{"a":null}],"none":null},"interests":["a","b"]}`
	id := p.create("/database/788/profiles", state)
	sub := p.create("/profile/"+id+"/subprofiles/8550", state)
	for _, path := range []string{"/profile/", "/subprofile/"} {
		path += map[string]string{"/profile/": id, "/subprofile/": sub}[path]
		before := p.must(200, "GET", path, "")
		for _, same := range []string{
			`{}`, `{"fields":{}}`, `{"fields":{"n":1}}`, `{"fields":{"n":1.0}}`, `{"fields":{"none":null}}`,
			`{"fields":{"list":[1,{"a":null}]}}`, `{"interests":["a","b"]}`, state,
		} {
			wantSame(t, p.must(200, "PUT", path, same), before)
		}
		for _, other := range []string{
			`{"fields":{"n":null}}`, `{"fields":{"big":9007199254740992}}`, `{"fields":{"new":null}}`, `{"interests":["b","a"]}`,
		} {
			p.must(200, "PUT", path, other)
		}
		for _, want := range []string{`{"n":null}`, `{"big":9007199254740992}`, `{"new":null}`, `{}`} {
			wantJSON(t, "the parameters", decode(t, r.next(t).body)["parameters"], want)
		}
	}
	p.stop()
	r.empty(t)
}

// TestOrder: the changes of one record arrive in the order in which they were made,
// though several records are changed at once.
func TestOrder(t *testing.T) {
	const records, updates = 5, 20
	r := newReceiver(t, nil)
	p := start(t, newFile(t))
	p.listen("/database/788", r, "/", "")
	errs := make(chan error, records)
	for range records {
		id := p.create("/database/788/profiles", `{"fields":{"n":0}}`)
		go func() { errs <- count(p, "/profile/"+id, 1, updates) }()
	}
	for range records {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	got := map[string][]string{}
	for range records * (updates + 1) {
		profile := decode(t, r.next(t).body)["profile"].(map[string]any)
		id := profile["ID"].(string)
		got[id] = append(got[id], fmt.Sprint(profile["fields"].(map[string]any)["n"]))
	}
	var want []string
	for n := range updates + 1 {
		want = append(want, fmt.Sprint(n))
	}
	for id, order := range got {
		if !slices.Equal(order, want) {
			t.Errorf("profile %s: %v", id, order)
		}
	}
	r.empty(t)
}

// count sets the field n of a record to one number after the other.
func count(p *process, path string, from, to int) error {
	for n := from; n <= to; n++ {
		a, err := p.try("PUT", path, fmt.Sprintf(`{"fields":{"n":%d}}`, n))
		if err != nil {
			return err
		}
		if a.status != http.StatusOK {
			return fmt.Errorf("PUT %s: status %d: %s", path, a.status, a.body)
		}
	}
	return nil
}

// TestRetry: a message that is not taken comes again, the same in every byte, and
// what follows about the record waits for it. Other records do not.
func TestRetry(t *testing.T) {
	var calls atomic.Int32
	r := newReceiver(t, func(m message) int {
		if m.path == "/sick" && calls.Add(1) <= 1 {
			return http.StatusInternalServerError
		}
		return http.StatusOK
	})
	p := start(t, newFile(t), "-retry-base", "50ms")
	p.listen("/database/788", r, "/sick", "")
	id := p.create("/database/788/profiles", `{"fields":{"n":0}}`)
	p.must(200, "PUT", "/profile/"+id, `{"fields":{"n":1}}`)
	first, second, third := r.next(t), r.next(t), r.next(t)
	if first.id() == "" || first.id() != second.id() || string(first.body) != string(second.body) {
		t.Errorf("the second attempt is another one:\n%s %s\n%s %s", first.id(), first.body, second.id(), second.body)
	}
	if third.id() == first.id() || decode(t, third.body)["action"] != "update" {
		t.Errorf("then came %s", third.body)
	}
	p.stop()
	r.empty(t)
}

// TestSickReceiver: a receiver that never takes anything holds up its own messages
// and no others.
func TestSickReceiver(t *testing.T) {
	r := newReceiver(t, func(m message) int {
		if m.path == "/sick" {
			return http.StatusInternalServerError
		}
		return http.StatusOK
	})
	p := start(t, newFile(t))
	p.listen("/database/788", r, "/sick", "")
	p.listen("/database/788", r, "/well", "")
	id := p.create("/database/788/profiles", `{"fields":{"n":0}}`)
	if err := count(p, "/profile/"+id, 1, 20); err != nil {
		t.Fatal(err)
	}
	well, sick := 0, 0
	for well < 21 {
		switch m := r.next(t); m.path {
		case "/well":
			well++
		case "/sick":
			if sick++; sick > 1 {
				t.Fatalf("the sick receiver got a second message: %s", m.body)
			}
		}
	}
}

// TestRedirect: a redirect is not followed, and no success.
func TestRedirect(t *testing.T) {
	elsewhere := newReceiver(t, nil)
	r := newReceiver(t, nil)
	var calls atomic.Int32
	r.Config.Handler = redirectOnce(&calls, r.Config.Handler, elsewhere.URL)
	p := start(t, newFile(t), "-retry-base", "50ms")
	p.listen("/database/788", r, "/", "")
	p.create("/database/788/profiles", `{}`)
	r.next(t)
	if got := calls.Load(); got != 2 {
		t.Errorf("%d calls, want 2", got)
	}
	elsewhere.empty(t)
}

// redirectOnce answers the first request with a redirect.
func redirectOnce(calls *atomic.Int32, next http.Handler, target string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if calls.Add(1) == 1 {
			http.Redirect(w, r, target, http.StatusTemporaryRedirect)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// TestTargets: without -allow-private no callback leads inside.
func TestTargets(t *testing.T) {
	p := start(t, newFile(t), "-allow-private=false")
	for _, target := range []string{
		"http://127.0.0.1/", "http://[::1]/", "http://10.0.0.1/", "http://169.254.169.254/", "http://192.168.1.1/",
		"https://93.184.216.34:8443/", "http://example.com:22/",
	} {
		wantError(t, p.do("POST", "/database/788/callbacks", `{"url":"`+target+`"}`), http.StatusBadRequest, "url")
	}
	p.create("/database/788/callbacks", `{"url":"https://example.com/"}`)
}
