package httpapi

import (
	"errors"
	"net/http"

	"github.com/ringback-dev/ringback/webhook"
)

// Callback reads, updates and deletes the callback that the path value callbackID
// names.
func (a *API) Callback(w http.ResponseWriter, r *http.Request) {
	with := func(method func(http.ResponseWriter, *http.Request, webhook.Callback) error) handler {
		return func(w http.ResponseWriter, r *http.Request) error {
			c, err := a.find(r, r.PathValue("callbackID"))
			if err != nil {
				return err
			}
			return method(w, r, c)
		}
	}
	a.serve(w, r, methods{
		http.MethodGet:    with(a.get),
		http.MethodPost:   with(a.update),
		http.MethodPut:    with(a.update),
		http.MethodDelete: with(a.delete),
	})
}

// find returns the callback, or webhook.ErrNotFound where there is none that the
// caller may know of. Whether there is one must make no difference that can be
// seen: that is why the question who is calling comes first, and counts alone.
func (a *API) find(r *http.Request, id string) (webhook.Callback, error) {
	if err := a.ask(r, webhook.Scope{}); errors.Is(err, ErrUnauthorized) {
		a.logRefusal(r, webhook.Scope{}, err)
		return webhook.Callback{}, ErrUnauthorized
	}
	if checkID("ID", id) != nil {
		return webhook.Callback{}, webhook.ErrNotFound
	}
	c, err := a.registry.Callback(r.Context(), id)
	if err != nil {
		return webhook.Callback{}, err
	}
	for _, scope := range scopes(&c) {
		if a.allow(r, scope) != nil {
			return webhook.Callback{}, webhook.ErrNotFound
		}
	}
	return c, nil
}

func (a *API) get(w http.ResponseWriter, _ *http.Request, c webhook.Callback) error {
	return writeOne(w, http.StatusOK, c)
}

// maxTries bounds how often an update is repeated because another one came first.
// Of those that meet, one succeeds each time.
const maxTries = 100

// update changes what the message names and nothing else.
func (a *API) update(w http.ResponseWriter, r *http.Request, c webhook.Callback) error {
	given, err := readProperties(r)
	if err != nil {
		return err
	}
	if err := unmoved("database", c.Database, given); err != nil {
		return err
	}
	if err := unmoved("collection", c.Collection, given); err != nil {
		return err
	}
	for range maxTries {
		given.apply(&c)
		if err := a.check(r.Context(), c); err != nil {
			return err
		}
		updated, err := a.registry.UpdateCallback(r.Context(), c)
		if err == nil {
			return writeOne(w, http.StatusOK, updated)
		}
		if !errors.Is(err, webhook.ErrConflict) {
			return err
		}
		if c, err = a.registry.Callback(r.Context(), c.ID); err != nil {
			return err
		}
	}
	return errTooManyTries
}

// unmoved refuses to bind a callback to something else.
func unmoved(name, id string, given properties) error {
	if value, ok := given[name]; ok && value != id {
		return webhook.Invalid(name, "cannot be changed: leave it out, or create another callback")
	}
	return nil
}

func (a *API) delete(w http.ResponseWriter, r *http.Request, c webhook.Callback) error {
	if err := a.registry.DeleteCallback(r.Context(), c.ID); err != nil {
		return err
	}
	w.Header().Set("X-Deleted", "callback "+c.ID)
	return write(w, http.StatusOK, struct{}{})
}
