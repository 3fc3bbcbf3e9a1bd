package httpapi

import (
	"maps"
	"net/http"
	"slices"
	"strings"
)

// A handler answers a request, or returns an error and has written nothing.
type handler func(http.ResponseWriter, *http.Request) error

// methods are what a resource can do. HEAD goes with GET.
type methods map[string]handler

// serve answers a request with one of the methods, or with the error that it
// returns.
func (a *API) serve(w http.ResponseWriter, r *http.Request, m methods) {
	if err := a.run(w, r, m); err != nil {
		a.fail(w, r, err)
	}
}

func (a *API) run(w http.ResponseWriter, r *http.Request, m methods) error {
	if a.crossOrigin.Check(r) != nil {
		return errCrossOrigin
	}
	name := r.Method
	if name == http.MethodHead {
		name = http.MethodGet
	}
	method, ok := m[name]
	if !ok {
		w.Header().Set("Allow", m.allow())
		return errMethod
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	return method(w, r)
}

// allow returns the methods as the Allow header lists them. OPTIONS is not among
// them: a host that answers preflight requests does so before it comes here.
func (m methods) allow() string {
	names := slices.Collect(maps.Keys(m))
	if _, ok := m[http.MethodGet]; ok {
		names = append(names, http.MethodHead)
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}
