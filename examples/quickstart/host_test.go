package main_test

import (
	"bytes"
	"context"
	"database/sql"
	"io"
	"net/http"
	"testing"

	"github.com/ringback-dev/ringback/dispatch"
	"github.com/ringback-dev/ringback/httpapi"
	"github.com/ringback-dev/ringback/store/memory"
	"github.com/ringback-dev/ringback/store/sqlite"
	"github.com/ringback-dev/ringback/webhook"
	"github.com/ringback-dev/ringback/webhook/signature"
)

// The functions of this file are the README's: readme_test.go compares them, and runs
// them.

// host delivers until ctx ends. The database and the mux are yours; nil options are
// good defaults.
func host(ctx context.Context, db *sql.DB, mux *http.ServeMux, options *dispatch.Options) error {
	store, err := sqlite.New(ctx, db, nil)
	if err != nil {
		return err
	}
	defer store.Close()
	engine, err := dispatch.New(store, options)
	if err != nil {
		return err
	}
	api, err := httpapi.New(store, engine, authorize, nil)
	if err != nil {
		return err
	}
	mux.Handle("/", api) // where your users register callbacks
	mux.HandleFunc("PUT /profile/{id}/company/{name}", func(w http.ResponseWriter, r *http.Request) {
		if err := rename(r.Context(), db, store, r.PathValue("id"), r.PathValue("name")); err != nil {
			http.Error(w, "nothing was changed", http.StatusInternalServerError)
		}
	})
	return engine.Run(ctx)
}

// rename makes a change and tells of it, in one transaction: both happen or neither.
func rename(ctx context.Context, db *sql.DB, store *sqlite.Store, id, company string) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	var before string
	if err := tx.QueryRowContext(ctx, `SELECT company FROM profiles WHERE id = ?`, id).Scan(&before); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `UPDATE profiles SET company = ? WHERE id = ?`, company, id); err != nil {
		return err
	}
	if err := tell(ctx, store.InTx(tx), id, before, company); err != nil {
		return err
	}
	return tx.Commit()
}

// tell describes the change to whatever takes events: a transaction, a store, an engine.
func tell(ctx context.Context, to webhook.Dispatcher, id, before, after string) error {
	return to.Dispatch(ctx, webhook.Event{
		Action:   webhook.ActionUpdate,
		Database: "788",
		Profile:  webhook.Record{ID: id, Fields: map[string]any{"company": after}},
		Previous: &webhook.Record{ID: id, Fields: map[string]any{"company": before}},
	})
}

// mountBelow mounts the API below a prefix.
func mountBelow(mux *http.ServeMux, api *httpapi.API) {
	mux.Handle("/api/v1/", http.StripPrefix("/api/v1", api))
}

// mountEach mounts resources in another shape of URLs. The API was made with the
// BasePath "/api", so that is where the Location of a new callback leads.
func mountEach(mux *http.ServeMux, api *httpapi.API) {
	mux.HandleFunc("/{databaseID}/callbacks", api.Database)
	mux.HandleFunc("/api/callback/{callbackID}", api.Callback)
	mux.HandleFunc("/api/callback/{callbackID}/secret", api.Secret)
	mux.HandleFunc("/api/callback/{callbackID}/deliveries", api.Deliveries)
	mux.HandleFunc("/api/callback/{callbackID}/replay", api.ReplayDeliveries)
	mux.HandleFunc("/api/delivery/{deliveryID}", api.Delivery)
	mux.HandleFunc("/api/delivery/{deliveryID}/replay", api.ReplayDelivery)
	mux.HandleFunc("/api/purge", api.Purge)
}

// databaseCallbacks is for routers that set no path values. With gorilla/mux, vars is
// mux.Vars.
func databaseCallbacks(api *httpapi.API, vars func(*http.Request) map[string]string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		r.SetPathValue("databaseID", vars(r)["databaseID"])
		api.Database(w, r)
	}
}

// verified hands on the requests that were signed with one of the secrets, not long ago.
func verified(next http.Handler, secrets ...signature.Secret) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 4<<20)) // a form is larger than its message
		if err == nil {
			err = signature.Verify(r.Header, body, secrets, nil)
		}
		if err != nil {
			http.Error(w, "not signed by the sender", http.StatusUnauthorized)
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		next.ServeHTTP(w, r)
	}
}

func TestTell(t *testing.T) {
	store := memory.New()
	if err := tell(t.Context(), store, "1", "Microsoft", "Apple"); err != nil {
		t.Fatal(err)
	}
	pending, err := store.Pending(t.Context(), webhook.PendingRequest{Limit: 10, LimitBytes: 1 << 20})
	if err != nil || len(pending.Events) != 1 || pending.Events[0].Parameters()["company"] != "Apple" {
		t.Errorf("got %v, %v", pending.Events, err)
	}
}

// authorize decides who may manage the callbacks of a database or collection.
func authorize(*http.Request, webhook.Scope) error { return nil }
