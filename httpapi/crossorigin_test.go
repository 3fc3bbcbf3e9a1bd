package httpapi_test

import (
	"net/http"
	"testing"

	"github.com/ringback-dev/ringback/store/memory"
)

// Browsers may not send changes from another origin, under no mounting.
func TestCrossOrigin(t *testing.T) {
	store := memory.New()
	api := newAPI(t, store, nil)
	perResource := http.NewServeMux()
	perResource.HandleFunc("/database/{databaseID}/callbacks", api.Database)
	perResource.HandleFunc("/collection/{collectionID}/callbacks", api.Collection)
	perResource.HandleFunc("/callback/{callbackID}", api.Callback)
	perResource.HandleFunc("/callback/{callbackID}/secret", api.Secret)
	for name, handler := range map[string]http.Handler{"API": api, "per resource": perResource} {
		c := serve(t, handler)
		id := c.create("/database/788/callbacks", someURL)
		before := stored(t, store, id)
		for _, request := range [][3]string{
			{http.MethodPost, "/database/788/callbacks", "url=http://example.com/"},
			{http.MethodPost, "/collection/8550/callbacks", "url=http://example.com/"},
			{http.MethodPost, "/callback/" + id, "expression=x"},
			{http.MethodPut, "/callback/" + id, "expression=x"},
			{http.MethodDelete, "/callback/" + id, ""},
			{http.MethodPost, "/callback/none", "expression=x"},
			{http.MethodPost, "/callback/" + id + "/secret", ""},
			{http.MethodPost, "/callback/none/secret", ""},
		} {
			for _, header := range [][2]string{
				{"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Site", "same-site"}, {"Origin", "https://evil.example"}, {"Origin", "null"},
			} {
				c.do(request[0], request[1], request[2], "Content-Type", typeForm, header[0], header[1]).
					wantError(http.StatusForbidden, "", "origin")
			}
		}
		if after := stored(t, store, id); after != before {
			t.Errorf("%s: refused requests made %+v of %+v", name, after, before)
		}
		c.do(http.MethodGet, "/callback/"+id, "", "Sec-Fetch-Site", "cross-site").want(http.StatusOK)
		c.do(http.MethodPut, "/callback/"+id, "expression=x", "Content-Type", typeForm, "Sec-Fetch-Site", "same-origin").want(http.StatusOK)
		c.do(http.MethodPut, "/callback/"+id, "expression=x", "Content-Type", typeForm, "Origin", c.base).want(http.StatusOK)
		c.do(http.MethodPost, "/callback/"+id+"/secret", "", "Origin", c.base).want(http.StatusOK)
	}
}
