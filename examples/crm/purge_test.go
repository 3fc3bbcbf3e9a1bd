package main_test

import (
	"net/http"
	"testing"
)

// TestPurge: an operator has a record forgotten, a profile with its subprofiles; others
// may not, and without a token nobody may.
func TestPurge(t *testing.T) {
	r := newReceiver(t, nil)
	file := newFile(t)
	p := start(t, file, "-operator-token", "letmein")
	onDatabase := "/callback/" + p.listen("/database/788", r, "/database", "") + "/deliveries"
	onCollection := "/callback/" + p.listen("/collection/8550", r, "/collection", "") + "/deliveries"
	id := p.create("/database/788/profiles", `{"fields":{"n":0}}`)
	if err := count(p, "/profile/"+id, 1, 3); err != nil {
		t.Fatal(err)
	}
	sub := p.create("/profile/"+id+"/subprofiles/8550", `{}`)
	other := p.create("/database/788/profiles", `{}`)
	otherSub := p.create("/profile/"+other+"/subprofiles/8550", `{}`)
	var about message // the profile that stays
	for range 7 {
		if m := r.next(t); m.path == "/database" && decode(t, m.body)["profile"].(map[string]any)["ID"] == other {
			about = m
		}
	}
	p.untilTotal(onDatabase+"?state=delivered", 5)
	p.untilTotal(onCollection+"?state=delivered", 2)

	purge := func(body string, headers ...string) answer {
		t.Helper()
		return p.with("POST", "/purge", body, headers...)
	}
	forget := `{"database":788,"collection":0,"record":` + id + `}`
	for _, header := range []string{"", "letmein", "Bearer", "Bearer ", "Bearer letmein2", "Bearer  letmein", "Basic letmein"} {
		a := purge(forget, "Authorization", header)
		wantError(t, a, http.StatusUnauthorized, "")
		if a.header.Get("WWW-Authenticate") != "Bearer" {
			t.Errorf("WWW-Authenticate %q", a.header.Get("WWW-Authenticate"))
		}
	}
	operator := []string{"Authorization", "Bearer letmein"}
	wantError(t, purge(`{"database":788}`, operator...), http.StatusBadRequest, "record")
	wantError(t, purge(`{"record":1}`, operator...), http.StatusBadRequest, "database")
	for _, header := range []string{"Bearer letmein", "bearer letmein"} {
		a := purge(`{"database":"788","record":"99"}`, "Authorization", header)
		wantJSON(t, "a record nobody knows", a.object(t), `{"events":0}`)
	}
	if total := p.total(onDatabase) + p.total(onCollection); total != 7 {
		t.Errorf("%d deliveries are left, want 7", total)
	}

	wantJSON(t, "the purge", purge(forget, operator...).object(t), `{"events":5}`) // four of the profile, one of its subprofile
	p.kill()
	p = start(t, file)
	for path, want := range map[string]int{
		onDatabase: 1, onDatabase + "?record=" + id: 0, onCollection: 1, onCollection + "?record=" + sub: 0, onCollection + "?record=" + otherSub: 1,
	} {
		if got := p.total(path); got != want {
			t.Errorf("%s: %d deliveries, want %d", path, got, want)
		}
	}
	if shown(t, p, "/delivery/"+about.id())["record"] != other {
		t.Errorf("the delivery of %s is about another record", about.body)
	}
	wantError(t, p.with("POST", "/purge", forget, operator...), http.StatusForbidden, "")
	p.must(200, "PUT", "/profile/"+id, `{"fields":{"n":4}}`) // the record itself is the product's
	r.next(t)
	p.stop()
	r.empty(t)
}
