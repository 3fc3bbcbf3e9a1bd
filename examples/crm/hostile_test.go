package main_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

const (
	// answersWithin is how soon a registration is answered, whatever is registered;
	// machineIsSlow how much longer a busy machine may take for it.
	answersWithin = 500 * time.Millisecond
	machineIsSlow = 10

	// mostMemory is how much the process may ever have in memory, in bytes.
	mostMemory = 300 << 20
)

// TestHostile registers the whole catalogue of hostile conditions and creates records
// under them. The process lives, answers at once and stays small, each condition comes
// to what it must come to, and an honest one beside them fires every time.
func TestHostile(t *testing.T) {
	fired := make(chan string, 10_000)
	victim := newFiringServer(t, fired)
	r := newReceiver(t, nil)
	p := start(t, newFile(t))
	records := hostileRecords(t)
	for database := range records {
		p.listen("/database/"+database, r, "", `,"expression":"name == 'Bob'"`)
	}
	small := map[string]hostileCase{} // those that run against the small record, by ID
	for kind, cases := range readCatalogue(t) {
		for _, c := range cases {
			if id := registerHostile(t, p, kind, c, victim.URL); id != "" && c.Event == "" {
				small[id] = c
			}
		}
	}

	for database, bodies := range records {
		for _, body := range bodies {
			id := p.create("/database/"+database+"/profiles", body)
			got := decode(t, r.next(t).body)
			if profile, _ := got["profile"].(map[string]any); got["database"] != database || profile["ID"] != id {
				t.Errorf("the honest condition fires for profile %v in %v, want %s in %s", profile["ID"], got["database"], id, database)
			}
		}
	}
	wantOutcomes(t, p, small, fired)

	if used := peakMemory(t, p); used > mostMemory {
		t.Errorf("the process has had %d MiB in memory", used>>20)
	}
	p.stop()
	r.empty(t)
	if len(fired) > 0 {
		t.Errorf("%s fires, or once more", small[<-fired].Source)
	}
}

// registerHostile registers a source, and returns the ID of its callback if it passes
// the gate.
func registerHostile(t *testing.T, p *process, kind string, c hostileCase, target string) (id string) {
	t.Helper()
	asked := time.Now()
	a := p.do("POST", "/database/"+c.database()+"/callbacks", c.registration(t, target+"/"+c.database()))
	if took := time.Since(asked); took > answersWithin*machineIsSlow {
		t.Errorf("%s: %.60s: the answer took %v", kind, c.Source, took)
	}
	switch {
	case c.Want != "refused" && a.status == http.StatusCreated:
		id, _ = only(t, a.object(t))["ID"].(string)
	case c.Want != "refused":
		t.Errorf("%s: %.60s: status %d, want it to be %s: %s", kind, c.Source, a.status, c.Want, a.body)
	case a.status != http.StatusRequestEntityTooLarge: // the longest sources are not even read
		wantError(t, a, http.StatusBadRequest, "expression")
	}
	return id
}

// newFiringServer starts a receiver for messages that are too large, and too many, to
// be kept. It tells which callbacks fire for the small record.
func newFiringServer(t *testing.T, fired chan<- string) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, request *http.Request) {
		if _, err := io.Copy(io.Discard, request.Body); err == nil && request.URL.Path == "/hostile" {
			fired <- request.Header.Get("ringback-callback")
		}
	}))
	t.Cleanup(s.Close)
	return s
}

// wantOutcomes checks what became of the cases at the one event that they have seen:
// each must have fired, failed or done neither, as the catalogue says.
func wantOutcomes(t *testing.T, p *process, cases map[string]hostileCase, fired <-chan string) {
	t.Helper()
	var page struct {
		Data []struct {
			ID       string
			Failures int    `json:"expression_failures"`
			Error    string `json:"expression_error"`
		}
	}
	a := p.do("GET", "/database/hostile/callbacks?limit=1000", "")
	if err := json.Unmarshal(a.body, &page); err != nil {
		t.Fatal(err)
	}
	seen, firing := 0, map[string]bool{}
	for _, shown := range page.Data {
		c, ok := cases[shown.ID]
		if !ok {
			continue // the honest one
		}
		seen++
		if strings.HasPrefix(shown.Error, "took longer than") {
			continue // a busy machine can keep anything waiting
		}
		wantFailures := 1
		if c.Want == "matched" || c.Want == "not matched" {
			wantFailures = 0
		}
		if shown.Failures != wantFailures || (shown.Error != "") != (wantFailures == 1) {
			t.Errorf("%s: %d failures (%q), want it to be %s", c.Source, shown.Failures, shown.Error, c.Want)
		}
		if c.Want == "matched" && shown.Failures == 0 {
			firing[shown.ID] = true
		}
	}
	if seen != len(cases) {
		t.Errorf("%d callbacks are shown, want %d", seen, len(cases))
	}
	for len(firing) > 0 {
		select {
		case id := <-fired:
			if !firing[id] {
				t.Errorf("%s fires, want it to be %s", cases[id].Source, cases[id].Want)
			}
			delete(firing, id)
		case <-time.After(patience):
			t.Fatalf("%d conditions that hold do not fire", len(firing))
		}
	}
}
