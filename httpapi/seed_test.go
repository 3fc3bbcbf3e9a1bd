package httpapi_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/ringback-dev/ringback/store/memory"
)

// The two messages of the document that this API goes back to, with the brackets
// closed that it leaves open.
const (
	originalOutput = `{"start":0,"limit":"1","total":2,"data":[{"ID":"21","url":"","expression":"","method":"json",` +
		`"action":"create","collection":"8550","database":0}]}`
	originalMessage = `{
    "start": 0,
    "limit": 1,
    "total": 1,
    "data": [{
        "ID": "8",
        "url": "http:\/\/\/callback.php",
        "expression": "",
        "method": "json",
        "action": "update",
        "database": "788"
    }]
}`
)

// The document's output is what a listing says in the same situation: property by
// property, types included.
func TestOriginalOutput(t *testing.T) {
	c := newClient(t)
	c.create("/collection/8550/callbacks", `{"url":"http://www.callback.com/script.php","action":"create"}`)
	c.create("/collection/8550/callbacks", someURL)
	got := c.get("/collection/8550/callbacks?limit=1").want(http.StatusOK)
	want := answer{t: t, body: originalOutput}.listing()
	page := got.listing()
	if page.Start != want.Start || page.Limit != want.Limit || *page.Total != *want.Total || len(page.Data) != len(want.Data) {
		t.Errorf("envelope of %s", got.body)
	}
	delete(want.Data[0], "url") // scrubbed from the document
	delete(want.Data[0], "ID")  // the store's
	wantProperties(t, page.Data[0], want.Data[0])
}

// The document's message has lost its host: as it stands it is refused, with a host
// it makes a callback of the database in that collection.
func TestOriginalMessage(t *testing.T) {
	c := newClient(t)
	for _, path := range []string{"/database/788/callbacks", "/collection/8550/callbacks"} {
		c.post(path, originalMessage).wantError(http.StatusBadRequest, "url", "host")
	}
	whole := strings.Replace(originalMessage, `http:\/\/\/`, `http:\/\/www.example.com\/`, 1)
	want := map[string]any{
		"url": "http://www.example.com/callback.php", "expression": "", "method": "json", "action": "update",
		"database": "788", "collection": zero,
	}
	created := c.post("/database/788/callbacks", whole).want(http.StatusCreated).one()
	wantProperties(t, created, want)
	if created["ID"] == "8" {
		t.Error("the ID in the message is not ignored")
	}
	want["collection"] = "8550"
	created = c.post("/collection/8550/callbacks", whole).want(http.StatusCreated).one()
	wantProperties(t, created, want)

	// The same message updates the callback that the URL names.
	wantProperties(t, c.post("/callback/"+created["ID"].(string), whole).want(http.StatusOK).one(), want)
	if got := *c.get("/database/788/callbacks").listing().Total; got != 2 {
		t.Errorf("%d callbacks, want 2", got)
	}
}

// The document's path is the database's ID alone.
func TestOriginalPath(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("/{databaseID}/callbacks", newAPI(t, memory.New(), nil).Database)
	c := serve(t, mux)
	c.create("/788/callbacks", someURL)
	if got := c.get("/788/callbacks?start=0&limit=1").want(http.StatusOK).listing(); *got.Total != 1 {
		t.Errorf("total %d", *got.Total)
	}
}
