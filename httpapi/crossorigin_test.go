package httpapi_test

import (
	"net/http"
	"testing"

	"github.com/ringback-dev/ringback/httpapi"
	"github.com/ringback-dev/ringback/webhook"
)

// Browsers may not send changes from another origin, under no mounting.
func TestCrossOrigin(t *testing.T) {
	store := newHistory(t)
	api := newAPI(t, store, &httpapi.Options{Operator: everybody})
	perResource := http.NewServeMux()
	perResource.HandleFunc("/database/{databaseID}/callbacks", api.Database)
	perResource.HandleFunc("/collection/{collectionID}/callbacks", api.Collection)
	perResource.HandleFunc("/callback/{callbackID}", api.Callback)
	perResource.HandleFunc("/callback/{callbackID}/secret", api.Secret)
	perResource.HandleFunc("/callback/{callbackID}/deliveries", api.Deliveries)
	perResource.HandleFunc("/callback/{callbackID}/replay", api.ReplayDeliveries)
	perResource.HandleFunc("/delivery/{deliveryID}", api.Delivery)
	perResource.HandleFunc("/delivery/{deliveryID}/replay", api.ReplayDelivery)
	perResource.HandleFunc("/purge", api.Purge)
	for name, handler := range map[string]http.Handler{"api": api, "per-resource": perResource} {
		c := serve(t, handler)
		id := c.create("/database/788/callbacks", someURL)
		store.tell(name, "1")
		store.attempt(webhook.DeliveryDelivered, 200)
		delivery := "/delivery/" + name + "_" + id
		before, delivered := stored(t, store, id), c.get(delivery).want(http.StatusOK).body
		for _, request := range [][3]string{
			{http.MethodPost, "/database/788/callbacks", "url=http://example.com/"},
			{http.MethodPost, "/collection/8550/callbacks", "url=http://example.com/"},
			{http.MethodPost, "/callback/" + id, "expression=x"},
			{http.MethodPut, "/callback/" + id, "expression=x"},
			{http.MethodDelete, "/callback/" + id, ""},
			{http.MethodPost, "/callback/none", "expression=x"},
			{http.MethodPost, "/callback/" + id + "/secret", ""},
			{http.MethodPost, "/callback/none/secret", ""},
			{http.MethodPost, "/callback/" + id + "/replay", "since=2020-01-01T00:00:00Z"},
			{http.MethodPost, delivery + "/replay", ""},
			{http.MethodPost, "/purge", "database=788&record=1"},
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
		if after := c.get(delivery).want(http.StatusOK).body; after != delivered {
			t.Errorf("%s: refused requests made %s of %s", name, after, delivered)
		}
		c.do(http.MethodGet, delivery, "", "Sec-Fetch-Site", "cross-site").want(http.StatusOK)
		c.do(http.MethodPost, delivery+"/replay", "", "Origin", c.base).want(http.StatusAccepted)
		c.do(http.MethodGet, "/callback/"+id, "", "Sec-Fetch-Site", "cross-site").want(http.StatusOK)
		c.do(http.MethodPut, "/callback/"+id, "expression=x", "Content-Type", typeForm, "Sec-Fetch-Site", "same-origin").want(http.StatusOK)
		c.do(http.MethodPut, "/callback/"+id, "expression=x", "Content-Type", typeForm, "Origin", c.base).want(http.StatusOK)
		c.do(http.MethodPost, "/callback/"+id+"/secret", "", "Origin", c.base).want(http.StatusOK)
	}
}
