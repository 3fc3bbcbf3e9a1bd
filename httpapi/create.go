package httpapi

import (
	"context"
	"net/http"

	"github.com/ringback-dev/ringback/webhook"
)

// create stores a new callback that is bound to a scope, and to what the message
// adds to that.
func (a *API) create(w http.ResponseWriter, r *http.Request, scope webhook.Scope) error {
	given, err := callbackSchema.read(r)
	if err != nil {
		return err
	}
	c := webhook.Callback{Database: scope.Database, Collection: scope.Collection}
	if err := bind("database", &c.Database, given); err != nil {
		return err
	}
	if err := bind("collection", &c.Collection, given); err != nil {
		return err
	}
	for _, more := range scopes(&c) {
		if more == scope {
			continue // has been asked for
		}
		if err := a.allow(r, more); err != nil {
			return err
		}
	}
	given.apply(&c)
	c = c.WithDefaults()
	if c.Secret, err = given.secret(); err != nil {
		return err
	}
	if err := a.check(r.Context(), c); err != nil {
		return err
	}
	c, err = a.store.CreateCallback(r.Context(), c, a.maxCallbacks)
	if err != nil {
		return err
	}
	location := a.location(r, c.ID)
	w.Header().Set("Location", location)
	w.Header().Set("X-Location", location)
	return writeWithSecret(w, http.StatusCreated, c)
}

// bind sets a binding to what the message says, which must not contradict the
// one that the URL has set.
func bind(name string, id *string, given properties) error {
	value := given[name]
	switch {
	case value == "":
		return nil
	case *id == "":
		*id = value
		return checkID(name, value) // before the authorizer sees it
	case value != *id:
		return webhook.Invalid(name, "is not the one in the URL: leave it out")
	}
	return nil
}

// check validates a callback as it is going to be stored.
func (a *API) check(ctx context.Context, c webhook.Callback) error {
	if err := c.Validate(); err != nil {
		return err
	}
	return a.checker.Check(ctx, c)
}
