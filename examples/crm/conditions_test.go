package main_test

import (
	"fmt"
	"testing"
)

// A step is a change, and whether the condition has to hold for it.
type step struct {
	method string // POST, PUT or DELETE
	body   string
	fires  bool
}

// TestConditions runs each condition over the life of one record. Its messages come
// in order, so that one too many shows when the next is taken, or in the end.
func TestConditions(t *testing.T) {
	var receivers []*receiver
	newReceiver := func() *receiver { // that outlives its row
		receivers = append(receivers, newReceiver(t, nil))
		return receivers[len(receivers)-1]
	}
	p := start(t, newFile(t))
	fields := func(fields string) string { return `{"fields":` + fields + `}` }
	for i, row := range []struct {
		expression string
		action     string
		steps      []step
	}{
		{"", "all", []step{
			{"POST", `{}`, true}, {"PUT", fields(`{"a":1}`), true}, {"DELETE", ``, true},
		}},
		{"", "create", []step{
			{"POST", `{}`, true}, {"PUT", fields(`{"a":1}`), false}, {"DELETE", ``, false},
		}},
		{"", "update", []step{
			{"POST", `{}`, false}, {"PUT", fields(`{"a":1}`), true}, {"DELETE", ``, false},
		}},
		{"", "delete", []step{
			{"POST", `{}`, false}, {"PUT", fields(`{"a":1}`), false}, {"DELETE", ``, true},
		}},
		{"age > 18", "update", []step{
			{"POST", fields(`{"age":20}`), false}, {"PUT", fields(`{"age":18}`), false}, {"PUT", fields(`{"age":19}`), true},
		}},
		{"company == 'Apple'", "all", []step{
			{"POST", fields(`{"company":"Microsoft"}`), false}, {"PUT", fields(`{"company":"Apple"}`), true},
		}},
		{"profile.newsletter == 'unsubscribed';", "all", []step{
			{"POST", fields(`{"newsletter":"subscribed"}`), false},
			{"PUT", fields(`{"newsletter":"unsubscribed"}`), true},
		}},
		{"profile.fields.age >= 18 && profile.interests.mac", "all", []step{
			{"POST", `{"fields":{"age":17},"interests":["mac"]}`, false},
			{"PUT", fields(`{"age":18}`), true},
			{"PUT", `{"interests":["linux"]}`, false},
			{"PUT", `{"interests":["linux","mac"]}`, true},
		}},
		{"profile.interests.includes('mac') && profile.interests.length == 2", "all", []step{
			{"POST", `{"interests":["mac"]}`, false}, {"PUT", `{"interests":["mac","pc"]}`, true},
		}},
		{"old.company != company", "all", []step{
			{"POST", fields(`{"company":"Microsoft"}`), true},
			{"PUT", fields(`{"age":1}`), false},
			{"PUT", fields(`{"company":"Apple"}`), true},
		}},
		{"old.fields.age < 18 && profile.fields.age >= 18 && old.interests.minor", "all", []step{
			{"POST", `{"fields":{"age":17},"interests":["minor"]}`, false}, {"PUT", fields(`{"age":18}`), true},
		}},
		{"action == 'delete' && old.company == 'Apple' && profile.company == 'Apple'", "all", []step{
			{"POST", fields(`{"company":"Apple"}`), false}, {"DELETE", ``, true},
		}},
		{"changed.includes('company')", "all", []step{
			{"POST", fields(`{"company":"Microsoft"}`), true},
			{"PUT", fields(`{"age":1,"company":"Microsoft"}`), false},
			{"PUT", fields(`{"age":1,"company":null}`), true},
			{"DELETE", ``, false},
		}},
		{"action == 'delete' || trigger == 'import'", "all", []step{
			{"POST", `{}`, false}, {"PUT", fields(`{"a":1}`), false}, {"DELETE", ``, true},
		}},
		{"trigger == 'rest' && collection == 0 && database.startsWith('row')", "all", []step{{"POST", `{}`, true}}},
		{`/@example\\.(com|org)$/i.test(email) && name.toLowerCase().startsWith('b')`, "all", []step{
			{"POST", fields(`{"email":"bob@example.net","name":"Bob"}`), false},
			{"PUT", fields(`{"email":"bob@EXAMPLE.org"}`), true},
			{"PUT", fields(`{"name":"Ann"}`), false},
			{"PUT", fields(`{"name":"BEA"}`), true},
		}},
		{"['nl', 'be'].includes(country) ? age >= 16 : age >= 18", "all", []step{
			{"POST", fields(`{"country":"fr","age":17}`), false},
			{"PUT", fields(`{"country":"be"}`), true},
			{"PUT", fields(`{"age":15}`), false},
			{"PUT", fields(`{"country":"fr","age":18}`), true},
		}},
		{"missing === undefined && profile.constructor === undefined && toString === undefined", "all", []step{
			{"POST", `{}`, true}, {"PUT", fields(`{"toString":1}`), false}, {"PUT", fields(`{"toString":1,"constructor":1}`), false},
			{"DELETE", ``, false},
		}},
		{"profile.fields.action == 'x' && action == 'update'", "all", []step{
			{"POST", fields(`{"action":"x"}`), false}, {"PUT", fields(`{"a":1}`), true},
		}},
		{"big == '9007199254740993' && small == 42", "all", []step{
			{"POST", fields(`{"big":9007199254740995,"small":42}`), false}, {"PUT", fields(`{"big":9007199254740993}`), true},
		}},
		{"address.city == 'Delft' && tags[1] == 'b' && nothing === null", "all", []step{
			{"POST", fields(`{"address":{"city":"Delft"},"tags":["a","c"],"nothing":null}`), false},
			{"PUT", fields(`{"tags":["a","b"]}`), true},
		}},
		{"value", "all", []step{ // truthiness
			{"POST", fields(`{"value":""}`), false}, {"PUT", fields(`{"value":0}`), false},
			{"PUT", fields(`{"value":null}`), false}, {"PUT", fields(`{"value":"0"}`), true}, {"PUT", fields(`{"value":1}`), true},
		}},
		{"late.length > 2", "all", []step{ // fails where there is no such field: that never fires
			{"POST", `{}`, false}, {"PUT", fields(`{"late":"ab"}`), false}, {"PUT", fields(`{"late":"abc"}`), true},
		}},
		{"value || profile", "all", []step{ // an object is no answer
			{"POST", `{}`, false}, {"PUT", fields(`{"value":true}`), true},
		}},
	} {
		t.Run(row.expression+" "+row.action, func(t *testing.T) {
			r := newReceiver()
			database := fmt.Sprintf("/database/row%d", i)
			p.listen(database, r, "", fmt.Sprintf(`,"action":"%s","expression":"%s"`, row.action, row.expression))
			var id string
			for n, s := range row.steps {
				switch s.method {
				case "POST":
					id = p.create(database+"/profiles", s.body)
				default:
					p.must(200, s.method, "/profile/"+id, s.body)
				}
				if s.fires {
					wantStep(t, r, n, s)
				}
			}
		})
	}

	t.Run("collection", func(t *testing.T) {
		r := newReceiver()
		p.listen("/collection/orders", r, "",
			`,"expression":"subprofile.amount > 100 && amount > 100 && profile.vip && collection == 'orders'"`)
		parent := p.create("/database/788/profiles", `{"fields":{"vip":true,"amount":1}}`)
		sub := p.create("/profile/"+parent+"/subprofiles/orders", `{"fields":{"amount":100}}`)
		p.must(200, "PUT", "/subprofile/"+sub, `{"fields":{"amount":101}}`)
		wantStep(t, r, 1, step{"PUT", "", true})
		p.must(200, "PUT", "/profile/"+parent, `{"fields":{"vip":false}}`)
		p.must(200, "PUT", "/subprofile/"+sub, `{"fields":{"amount":102}}`)
		p.must(200, "PUT", "/profile/"+parent, `{"fields":{"vip":true}}`)
		p.must(200, "PUT", "/subprofile/"+sub, `{"fields":{"amount":103}}`)
		m := wantStep(t, r, 3, step{"PUT", "", true})
		wantJSON(t, "the parameters", decode(t, m.body)["parameters"], `{"amount":103}`)
	})

	t.Run("a callback of one database's collection", func(t *testing.T) {
		r := newReceiver()
		p.listen("/database/one", r, "", `,"collection":"shared"`)
		for _, database := range []string{"two", "one"} {
			parent := p.create("/database/"+database+"/profiles", `{}`)
			p.create("/profile/"+parent+"/subprofiles/shared", `{}`)
		}
		m := wantStep(t, r, 0, step{"POST", "", true})
		if got := decode(t, m.body)["database"]; got != "one" {
			t.Errorf("it hears of database %v", got)
		}
	})

	// What is over is over: nothing comes late.
	p.stop()
	for _, r := range receivers {
		r.empty(t)
	}
}

// wantStep takes the next message, which must tell of the step.
func wantStep(t *testing.T, r *receiver, n int, s step) message {
	t.Helper()
	action := map[string]string{"POST": "create", "PUT": "update", "DELETE": "delete"}[s.method]
	m := r.next(t)
	if decode(t, m.body)["action"] != action {
		t.Fatalf("step %d: unexpected message: %s", n, m.body)
	}
	return m
}
