package main_test

import (
	"context"
	"database/sql"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ringback-dev/ringback/dispatch"
	"github.com/ringback-dev/ringback/httpapi"
	"github.com/ringback-dev/ringback/store/memory"
	"github.com/ringback-dev/ringback/webhook"
	"github.com/ringback-dev/ringback/webhook/signature"
)

// TestHost runs the README's host: a callback is registered, a change is made, the
// message comes, and the host ends without leaving anything running.
func TestHost(t *testing.T) {
	file := filepath.Join(t.TempDir(), "host.db")
	db, err := sql.Open("sqlite3", "file:"+file+"?_journal_mode=WAL&_synchronous=FULL&_txlock=immediate&_busy_timeout=5000")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(`CREATE TABLE profiles (id TEXT, company TEXT); INSERT INTO profiles VALUES ('1', 'Microsoft')`); err != nil {
		t.Fatal(err)
	}
	receiver, bodies := newReceiver(t)
	mux := http.NewServeMux()
	server := httptest.NewServer(mux)
	defer server.Close()

	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	ended := make(chan error, 1)
	go func() {
		ended <- host(ctx, db, mux, loopback())
	}()
	defer func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}()
	for _, request := range []struct {
		method, path, body string
		status             int
	}{
		{"POST", "/database/788/callbacks", `{"url":"` + receiver + `"}`, http.StatusCreated},
		{"PUT", "/profile/1/company/Apple", "", http.StatusOK},
	} {
		send(ctx, t, request.method, server.URL+request.path, request.body, request.status)
	}
	wantRenaming(ctx, t, bodies)
}

// send makes a request until it is answered with the status: the host is still
// starting when the first one comes.
func send(ctx context.Context, t *testing.T, method, url, body string, status int) {
	t.Helper()
	for {
		request, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Content-Type", "application/json")
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode == status {
			return
		}
		if response.StatusCode != http.StatusNotFound {
			t.Fatalf("%s %s: %s", method, url, response.Status)
		}
	}
}

// TestInMemory: the same change told through an engine on the memory store reaches
// the receiver, with no file and no network but the receiver's.
func TestInMemory(t *testing.T) {
	receiver, bodies := newReceiver(t)
	store := memory.New()
	if _, err := store.CreateCallback(t.Context(), webhook.Callback{Database: "788", URL: receiver}, 0); err != nil {
		t.Fatal(err)
	}
	engine, err := dispatch.New(store, loopback())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	ended := make(chan error, 1)
	go func() { ended <- engine.Run(ctx) }()
	if err := tell(ctx, engine, "1", "Microsoft", "Apple"); err != nil {
		t.Error(err)
	}
	wantRenaming(ctx, t, bodies)
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// TestVerified: the README's receiver gets whole what is signed with one of its secrets,
// and nothing else.
func TestVerified(t *testing.T) {
	const body = `{"action":"update"}`
	before, now := signature.NewSecret(), signature.NewSecret()
	var got string
	handler := verified(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		got = r.Header.Get("webhook-id") + " " + string(text)
	}), before, now)
	large := strings.Repeat("x", 4<<20)
	for _, row := range []struct {
		name, body string
		secrets    []signature.Secret
		at         time.Duration
		good       bool
	}{
		{"the old secret", body, []signature.Secret{before}, 0, true},
		{"the new secret", body, []signature.Secret{now}, 0, true},
		{"both", body, []signature.Secret{now, before}, 0, true},
		{"the largest body", large, []signature.Secret{now}, 0, true},
		{"no secret", body, nil, 0, false},
		{"another secret", body, []signature.Secret{signature.NewSecret()}, 0, false},
		{"an hour ago", body, []signature.Secret{now}, -time.Hour, false},
		{"a body that is too large", large + "x", []signature.Secret{now}, 0, false},
	} {
		r := httptest.NewRequest("POST", "/", strings.NewReader(row.body))
		signature.Sign(r.Header, "e1_21", time.Now().Add(row.at), []byte(row.body), row.secrets...)
		got = ""
		answer := httptest.NewRecorder()
		handler.ServeHTTP(answer, r)
		status, want := http.StatusUnauthorized, ""
		if row.good {
			status, want = http.StatusOK, "e1_21 "+row.body
		}
		if answer.Code != status || got != want {
			t.Errorf("%s: status %d, handed on %.40q", row.name, answer.Code, got)
		}
	}
}

// newReceiver returns a receiver's URL, and what it gets.
func newReceiver(t *testing.T) (url string, bodies chan string) {
	t.Helper()
	bodies = make(chan string, 10)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		bodies <- string(body)
	}))
	t.Cleanup(server.Close)
	return server.URL, bodies
}

func wantRenaming(ctx context.Context, t *testing.T, bodies chan string) {
	t.Helper()
	select {
	case got := <-bodies:
		if !strings.Contains(got, `"parameters":{"company":"Apple"},"old":{"fields":{"company":"Microsoft"}`) {
			t.Errorf("the message is %s", got)
		}
	case <-ctx.Done():
		t.Error("no message comes")
	}
}

// loopback lets the receiver be called.
func loopback() *dispatch.Options {
	return &dispatch.Options{
		Targets: dispatch.Targets{AllowPrivate: dispatch.AllAddresses(), AllowAllPorts: true},
	}
}

// TestMount: each of the README's ways to mount the API leads to it, and so does the
// Location that it gives.
func TestMount(t *testing.T) {
	routed := func(mux *http.ServeMux, api *httpapi.API) {
		mux.Handle("/", api)
		mux.HandleFunc("/routed/{id}", databaseCallbacks(api, func(r *http.Request) map[string]string {
			return map[string]string{"databaseID": r.PathValue("id")}
		}))
	}
	for _, row := range []struct {
		mount          func(*http.ServeMux, *httpapi.API)
		base           string
		path, location string
	}{
		{mountBelow, "", "/api/v1/database/788/callbacks", "/api/v1/callback/1"},
		{mountEach, "/api", "/788/callbacks", "/api/callback/1"},
		{routed, "", "/routed/788", "/callback/1"},
	} {
		store := memory.New()
		engine, err := dispatch.New(store, nil)
		if err != nil {
			t.Fatal(err)
		}
		api, err := httpapi.New(store, engine, authorize, &httpapi.Options{BasePath: row.base})
		if err != nil {
			t.Fatal(err)
		}
		mux := http.NewServeMux()
		row.mount(mux, api)
		post := httptest.NewRequest("POST", row.path, strings.NewReader(`{"url":"https://example.com/"}`))
		post.Header.Set("Content-Type", "application/json")
		answer := httptest.NewRecorder()
		mux.ServeHTTP(answer, post)
		if got := answer.Header().Get("Location"); answer.Code != http.StatusCreated || got != row.location {
			t.Errorf("%s: %d %s, Location %q", row.path, answer.Code, answer.Body, got)
		}
		answer = httptest.NewRecorder()
		mux.ServeHTTP(answer, httptest.NewRequest("POST", row.location+"/secret", nil))
		if answer.Code != http.StatusOK || !strings.Contains(answer.Body.String(), `"secret":"whsec_`) {
			t.Errorf("%s/secret: %d %s", row.location, answer.Code, answer.Body)
		}
		answer = httptest.NewRecorder()
		mux.ServeHTTP(answer, httptest.NewRequest("GET", row.location+"/deliveries", nil))
		if answer.Code != http.StatusOK || !strings.Contains(answer.Body.String(), `"total":0`) {
			t.Errorf("%s/deliveries: %d %s", row.location, answer.Code, answer.Body)
		}
		answer = httptest.NewRecorder()
		mux.ServeHTTP(answer, httptest.NewRequest("GET", row.location, nil))
		if answer.Code != http.StatusOK || !strings.Contains(answer.Body.String(), `"database":"788"`) {
			t.Errorf("%s: %d %s", row.location, answer.Code, answer.Body)
		}
	}
}
