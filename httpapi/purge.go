package httpapi

import (
	"net/http"

	"github.com/ringback-dev/ringback/webhook"
)

// Purge removes every event about the record that the body names, with its messages and
// deliveries, and answers with how many events that were. It is for those alone whom
// Options.Operator allows it.
func (a *API) Purge(w http.ResponseWriter, r *http.Request) {
	a.serve(w, r, methods{http.MethodPost: a.purge})
}

func (a *API) purge(w http.ResponseWriter, r *http.Request) error {
	if a.operator == nil {
		return errNoOperator
	}
	given, err := purgeSchema.read(r)
	if err != nil {
		return err
	}
	scope := webhook.Scope{Database: given["database"], Collection: given["collection"]}
	if err := checkID("database", scope.Database); err != nil {
		return err
	}
	if scope.Collection != "" {
		if err := checkID("collection", scope.Collection); err != nil {
			return err
		}
	}
	if err := checkRecord(given["record"]); err != nil {
		return err
	}
	if err := a.verdict(r, scope, ask(a.operator, r, scope), errNoOperator); err != nil {
		return err
	}
	events, err := a.store.Purge(r.Context(), scope, given["record"])
	if err != nil {
		return err
	}
	return write(w, http.StatusOK, map[string]int{"events": events})
}
