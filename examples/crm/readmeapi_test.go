package main_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/ringback-dev/ringback/webhook"
)

// names returns what is set as code in a cell.
func names(cell string) []string {
	var all []string
	for _, match := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(cell, -1) {
		all = append(all, match[1])
	}
	return all
}

// firstNames returns what is set as code in the first cells of a table.
func firstNames(rows [][]string) []string {
	var all []string
	for _, row := range rows {
		all = append(all, names(row[0])...)
	}
	return all
}

// wantNames checks that the README documents the properties that an object has, and
// those alone; absent are the documented ones that this object lacks.
func wantNames(t *testing.T, what string, documented []string, object map[string]any, absent ...string) {
	t.Helper()
	has := append(slices.Collect(maps.Keys(object)), absent...)
	slices.Sort(has)
	slices.Sort(documented)
	if !slices.Equal(has, documented) {
		t.Errorf("%s has %q\nthe README documents %q", what, has, documented)
	}
}

// TestReadmePaths: there is something at each path of the README, and it has the methods
// that the README says.
func TestReadmePaths(t *testing.T) {
	p := start(t, newFile(t))
	rows := cells(t, "| path | methods | |")
	if len(rows) != 9 {
		t.Errorf("%d paths", len(rows))
	}
	for _, row := range rows {
		path := regexp.MustCompile(`\{\w+\}`).ReplaceAllString(names(row[0])[0], "none")
		want := regexp.MustCompile(`[A-Z]+`).FindAllString(row[1], -1)
		if slices.Contains(want, "GET") {
			want = append(want, "HEAD")
		}
		slices.Sort(want)
		a := p.do(http.MethodPatch, path, "")
		wantError(t, a, http.StatusMethodNotAllowed, "")
		if got := a.header.Get("Allow"); got != strings.Join(want, ", ") {
			t.Errorf("%s has the methods %s, the README says %q", path, got, row[1])
		}
	}
}

// TestReadmeProperties: the README documents the properties that a callback has, with
// their defaults.
func TestReadmeProperties(t *testing.T) {
	p := start(t, newFile(t))
	rows := cells(t, "| property | | default |")
	created := p.must(201, "POST", "/database/788/callbacks", `{"url":"https://example.com/"}`)["data"].([]any)[0].(map[string]any)
	var absent []string
	for _, row := range rows {
		for _, name := range names(row[0]) {
			switch value, ok := created[name]; {
			case row[2] == "absent":
				absent = append(absent, name)
			case strings.HasPrefix(row[2], "`") || row[2] == "0":
				want := strings.Trim(strings.TrimSuffix(row[2], ": always"), "`\"")
				if !ok || fmt.Sprint(value) != want {
					t.Errorf("%s is %v, the README says %s", name, value, row[2])
				}
			}
		}
	}
	wantNames(t, "a callback", firstNames(rows), created, absent...)

	// Those that are absent are known all the same, and read-only, as the README says.
	path := "/callback/" + created["ID"].(string)
	for _, row := range rows {
		for _, name := range names(row[0]) {
			a := p.do("PUT", path, `{"`+name+`":[]}`)
			if readOnly := strings.HasPrefix(row[1], "read-only") || name == "ID"; readOnly != (a.status == http.StatusOK) {
				t.Errorf("%s: %q in the README, but an update of it is answered with %d %s", name, row[1], a.status, a.body)
			}
		}
	}
	// The values of those that are one of a few are documented, all of them.
	for name, values := range map[string][]string{
		"ordering": {string(webhook.OrderingHold), string(webhook.OrderingSkip)},
		"state":    {string(webhook.StateDisabled), string(webhook.StateActive)},
	} {
		for _, row := range rows {
			if !slices.Contains(names(row[0]), name) {
				continue
			}
			for _, value := range values {
				if !strings.Contains(row[1], "`"+value+"`") {
					t.Errorf("the README has no %s under %s", value, name)
				}
				p.must(200, "PUT", path, `{"`+name+`":"`+value+`"}`)
			}
		}
	}
}

// TestReadmeDeliveries: the README documents the properties of deliveries, attempts and
// replays, and the filters of their list.
func TestReadmeDeliveries(t *testing.T) {
	r := newReceiver(t, func(message) int { return http.StatusInternalServerError })
	p := start(t, newFile(t), "-retry-base", "1h")
	path := "/callback/" + p.listen("/database/788", r, "", "")
	p.create("/database/788/profiles", `{}`)
	m := r.next(t)
	delivery := "/delivery/" + m.id()
	p.untilShown(delivery, "attempt_count", json.Number("1"))
	d := shown(t, p, delivery)
	documented := firstNames(cells(t, "| property of a delivery | |"))
	wantNames(t, "a delivery", slices.Clone(documented), d, "ended")
	listed := slices.DeleteFunc(documented, func(name string) bool { return name == "attempts" })
	wantNames(t, "a delivery in a list", listed, p.items(path + "/deliveries")[0], "ended")
	attempt := d["attempts"].([]any)[0].(map[string]any)
	wantNames(t, "an attempt", firstNames(cells(t, "| property of an attempt | |")), attempt)

	for _, row := range cells(t, "| in the query | |") {
		name := names(row[0])[0]
		wantError(t, p.do("GET", path+"/deliveries?"+name+"=", ""), http.StatusBadRequest, name)
		if name == "state" {
			for _, state := range names(row[1]) {
				p.must(200, "GET", path+"/deliveries?state="+state, "")
			}
		}
	}
	for _, row := range cells(t, "| property of a replay | | default |") {
		name := names(row[0])[0]
		body := map[string]string{"since": "2026-01-01T00:00:00Z"}
		body[name] = "x"
		wantError(t, p.do("POST", path+"/replay", marshal(t, body)), http.StatusBadRequest, name)
	}
	text := readme(t)
	for _, part := range []string{
		fmt.Sprintf("| hops | %d | |", webhook.MaxHops), fmt.Sprintf("**More than %d hops away", webhook.MaxHops),
		"Ringback-Event: ", "Ringback-Hops: ",
	} {
		if !strings.Contains(text, part) {
			t.Errorf("the README has no %q", part)
		}
	}
}
