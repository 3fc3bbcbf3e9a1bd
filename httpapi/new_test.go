package httpapi_test

import (
	"net/http"
	"reflect"
	"testing"

	"github.com/ringback-dev/ringback/httpapi"
	"github.com/ringback-dev/ringback/store/memory"
	"github.com/ringback-dev/ringback/webhook"
)

func TestNewRequires(t *testing.T) {
	store := memory.New()
	if _, err := httpapi.New(nil, pickyChecker, everybody, nil); err == nil {
		t.Error("no store is no error")
	}
	if _, err := httpapi.New(store, nil, everybody, nil); err == nil {
		t.Error("no checker is no error")
	}
	if _, err := httpapi.New(store, pickyChecker, nil, nil); err == nil {
		t.Error("no authorizer is no error")
	}
	for _, bad := range []string{"api", "//api", "/api//v1", "/a b", "/api?x", "/api#x", "/../api", "/api/..", "http://example.com/api", "/%zz", "/api//", "//"} {
		if _, err := httpapi.New(store, pickyChecker, everybody, &httpapi.Options{BasePath: bad}); err == nil {
			t.Errorf("BasePath %q is no error", bad)
		}
	}
	if _, err := httpapi.New(store, pickyChecker, everybody, &httpapi.Options{MaxCallbacks: -1}); err == nil {
		t.Error("a negative MaxCallbacks is no error")
	}
}

// Options belong to the caller.
func TestOptionsAreNotChanged(t *testing.T) {
	options := httpapi.Options{BasePath: "/api/"}
	c := serve(t, newAPI(t, memory.New(), &options))
	if !reflect.DeepEqual(options, httpapi.Options{BasePath: "/api/"}) {
		t.Errorf("New changed its options to %+v", options)
	}
	options.BasePath = "/other"
	if got := c.post("/database/1/callbacks", someURL).want(http.StatusCreated).header.Get("Location"); got != "/api/callback/1" {
		t.Errorf("Location %q after a change of the options", got)
	}
}

// "/" is the same as no BasePath.
func TestBasePathRoot(t *testing.T) {
	c := serve(t, newAPI(t, memory.New(), &httpapi.Options{BasePath: "/"}))
	if got := c.post("/database/1/callbacks", someURL).want(http.StatusCreated).header.Get("Location"); got != "/callback/1" {
		t.Errorf("Location %q", got)
	}
}

func TestChallenge(t *testing.T) {
	refuse := func(*http.Request, webhook.Scope) error { return httpapi.ErrUnauthorized }
	api, err := httpapi.New(memory.New(), pickyChecker, refuse, &httpapi.Options{Challenge: `Basic realm="crm"`})
	if err != nil {
		t.Fatal(err)
	}
	answer := serve(t, api).get("/database/1/callbacks")
	answer.wantError(http.StatusUnauthorized, "")
	if got, want := answer.header.Get("WWW-Authenticate"), `Basic realm="crm"`; got != want {
		t.Errorf("WWW-Authenticate %q, want %q", got, want)
	}
}
