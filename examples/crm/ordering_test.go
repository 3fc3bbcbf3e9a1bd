package main_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// TestOrdering: behind a message that is not taken, later ones about the record wait
// under hold and come under skip.
func TestOrdering(t *testing.T) {
	r := newReceiver(t, func(m message) int {
		if strings.Contains(string(m.body), `"parameters":{"n":1}`) {
			return http.StatusInternalServerError
		}
		return http.StatusOK
	})
	p := start(t, newFile(t), "-retry-base", "1h")
	callbacks := map[string]string{}
	for _, ordering := range []string{"hold", "skip"} {
		callbacks[ordering] = "/callback/" + p.listen("/database/788", r, "/"+ordering, `,"ordering":"`+ordering+`"`)
		if got := shown(t, p, callbacks[ordering])["ordering"]; got != ordering {
			t.Errorf("ordering is %v, want %s", got, ordering)
		}
	}
	id := p.create("/database/788/profiles", `{"fields":{"n":0}}`)
	if err := count(p, "/profile/"+id, 1, 3); err != nil {
		t.Fatal(err)
	}
	heard := map[string]string{}
	for range 6 { // hold: 0 and 1; skip: 0 to 3
		m := r.next(t)
		fields := decode(t, m.body)["profile"].(map[string]any)["fields"].(map[string]any)
		heard[m.path] += fmt.Sprint(fields["n"])
	}
	if heard["/hold"] != "01" || heard["/skip"] != "0123" {
		t.Errorf("heard %v", heard)
	}
	p.untilTotal(callbacks["hold"]+"/deliveries?state=waiting", 2)
	p.untilTotal(callbacks["skip"]+"/deliveries?state=delivered", 3)
	for ordering, passed := range map[string]bool{"hold": false, "skip": true} {
		repeated := callbacks[ordering] + "/deliveries?state=ready"
		p.untilTotal(repeated, 1) // the answer to it may be on its way
		if d := p.items(repeated)[0]; d["passed"] != passed {
			t.Errorf("under %s there is to be repeated %v", ordering, d)
		}
	}
	p.stop()
	r.empty(t)
}
