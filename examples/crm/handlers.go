package main

import (
	"context"
	"net/http"
	"strconv"

	"github.com/ringback-dev/ringback/webhook"
)

// routes serves the product's own paths, and the library's for all others.
func (c *crm) routes(callbacks http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/", callbacks)
	mux.Handle("/database/{database}/profiles", c.methods(handlers{"POST": post("/profile/", c.addProfile)}))
	mux.Handle("/profile/{id}", c.methods(handlers{
		"GET":    get(c.profile),
		"PUT":    put(c.updateProfile),
		"DELETE": remove("profile", c.deleteProfile),
	}))
	mux.Handle("/profile/{id}/subprofiles/{collection}",
		c.methods(handlers{"POST": post("/subprofile/", c.addSubprofile)}))
	mux.Handle("/subprofile/{id}", c.methods(handlers{
		"GET":    get(c.subprofile),
		"PUT":    put(c.updateSubprofile),
		"DELETE": remove("subprofile", c.deleteSubprofile),
	}))
	// Nobody logs in here: so at least no web page may write through the browser of
	// whoever looks at it.
	protection := http.NewCrossOriginProtection()
	protection.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		respondError(w, http.StatusForbidden, "", "requests from other origins are refused")
	}))
	return protection.Handler(mux)
}

func (c *crm) addProfile(r *http.Request, asked change) (profile, error) {
	return c.createProfile(r.Context(), r.PathValue("database"), asked)
}

func (c *crm) addSubprofile(r *http.Request, asked change) (subprofile, error) {
	profileID, err := recordID(r)
	if err != nil {
		return subprofile{}, err
	}
	return c.createSubprofile(r.Context(), profileID, r.PathValue("collection"), asked)
}

// post creates a record, which then has the path with its ID behind.
func post[R viewer](path string, create func(*http.Request, change) (R, error)) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		asked, err := readChange(w, r)
		if err != nil {
			return err
		}
		record, err := create(r, asked)
		if err != nil {
			return err
		}
		v := record.view()
		w.Header().Set("Location", path+v.ID)
		w.Header().Set("X-location", path+v.ID)
		respond(w, http.StatusCreated, v)
		return nil
	}
}

// get shows a record.
func get[R viewer](read func(ctx context.Context, id string) (R, error)) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		id, err := recordID(r)
		if err != nil {
			return err
		}
		record, err := read(r.Context(), id)
		if err != nil {
			return err
		}
		respond(w, http.StatusOK, record.view())
		return nil
	}
}

// put changes what the body names, and shows the record as it is then.
func put[R viewer](update func(ctx context.Context, id string, asked change) (R, error)) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		id, err := recordID(r)
		if err != nil {
			return err
		}
		asked, err := readChange(w, r)
		if err != nil {
			return err
		}
		record, err := update(r.Context(), id, asked)
		if err != nil {
			return err
		}
		respond(w, http.StatusOK, record.view())
		return nil
	}
}

// remove deletes a record of a kind.
func remove(kind string, del func(ctx context.Context, id string, cause *webhook.Cause) error) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		id, err := recordID(r)
		if err != nil {
			return err
		}
		cause, err := causeOf(r.Header)
		if err != nil {
			return err
		}
		if err := del(r.Context(), id, cause); err != nil {
			return err
		}
		w.Header().Set("X-deleted", kind+" "+id)
		respond(w, http.StatusOK, struct{}{})
		return nil
	}
}

// recordID returns the ID in the path, or errNotFound if SQLite never gave such a
// one: as a number, 01 would be 1 to it.
func recordID(r *http.Request) (string, error) {
	id := r.PathValue("id")
	n, err := strconv.ParseInt(id, 10, 64)
	if err != nil || strconv.FormatInt(n, 10) != id {
		return "", errNotFound
	}
	return id, nil
}
