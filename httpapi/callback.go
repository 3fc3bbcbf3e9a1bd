package httpapi

import (
	"context"
	"errors"
	"net/http"

	"github.com/ringback-dev/ringback/webhook"
)

// Callback reads, updates and deletes the callback that the path value callbackID
// names.
func (a *API) Callback(w http.ResponseWriter, r *http.Request) {
	a.serve(w, r, methods{
		http.MethodGet:    a.with(a.get),
		http.MethodPost:   a.with(a.update),
		http.MethodPut:    a.with(a.update),
		http.MethodDelete: a.with(a.delete),
	})
}

// with gives a handler the callback that the request is about.
func (a *API) with(method func(http.ResponseWriter, *http.Request, webhook.Callback) error) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		c, err := a.find(r, r.PathValue("callbackID"))
		if err != nil {
			return err
		}
		return method(w, r, c)
	}
}

// find returns the callback, or webhook.ErrNotFound where there is none that the
// caller may know of. Whether there is one must make no difference that can be
// seen: that is why the question who is calling comes first, and counts alone.
func (a *API) find(r *http.Request, id string) (webhook.Callback, error) {
	if err := ask(a.authorize, r, webhook.Scope{}); errors.Is(err, ErrUnauthorized) {
		a.logRefusal(r, webhook.Scope{}, err)
		return webhook.Callback{}, ErrUnauthorized
	}
	if checkID("ID", id) != nil {
		return webhook.Callback{}, webhook.ErrNotFound
	}
	c, err := a.store.Callback(r.Context(), id)
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
	given, err := callbackSchema.read(r)
	if err != nil {
		return err
	}
	if err := unmoved("database", c.Database, given); err != nil {
		return err
	}
	if err := unmoved("collection", c.Collection, given); err != nil {
		return err
	}
	if value, ok := given["secret"]; ok && value != c.Secret.Reveal() {
		return webhook.Invalid("secret", "cannot be changed here: POST to the callback's /secret")
	}
	updated, err := a.change(r.Context(), c, func(c *webhook.Callback) error {
		before := *c
		given.apply(c)
		if c.State == webhook.StateDisabled && c.URL == before.URL && c.Expression == before.Expression {
			return c.Validate() // it calls nobody: what is no longer accepted can still be disabled
		}
		return a.check(r.Context(), *c)
	})
	if err != nil {
		return err
	}
	return writeOne(w, http.StatusOK, updated)
}

// errTooManyTries is internal: nothing that a client did.
var errTooManyTries = errors.New("httpapi: too many concurrent updates")

// change reads, modifies and writes a callback until nobody else did so meanwhile.
// What comes out as it was is not written: a write makes every engine read its
// callbacks again.
func (a *API) change(
	ctx context.Context, c webhook.Callback, modify func(*webhook.Callback) error,
) (webhook.Callback, error) {
	for range maxTries {
		before := c
		if err := modify(&c); err != nil {
			return webhook.Callback{}, err
		}
		if c == before {
			return c, nil
		}
		updated, err := a.store.UpdateCallback(ctx, c)
		if err == nil && updated.State != before.State {
			a.tellState(ctx, updated)
		}
		if !errors.Is(err, webhook.ErrConflict) {
			return updated, err
		}
		if c, err = a.store.Callback(ctx, c.ID); err != nil {
			return webhook.Callback{}, err
		}
	}
	return webhook.Callback{}, errTooManyTries
}

// unmoved refuses to bind a callback to something else.
func unmoved(name, id string, given properties) error {
	if value, ok := given[name]; ok && value != id {
		return webhook.Invalid(name, "cannot be changed: leave it out, or create another callback")
	}
	return nil
}

func (a *API) delete(w http.ResponseWriter, r *http.Request, c webhook.Callback) error {
	if err := a.store.DeleteCallback(r.Context(), c.ID); err != nil {
		return err
	}
	w.Header().Set("X-Deleted", "callback "+c.ID)
	return write(w, http.StatusOK, struct{}{})
}
