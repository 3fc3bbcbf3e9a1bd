package httpapi_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/ringback-dev/ringback/httpapi"
	"github.com/ringback-dev/ringback/store/memory"
	"github.com/ringback-dev/ringback/webhook"
)

// engine stands in for a *dispatch.Engine, which is a Checker.
var engine = checker(func(context.Context, webhook.Callback) error { return nil })

// allowAll is for examples only.
func allowAll(*http.Request, webhook.Scope) error { return nil }

// At the root of a mux there is nothing to be said.
func Example() {
	api, err := httpapi.New(memory.New(), engine, allowAll, nil)
	if err != nil {
		log.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/", api)

	show(mux, "POST", "/database/788/callbacks", `{"url":"http://www.example.com/callback","action":"update"}`)
	show(mux, "DELETE", "/callback/1", "")
	// Output:
	// POST /database/788/callbacks: 201 Created, at /callback/1
	// DELETE /callback/1: 200 OK
}

// Under a prefix, BasePath says what that is.
func ExampleNew_basePath() {
	api, err := httpapi.New(memory.New(), engine, allowAll, &httpapi.Options{BasePath: "/api/v1"})
	if err != nil {
		log.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/api/v1/", api)

	show(mux, "POST", "/api/v1/collection/8550/callbacks", `{"url":"http://www.example.com/callback"}`)
	show(mux, "GET", "/api/v1/callback/1", "")
	// Output:
	// POST /api/v1/collection/8550/callbacks: 201 Created, at /api/v1/callback/1
	// GET /api/v1/callback/1: 200 OK
}

// Where http.StripPrefix takes the prefix off, it is found without being told.
func ExampleNew_stripPrefix() {
	api, err := httpapi.New(memory.New(), engine, allowAll, nil)
	if err != nil {
		log.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/api/v1/", http.StripPrefix("/api/v1", api))

	show(mux, "POST", "/api/v1/database/788/callbacks", `{"url":"http://www.example.com/callback"}`)
	show(mux, "GET", "/api/v1/callback/1", "")
	// Output:
	// POST /api/v1/database/788/callbacks: 201 Created, at /api/v1/callback/1
	// GET /api/v1/callback/1: 200 OK
}

// A host with URLs of another shape mounts each resource by itself. BasePath is
// what stands before /callback/.
func ExampleAPI_Database() {
	api, err := httpapi.New(memory.New(), engine, allowAll, &httpapi.Options{BasePath: "/v1"})
	if err != nil {
		log.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/{databaseID}/callbacks", api.Database)
	mux.HandleFunc("/v1/callback/{callbackID}", api.Callback)
	mux.HandleFunc("/v1/callback/{callbackID}/secret", api.Secret)

	show(mux, "POST", "/788/callbacks", `{"url":"http://www.example.com/callback"}`)
	show(mux, "GET", "/788/callbacks", "")
	show(mux, "GET", "/v1/callback/1", "")
	show(mux, "POST", "/v1/callback/1/secret", "")
	// Output:
	// POST /788/callbacks: 201 Created, at /v1/callback/1
	// GET /788/callbacks: 200 OK
	// GET /v1/callback/1: 200 OK
	// POST /v1/callback/1/secret: 200 OK
}

// An authorizer says who is calling first, and then what that caller may manage.
// This host's collections are named per database, so a collection without its
// database belongs to nobody.
func ExampleAuthorize() {
	owners := map[string]string{"788": "ann", "789": "bob"} // of databases
	authorize := func(r *http.Request, scope webhook.Scope) error {
		user, _, ok := r.BasicAuth()
		switch {
		case !ok:
			return httpapi.ErrUnauthorized
		case scope.Database == "":
			return errors.New("not without a database")
		case owners[scope.Database] != user:
			return fmt.Errorf("database %s is not %s's", scope.Database, user)
		}
		return nil
	}
	api, err := httpapi.New(memory.New(), engine, authorize, &httpapi.Options{Challenge: "Basic"})
	if err != nil {
		log.Fatal(err)
	}
	ann := as("ann", api)
	show(ann, "POST", "/database/788/callbacks", `{"url":"http://www.example.com/callback","collection":"orders"}`)
	show(ann, "GET", "/database/789/callbacks", "")
	show(ann, "GET", "/collection/orders/callbacks", "")
	show(ann, "GET", "/callback/1", "")
	show(as("bob", api), "GET", "/callback/1", "")
	show(api, "GET", "/callback/1", "")
	// Output:
	// POST /database/788/callbacks: 201 Created, at /callback/1
	// GET /database/789/callbacks: 403 Forbidden
	// GET /collection/orders/callbacks: 403 Forbidden
	// GET /callback/1: 200 OK
	// GET /callback/1: 404 Not Found
	// GET /callback/1: 401 Unauthorized
}

// Whoever manages callbacks may not purge records for that: this host's operator may, and
// no one else.
func ExampleOptions_operator() {
	operator := func(r *http.Request, _ webhook.Scope) error {
		switch user, _, ok := r.BasicAuth(); {
		case !ok:
			return httpapi.ErrUnauthorized
		case user != "olga":
			return fmt.Errorf("%s is no operator", user)
		}
		return nil
	}
	api, err := httpapi.New(memory.New(), engine, allowAll, &httpapi.Options{Operator: operator, Challenge: "Basic"})
	if err != nil {
		log.Fatal(err)
	}
	const record = `{"database":"788","collection":0,"record":"1"}`
	show(as("olga", api), "POST", "/purge", record)
	show(as("ann", api), "POST", "/purge", record)
	show(api, "POST", "/purge", record)
	// Output:
	// POST /purge: 200 OK
	// POST /purge: 403 Forbidden
	// POST /purge: 401 Unauthorized
}

// as sends requests as a user.
func as(user string, handler http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.SetBasicAuth(user, "secret")
		handler.ServeHTTP(w, r)
	})
}

// show sends a request to a server of its own and prints what came of it.
func show(handler http.Handler, method, path, body string) {
	server := httptest.NewServer(handler)
	defer server.Close()
	r, err := http.NewRequest(method, server.URL+path, strings.NewReader(body))
	if err != nil {
		log.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	response, err := server.Client().Do(r)
	if err != nil {
		log.Fatal(err)
	}
	defer response.Body.Close()
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s %s: %s", method, path, response.Status)
	if location := response.Header.Get("Location"); location != "" {
		fmt.Printf(", at %s", location)
	}
	fmt.Println()
}
