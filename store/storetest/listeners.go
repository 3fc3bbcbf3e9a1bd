package storetest

import (
	"strings"

	"github.com/ringback-dev/ringback/webhook"
)

func listenersTests() []test {
	return []test{{"scopes", testListeners}, {"as updated", testListenersUpdated}}
}

func testListeners(h *harness) {
	for _, scope := range []webhook.Scope{
		{Database: "d"}, {Collection: "c"}, {Database: "d", Collection: "c"}, {Database: "x"},
		{Database: "x", Collection: "c"}, {Collection: "y"}, {Database: "c", Collection: "d"}, {Database: "d"},
	} {
		h.create(scope.Database, scope.Collection)
	}
	for _, c := range []struct{ database, collection, want string }{
		{"d", "", "d/ d/"},
		{"x", "", "x/"},
		{"c", "", ""},
		{"d", "c", "/c d/c"},
		{"x", "c", "/c x/c"},
		{"z", "c", "/c"},
		{"d", "y", "/y"},
		{"c", "d", "c/d"},
		{"D", "", ""},
	} {
		listeners, err := h.store.Listeners(h.ctx(), webhook.Scope{Database: c.database, Collection: c.collection})
		h.must(err)
		var got []string
		for _, c := range listeners.Callbacks {
			got = append(got, c.Database+"/"+c.Collection)
		}
		equal(h, "listeners of "+c.database+"/"+c.collection, strings.Join(got, " "), c.want)
	}
}

func testListenersUpdated(h *harness) {
	c := h.create("d", "")
	c.Expression = "true"
	c, err := h.store.UpdateCallback(h.ctx(), c)
	h.must(err)
	listeners, err := h.store.Listeners(h.ctx(), webhook.Scope{Database: "d"})
	h.must(err)
	equalList(h, "listeners", listeners.Callbacks, []webhook.Callback{c})
}
