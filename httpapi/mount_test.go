package httpapi_test

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/ringback-dev/ringback/httpapi"
	"github.com/ringback-dev/ringback/store/memory"
	"github.com/ringback-dev/ringback/webhook"
)

// TestMounting goes once round the life of a callback under every mounting.
func TestMounting(t *testing.T) {
	const prefix = "/api/v1"
	based := &httpapi.Options{BasePath: prefix}
	for _, test := range []struct {
		name                 string
		options              *httpapi.Options
		mount                func(*httpapi.API) http.Handler
		database, collection string // what stands before the ID
		callback             string
	}{
		{"alone", nil,
			func(api *httpapi.API) http.Handler { return api },
			"/database/", "/collection/", "/callback/"},
		{"at the root", nil,
			func(api *httpapi.API) http.Handler { return handle("/", api) },
			"/database/", "/collection/", "/callback/"},
		{"under a prefix", based,
			func(api *httpapi.API) http.Handler { return handle(prefix+"/", api) },
			prefix + "/database/", prefix + "/collection/", prefix + "/callback/"},
		{"under a prefix that ends in a slash", &httpapi.Options{BasePath: prefix + "/"},
			func(api *httpapi.API) http.Handler { return handle(prefix+"/", api) },
			prefix + "/database/", prefix + "/collection/", prefix + "/callback/"},
		{"behind StripPrefix", nil,
			func(api *httpapi.API) http.Handler { return handle(prefix+"/", http.StripPrefix(prefix, api)) },
			prefix + "/database/", prefix + "/collection/", prefix + "/callback/"},
		{"behind StripPrefix, with BasePath", based,
			func(api *httpapi.API) http.Handler { return handle(prefix+"/", http.StripPrefix(prefix, api)) },
			prefix + "/database/", prefix + "/collection/", prefix + "/callback/"},
		{"under a prefix like a resource, stripped", &httpapi.Options{BasePath: "/database"},
			func(api *httpapi.API) http.Handler { return handle("/database/", http.StripPrefix("/database", api)) },
			"/database/database/", "/database/collection/", "/database/callback/"},
		{"under a prefix that is encoded", &httpapi.Options{BasePath: "/a%20b"},
			func(api *httpapi.API) http.Handler { return api },
			"/a%20b/database/", "/a%20b/collection/", "/a%20b/callback/"},
		{"per resource", &httpapi.Options{BasePath: "/v1"},
			func(api *httpapi.API) http.Handler {
				mux := http.NewServeMux()
				mux.HandleFunc("/{databaseID}/callbacks", api.Database)
				mux.HandleFunc("/layers/{collectionID}/callbacks", api.Collection)
				mux.HandleFunc("/v1/callback/{callbackID}", api.Callback)
				mux.HandleFunc("/v1/callback/{callbackID}/secret", api.Secret)
				mux.HandleFunc("/v1/callback/{callbackID}/deliveries", api.Deliveries)
				mux.HandleFunc("/v1/callback/{callbackID}/replay", api.ReplayDeliveries)
				mux.HandleFunc("/v1/delivery/{deliveryID}", api.Delivery)
				mux.HandleFunc("/v1/delivery/{deliveryID}/replay", api.ReplayDelivery)
				mux.HandleFunc("/v1/purge", api.Purge)
				return mux
			},
			"/", "/layers/", "/v1/callback/"},
		{"per resource, behind StripPrefix", nil,
			func(api *httpapi.API) http.Handler {
				mux := http.NewServeMux()
				mux.HandleFunc("/databases/{databaseID}/callbacks", api.Database)
				mux.HandleFunc("/collections/{collectionID}/callbacks", api.Collection)
				mux.HandleFunc("/callback/{callbackID}", api.Callback)
				mux.HandleFunc("/callback/{callbackID}/secret", api.Secret)
				mux.HandleFunc("/callback/{callbackID}/deliveries", api.Deliveries)
				mux.HandleFunc("/callback/{callbackID}/replay", api.ReplayDeliveries)
				mux.HandleFunc("/delivery/{deliveryID}", api.Delivery)
				mux.HandleFunc("/delivery/{deliveryID}/replay", api.ReplayDelivery)
				mux.HandleFunc("/purge", api.Purge)
				return handle(prefix+"/", http.StripPrefix(prefix, mux))
			},
			prefix + "/databases/", prefix + "/collections/", prefix + "/callback/"},
	} {
		t.Run(test.name, func(t *testing.T) {
			store := newHistory(t)
			options := httpapi.Options{}
			if test.options != nil {
				options = *test.options
			}
			options.Operator = everybody
			c := serve(t, test.mount(newAPI(t, store, &options)))
			for _, collection := range []bool{false, true} {
				path, bound, unbound := test.database, "database", "collection"
				if collection {
					path, bound, unbound = test.collection, "collection", "database"
				}
				path += "788/callbacks"
				created := c.post(path, `{"url":"http://example.com/x"}`).want(http.StatusCreated)
				shown := created.one()
				wantProperties(t, shown, map[string]any{bound: "788", unbound: zero})
				location := created.header.Get("Location")
				if want := test.callback + shown["ID"].(string); location != want {
					t.Errorf("Location %q, want %q", location, want)
				}
				if got := created.header.Get("X-location"); got != location {
					t.Errorf("X-location %q, Location %q", got, location)
				}
				first := secretOf(t, created)
				delete(shown, "secret") // which is shown once
				if got := c.get(location).want(http.StatusOK).one(); !maps.Equal(got, shown) {
					t.Errorf("GET of the location: %v\nwant what POST answered: %v", got, shown)
				}
				if got := c.get(path).want(http.StatusOK).listing().ids(); len(got) != 1 || got[0] != shown["ID"] {
					t.Errorf("listed %q", got)
				}
				if !collection {
					store.tell("e", "1")
					deliveries := c.get(location + "/deliveries").want(http.StatusOK).listing().ids()
					delivery := strings.TrimSuffix(test.callback, "callback/") + "delivery/e_" + shown["ID"].(string)
					if len(deliveries) != 1 || c.get(delivery).want(http.StatusOK).one()["ID"] != deliveries[0] {
						t.Errorf("the deliveries are %q", deliveries)
					}
					c.do(http.MethodPost, delivery+"/replay", "").want(http.StatusAccepted)
					c.post(strings.TrimSuffix(test.callback, "callback/")+"purge", `{"database":788,"record":1}`).want(http.StatusOK)
					c.get(delivery).wantError(http.StatusNotFound, "")
				}
				c.post(location+"/replay", `{"since":"2026-01-01T00:00:00Z"}`).want(http.StatusAccepted)
				c.put(location, `{"action":"delete"}`).want(http.StatusOK)
				if secretOf(t, c.do(http.MethodPost, location+"/secret", "").want(http.StatusOK)) == first {
					t.Error("the secret stays the same")
				}
				c.do(http.MethodDelete, location, "").want(http.StatusOK)
				c.get(location).wantError(http.StatusNotFound, "")
				c.do(http.MethodPost, location+"/secret", "").wantError(http.StatusNotFound, "")
			}
		})
	}
}

func handle(pattern string, handler http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.Handle(pattern, handler)
	return mux
}

// A proxy that takes a prefix off leaves no trace in the request.
func TestLocationBehindProxy(t *testing.T) {
	c := serve(t, newAPI(t, memory.New(), &httpapi.Options{BasePath: "/public"}))
	created := c.post("/database/1/callbacks", `{"url":"http://example.com/"}`).want(http.StatusCreated)
	if got, want := created.header.Get("Location"), "/public/callback/1"; got != want {
		t.Errorf("Location %q, want %q", got, want)
	}
}

// A prefix that was stripped must not turn Location into a URL of another host.
func TestLocationStaysOnHost(t *testing.T) {
	api := newAPI(t, memory.New(), nil)
	r := httptest.NewRequest(http.MethodPost, "/x", strings.NewReader(`{"url":"http://example.com/"}`))
	r.Header.Set("Content-Type", typeJSON)
	r.RequestURI = "//evil.example/database/1/callbacks"
	r.URL = &url.URL{Path: "/database/1/callbacks"}
	w := httptest.NewRecorder()
	api.ServeHTTP(w, r)
	if got, want := w.Header().Get("Location"), "/callback/1"; w.Code != http.StatusCreated || got != want {
		t.Errorf("status %d, Location %q, want %q", w.Code, got, want)
	}
}

// IDs are opaque: whatever they hold arrives as it is.
func TestOpaqueIDs(t *testing.T) {
	api := newAPI(t, memory.New(), nil)
	perResource := http.NewServeMux()
	perResource.HandleFunc("/database/{databaseID}/callbacks", api.Database)
	perResource.HandleFunc("/collection/{collectionID}/callbacks", api.Collection)
	for name, c := range map[string]*client{"API": serve(t, api), "per resource": serve(t, perResource)} {
		for _, id := range []string{
			"a/b", "a b", "crm.contacts", "ü€😀", "100%", "%2F", "a+b", "a;b", "?", "#", `"`, "<&>", "null", "-1",
			"00", "callbacks", "database", "3f2504e0-4f89-11d3-9a0c-0305e82c3301", strings.Repeat("x", webhook.MaxID),
		} {
			for _, resource := range []string{"database", "collection"} {
				path := "/" + resource + "/" + url.PathEscape(id) + "/callbacks"
				shown := c.post(path, `{"url":"http://example.com/"}`).want(http.StatusCreated).one()
				wantProperties(t, shown, map[string]any{resource: id})
				if got := c.get(path).want(http.StatusOK).listing(); len(got.Data) == 0 || got.Data[0][resource] != id {
					t.Errorf("%s: listing of %s %q: %v", name, resource, id, got.Data)
				}
			}
		}
	}
}

// What has a meaning in paths is an ID too, where it is encoded.
func TestSpecialIDs(t *testing.T) {
	c := newClient(t)
	for encoded, id := range map[string]string{"%2E": ".", "%2e%2E": "..", "%2F": "/", "%2f%2f": "//"} {
		shown := c.post("/database/"+encoded+"/callbacks", `{"url":"http://example.com/"}`).want(http.StatusCreated).one()
		wantProperties(t, shown, map[string]any{"database": id})
	}
}

func TestBadIDs(t *testing.T) {
	c := newClient(t)
	for _, id := range []string{"0", "%30", "%FF", "a%00b", strings.Repeat("x", webhook.MaxID+1)} {
		for _, resource := range []string{"database", "collection"} {
			path := "/" + resource + "/" + id + "/callbacks"
			c.get(path).wantError(http.StatusBadRequest, resource)
			c.post(path, `{"url":"http://example.com/"}`).wantError(http.StatusBadRequest, resource)
		}
	}
}

func TestUnknownPaths(t *testing.T) {
	for _, options := range []*httpapi.Options{nil, {BasePath: "/api/v1"}} {
		c := serve(t, newAPI(t, memory.New(), options))
		for _, path := range []string{
			"/", "/database", "/database/1", "/database/1/callbacks/", "/database/1/callback", "/database//callbacks",
			"/Database/1/callbacks", "/database/1/callbacks/2", "/callback", "/callback/", "/callback/1/2", "//callback/1",
			"/callback//secret", "/callback//deliveries", "/callback//replay", "/callback/1/deliveries/", "/callback/1/deliveries/2", "/callback/1/secret/",
			"/delivery", "/delivery/", "/delivery/e_1/", "/delivery//replay", "/delivery/e_1/attempts", "/delivery/e_1/secret", "/deliveries",
			"/purge/", "/purge/1", "/Purge", "/database/1/deliveries", "/replay", "/callback/1/Secret", "/callback/1/secret/2", "/database/1/secret",
			"/1/callbacks", "/api/v1", "/api/v1/", "/api/v1/database/1", "/api/v2/database/1/callbacks", "/api", "/favicon.ico",
		} {
			for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodDelete} {
				c.do(method, path, "").wantError(http.StatusNotFound, "", "path")
			}
		}
	}
}
