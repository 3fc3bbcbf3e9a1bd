package httpapi

import (
	"errors"
	"net/http"

	"github.com/ringback-dev/ringback/webhook"
)

// Authorize decides whether whoever sent r may manage the callbacks of a scope:
// nil allows it, an error that matches [ErrUnauthorized] is answered with 401,
// any other with 403. Its text is logged, never sent.
//
// It is asked for every scope that a request touches:
//
//   - a database (Collection is empty), for what is bound to it and for its list;
//   - a collection of any database (Database is empty), likewise. A host whose
//     collections have IDs that are unique only within a database must refuse it;
//   - a collection of a database (both are set), after the database, for a
//     callback that is bound to both;
//   - the empty scope, once for each request on /callback/{callbackID},
//     /delivery/{deliveryID} or below them, before anything is looked up: it asks only
//     who is calling. ErrUnauthorized is answered with 401, anything else makes no
//     difference.
//
// There any other refusal is answered as if the callback, or the delivery, did not
// exist, so that nobody learns of those of others. Who may list a scope sees all that
// is bound to it, and who may manage a callback sees its deliveries.
//
// The request comes without its body, so that r.FormValue does no harm: decide by
// the rest.
type Authorize = func(r *http.Request, scope webhook.Scope) error

// ErrUnauthorized is what an [Authorize] returns, or wraps, when the request does
// not say who sends it, or does not prove it.
var ErrUnauthorized = errors.New("httpapi: unauthorized")

// allow returns nil if the request may touch a scope, otherwise the error to
// answer with.
func (a *API) allow(r *http.Request, scope webhook.Scope) error {
	return a.verdict(r, scope, ask(a.authorize, r, scope), errForbidden)
}

// verdict returns the error to answer with for what an authorizer said.
func (a *API) verdict(r *http.Request, scope webhook.Scope, err, forbidden error) error {
	if err == nil {
		return nil
	}
	a.logRefusal(r, scope, err)
	if errors.Is(err, ErrUnauthorized) {
		return ErrUnauthorized
	}
	return forbidden
}

// ask asks an authorizer.
func ask(authorize Authorize, r *http.Request, scope webhook.Scope) error {
	bodiless := r.WithContext(r.Context())
	bodiless.Body = http.NoBody
	return authorize(bodiless, scope)
}

// logRefusal logs the reason, which the client is not told. The path may be as long as
// the client likes: it is cut, so that those who are refused do not fill the log.
func (a *API) logRefusal(r *http.Request, scope webhook.Scope, err error) {
	a.logger.InfoContext(r.Context(), "callback request not allowed",
		"method", r.Method, "path", clipTo(1024, r.URL.Path),
		"database", scope.Database, "collection", scope.Collection, "error", err)
}

// scopes returns every scope that a callback belongs to.
func scopes(c *webhook.Callback) []webhook.Scope {
	var all []webhook.Scope
	if c.Database != "" {
		all = append(all, webhook.Scope{Database: c.Database})
	}
	if c.Collection != "" {
		all = append(all, c.Scope())
	}
	return all
}
