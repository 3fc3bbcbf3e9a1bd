package httpapi

import (
	"net/http"

	"github.com/ringback-dev/ringback/webhook"
)

// Database lists and creates the callbacks of the database that the path value
// databaseID names.
func (a *API) Database(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("databaseID")
	a.serveScope(w, r, "database", id, webhook.Scope{Database: id})
}

// Collection lists and creates the callbacks of the collection that the path
// value collectionID names.
func (a *API) Collection(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("collectionID")
	a.serveScope(w, r, "collection", id, webhook.Scope{Collection: id})
}

// serveScope serves the scope that consists of the one ID.
func (a *API) serveScope(w http.ResponseWriter, r *http.Request, field, id string, scope webhook.Scope) {
	within := func(method func(http.ResponseWriter, *http.Request, webhook.Scope) error) handler {
		return func(w http.ResponseWriter, r *http.Request) error {
			if err := checkID(field, id); err != nil {
				return err
			}
			if err := a.allow(r, scope); err != nil {
				return err
			}
			return method(w, r, scope)
		}
	}
	a.serve(w, r, methods{http.MethodGet: within(a.list), http.MethodPost: within(a.create)})
}

// list answers with a page of what is bound to a scope.
func (a *API) list(w http.ResponseWriter, r *http.Request, scope webhook.Scope) error {
	asked, err := parseWindow(r.URL.RawQuery)
	if err != nil {
		return err
	}
	page, err := a.store.Callbacks(r.Context(), webhook.CallbackQuery{
		Scope: scope, Start: asked.start, Limit: asked.limit, WithTotal: asked.total,
	})
	if err := a.despiteDamage(r, err); err != nil {
		return err
	}
	items := make([]item, len(page.Callbacks))
	for i, c := range page.Callbacks {
		items[i] = itemOf(c)
	}
	return write(w, http.StatusOK, asked.envelope(items, page.Total))
}
