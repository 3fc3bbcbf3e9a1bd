package httpapi

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// ServeHTTP serves all resources.
//
// It finds them itself: an http.ServeMux would answer some paths with redirects
// that know nothing of the prefix, and would overwrite the request's pattern.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path, ok := segments(r.URL.EscapedPath())
	if !ok {
		a.fail(w, r, errNoResource)
		return
	}
	serve := a.resource(r, path)
	// Only what is no resource as it stands is taken to begin with the prefix: it
	// may have been stripped on the way, here or by a proxy.
	if n := len(a.baseSegments); serve == nil && n > 0 && n < len(path) && slices.Equal(path[:n], a.baseSegments) {
		serve = a.resource(r, path[n:])
	}
	if serve == nil {
		a.fail(w, r, errNoResource)
		return
	}
	serve(w, r)
}

// resource returns the handler of a path after setting the path value that it
// reads; nil where there is none.
func (a *API) resource(r *http.Request, path []string) http.HandlerFunc {
	if len(path) == 1 && path[0] == "purge" {
		return a.Purge
	}
	if len(path) < 2 || len(path) > 3 || path[1] == "" || path[len(path)-1] == "" {
		return nil
	}
	around := [2]string{path[0]} // the ID
	if len(path) == 3 {
		around[1] = path[2]
	}
	var value string
	var serve http.HandlerFunc
	switch around {
	case [2]string{"database", "callbacks"}:
		value, serve = "databaseID", a.Database
	case [2]string{"collection", "callbacks"}:
		value, serve = "collectionID", a.Collection
	case [2]string{"callback"}:
		value, serve = "callbackID", a.Callback
	case [2]string{"callback", "secret"}:
		value, serve = "callbackID", a.Secret
	case [2]string{"callback", "deliveries"}:
		value, serve = "callbackID", a.Deliveries
	case [2]string{"callback", "replay"}:
		value, serve = "callbackID", a.ReplayDeliveries
	case [2]string{"delivery"}:
		value, serve = "deliveryID", a.Delivery
	case [2]string{"delivery", "replay"}:
		value, serve = "deliveryID", a.ReplayDelivery
	default:
		return nil
	}
	r.SetPathValue(value, path[1])
	return serve
}

// segments splits an absolute path at its slashes and decodes what is between
// them, so that a slash may be part of an ID.
func segments(escapedPath string) ([]string, bool) {
	rest, ok := strings.CutPrefix(escapedPath, "/")
	if !ok {
		return nil, false
	}
	all := strings.Split(rest, "/")
	for i, segment := range all {
		decoded, err := url.PathUnescape(segment)
		if err != nil {
			return nil, false
		}
		all[i] = decoded
	}
	return all, true
}

// location returns the path of a callback, as the client can use it.
func (a *API) location(r *http.Request, id string) string {
	base := a.basePath
	if base == "" {
		base = strippedPrefix(r)
	}
	return base + "/callback/" + url.PathEscape(id)
}

// strippedPrefix returns what was taken off the front of the request's path on
// its way through this process, percent-encoded.
func strippedPrefix(r *http.Request) string {
	sent, err := url.ParseRequestURI(r.RequestURI)
	if err != nil {
		return "" // the request does not come from a server
	}
	prefix, ok := strings.CutSuffix(sent.EscapedPath(), r.URL.EscapedPath())
	if !ok || strings.HasPrefix(prefix, "//") {
		return "" // rewritten in another way; two slashes would begin a host
	}
	return prefix
}
