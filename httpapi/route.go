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

// resource returns the handler of a path after setting the path values that it
// reads; nil where there is none.
func (a *API) resource(r *http.Request, path []string) http.HandlerFunc {
	switch {
	case len(path) == 3 && path[0] == "database" && path[2] == "callbacks" && path[1] != "":
		r.SetPathValue("databaseID", path[1])
		return a.Database
	case len(path) == 3 && path[0] == "collection" && path[2] == "callbacks" && path[1] != "":
		r.SetPathValue("collectionID", path[1])
		return a.Collection
	case len(path) == 2 && path[0] == "callback" && path[1] != "":
		r.SetPathValue("callbackID", path[1])
		return a.Callback
	case len(path) == 3 && path[0] == "callback" && path[2] == "secret" && path[1] != "":
		r.SetPathValue("callbackID", path[1])
		return a.Secret
	}
	return nil
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
