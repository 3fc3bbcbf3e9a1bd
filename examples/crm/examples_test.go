package main_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// An example is a condition that the README shows, with an edit at which it fires and
// one at which it does not.
type example struct {
	expression    string
	fires, silent edit
	when          string
	parent        string // of a subprofile, to which the edits are then made
}

func examples() []example {
	fields := func(fields string) string { return `{"fields":` + fields + `}` }
	in := func(days int) string {
		return fmt.Sprintf(fields(`{"trial_ends":"%s"}`), time.Now().AddDate(0, 0, days).UTC().Format(time.RFC3339))
	}
	return []example{
		{expression: "company == 'Apple'",
			fires: edit{"", fields(`{"company":"Apple"}`)}, silent: edit{"", fields(`{"company":"apple"}`)}},
		{expression: "newsletter == 'yes' && !email",
			fires: edit{"", fields(`{"newsletter":"yes","email":""}`)}, silent: edit{"", fields(`{"newsletter":"yes","email":"a@example.com"}`)}},
		{expression: "country == 'nl' ? age >= 16 : age >= 18",
			fires: edit{"", fields(`{"country":"nl","age":16}`)}, silent: edit{"", fields(`{"country":"fr","age":17}`)}},
		{expression: "profile['First name'] == 'Ada'",
			fires: edit{"", fields(`{"First name":"Ada"}`)}, silent: edit{"", fields(`{"First_name":"Ada"}`)}},

		{expression: "changed.includes('email') && trigger != 'import'",
			fires: edit{fields(`{"email":"a"}`), fields(`{"email":"b"}`)}, silent: edit{fields(`{"email":"a"}`), fields(`{"email":"a","age":1}`)}},
		{expression: "old.status == 'trial' && status == 'paid'",
			fires: edit{fields(`{"status":"trial"}`), fields(`{"status":"paid"}`)}, silent: edit{fields(`{"status":"paid"}`), fields(`{"status":"trial"}`)}},
		{expression: "action == 'update' && price < 0.9 * old.price",
			fires: edit{fields(`{"price":100}`), fields(`{"price":89.9}`)}, silent: edit{fields(`{"price":100}`), fields(`{"price":90}`)}},
		{expression: "age >= 18", when: "enters",
			fires: edit{fields(`{"age":17}`), fields(`{"age":18}`)}, silent: edit{fields(`{"age":18}`), fields(`{"age":19}`)}},
		{expression: "newsletter == 'yes'", when: "leaves",
			fires: edit{fields(`{"newsletter":"yes"}`), ""}, silent: edit{fields(`{"newsletter":"no"}`), ""}},

		{expression: "Date.parse(expires) < Date.now()",
			fires: edit{"", fields(`{"expires":"2020-02-29"}`)}, silent: edit{"", fields(`{"expires":"2999-01-01T00:00:00+01:00"}`)}},
		{expression: "Date.parse(trial_ends) - Date.now() < 7 * 24 * 60 * 60 * 1000",
			fires: edit{"", in(6)}, silent: edit{"", in(9)}},
		{expression: "birthday?.slice(5, 7) == '12'",
			fires: edit{"", fields(`{"birthday":"1815-12-10"}`)}, silent: edit{"", fields(`{"birthday":"1912-06-23"}`)}},
		{expression: "last_order < '2025-07'",
			fires: edit{"", fields(`{"last_order":"2025-06-30T23:59:59Z"}`)}, silent: edit{"", fields(`{"last_order":"2025-07-01"}`)}},

		{expression: "['nl', 'be', 'lu'].includes(country)",
			fires: edit{"", fields(`{"country":"be"}`)}, silent: edit{"", fields(`{"country":"de"}`)}},
		{expression: "tags?.includes('vip') && tags.length > 1",
			fires: edit{"", fields(`{"tags":["new","vip"]}`)}, silent: edit{"", fields(`{"tags":["vip"]}`)}},
		{expression: "profile.interests.mac && !old.interests.mac",
			fires:  edit{`{"interests":["pc"]}`, `{"interests":["pc","mac"]}`},
			silent: edit{`{"interests":["mac"]}`, `{"interests":["mac","pc"]}`}},
		{expression: "address?.city == 'Delft'",
			fires: edit{"", fields(`{"address":{"city":"Delft"}}`)}, silent: edit{"", fields(`{"address":{"street":"Delft"}}`)}},

		{expression: `/@example\.(com|org)$/i.test(email)`,
			fires: edit{"", fields(`{"email":"a@EXAMPLE.org"}`)}, silent: edit{"", fields(`{"email":"a@example.org.net"}`)}},
		{expression: "name?.trim().toLowerCase().startsWith('van ')",
			fires: edit{"", fields(`{"name":" Van Gogh"}`)}, silent: edit{"", fields(`{"name":"Vance"}`)}},

		{expression: "subprofile.amount > 100 && profile.vip", parent: fields(`{"vip":true,"amount":1}`),
			fires: edit{"", fields(`{"amount":101}`)}, silent: edit{"", fields(`{"amount":100}`)}},
	}
}

// TestReadmeExamples registers each line of the README's examples as it is there, and
// makes both edits. On a record without any of the fields none of them fires or fails.
func TestReadmeExamples(t *testing.T) {
	all, lines := examples(), exampleLines(t)
	if len(all) != 20 || len(lines) != len(all) {
		t.Fatalf("there are %d examples, and %d in the README; want 20", len(all), len(lines))
	}
	r, always := newReceiver(t, nil), newReceiver(t, nil)
	p := start(t, newFile(t))
	for i, e := range all {
		expression, comment, _ := strings.Cut(lines[i], "  //")
		if expression != e.expression || strings.Contains(comment, `"when":"`+e.when+`"`) != (e.when != "") {
			t.Errorf("the README shows %s\nwant %s, when %q", lines[i], e.expression, e.when)
		}
		s := newShelf(p, fmt.Sprintf("example%d", i), e.parent)
		silent, fires, bare := s.prepare(e.silent), s.prepare(e.fires), s.prepare(edit{`{}`, `{"fields":{"bare":true}}`})
		properties := map[string]string{"url": r.URL, "expression": lines[i]}
		if e.when != "" {
			properties["when"] = e.when
		}
		id := p.create(s.scope+"/callbacks", marshal(t, properties))
		p.listen(s.scope, always, "", `,"expression":"bare"`)
		silent()
		want := fires()
		if got := changedRecord(t, r.next(t)); got != want {
			t.Errorf("%s: fires for record %s, want %s", e.expression, got, want)
		}
		bare()
		always.next(t)
		if c := shown(t, p, "/callback/"+id); fmt.Sprint(c["expression_failures"]) != "0" {
			t.Errorf("%s: fails: %v", e.expression, c["expression_error"])
		}
	}
	p.stop()
	r.empty(t)
}

// exampleLines returns the lines of JavaScript in the README, but for the headings.
func exampleLines(t *testing.T) []string {
	t.Helper()
	_, block, _ := strings.Cut(readme(t), "\n```js\n")
	block, _, _ = strings.Cut(block, "```")
	return slices.DeleteFunc(strings.Split(block, "\n"), func(line string) bool {
		return line == "" || strings.HasPrefix(line, "//")
	})
}

// changedRecord returns the ID of the record that a message tells of.
func changedRecord(t *testing.T, m message) string {
	t.Helper()
	body := decode(t, m.body)
	record, ok := body["subprofile"].(map[string]any)
	if !ok {
		record = body["profile"].(map[string]any)
	}
	return record["ID"].(string)
}
