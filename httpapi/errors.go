package httpapi

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"

	"github.com/ringback-dev/ringback/webhook"
)

// A failure is an error as the client sees it.
type failure struct {
	status  int
	message string
	field   string
}

// The failures that no error of package webhook stands for.
var (
	errForbidden   = errors.New("httpapi: forbidden")
	errNoOperator  = errors.New("httpapi: not an operator")
	errNoDelivery  = errors.New("httpapi: no such delivery")
	errCrossOrigin = errors.New("httpapi: cross-origin request")
	errNoResource  = errors.New("httpapi: no such resource")
	errMethod      = errors.New("httpapi: method not allowed")
	errContentType = errors.New("httpapi: unsupported content type")
)

// failureOf is the table of statuses. Whatever is not in it is internal: its text
// must not leave.
func (a *API) failureOf(err error) failure {
	var invalid *webhook.InvalidError
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &invalid):
		return failure{http.StatusBadRequest, sentence(invalid), invalid.Field}
	case errors.Is(err, webhook.ErrInvalid):
		return failure{status: http.StatusBadRequest, message: "the request is not valid"}
	case errors.Is(err, webhook.ErrLimit):
		return failure{status: http.StatusBadRequest, message: fmt.Sprintf("the database or the collection "+
			"already has %d callbacks, which is as many as it may have: "+
			"delete one that is no longer needed", a.maxCallbacks)}
	case errors.Is(err, webhook.ErrDisabled):
		return failure{http.StatusBadRequest,
			`state of the callback is disabled: enable it first, by POST of {"state":"active"}`, "state"}
	case errors.Is(err, ErrUnauthorized):
		return failure{status: http.StatusUnauthorized,
			message: "the request is not authenticated: send valid credentials"}
	case errors.Is(err, errForbidden):
		return failure{status: http.StatusForbidden,
			message: "you may not manage the callbacks of this database or collection"}
	case errors.Is(err, errNoOperator):
		return failure{status: http.StatusForbidden, message: "only operators may purge records"}
	case errors.Is(err, errCrossOrigin):
		return failure{status: http.StatusForbidden,
			message: "browsers may not send this request from another origin"}
	case errors.Is(err, webhook.ErrNotFound):
		return failure{status: http.StatusNotFound, message: "there is no such callback"}
	case errors.Is(err, errNoDelivery):
		return failure{status: http.StatusNotFound, message: "there is no such delivery"}
	case errors.Is(err, errNoResource):
		return failure{status: http.StatusNotFound, message: "there is nothing at this path: use " +
			"/database/{databaseID}/callbacks, /collection/{collectionID}/callbacks, " +
			"/callback/{callbackID} or /secret, /deliveries or /replay below it, " +
			"/delivery/{deliveryID} or /replay below it, or /purge"}
	case errors.Is(err, errMethod):
		return failure{status: http.StatusMethodNotAllowed,
			message: "the method is not one of those in the Allow header"}
	case errors.As(err, &tooLarge):
		return failure{status: http.StatusRequestEntityTooLarge,
			message: fmt.Sprintf("the body is larger than %d bytes", maxBody)}
	case errors.Is(err, errContentType):
		return failure{status: http.StatusUnsupportedMediaType,
			message: "the Content-Type must be " + typeJSON + " or " + typeForm}
	case errors.Is(err, webhook.ErrDamaged):
		return failure{status: http.StatusInternalServerError,
			message: "some of what is stored cannot be read: tell the operator"}
	}
	return failure{status: http.StatusInternalServerError,
		message: "the request could not be served: try again later"}
}

// sentence puts the property in front of what is said about it.
func sentence(e *webhook.InvalidError) string {
	if e.Field == "" {
		return e.Message
	}
	return e.Field + " " + e.Message
}

// despiteDamage returns nil for the error of a list that lacks what can't be read: the
// client gets the rest, and the host is told.
func (a *API) despiteDamage(r *http.Request, err error) error {
	if !errors.Is(err, webhook.ErrDamaged) {
		return err
	}
	a.logger.ErrorContext(r.Context(), "list is not complete", "method", r.Method, "path", r.URL.Path, "error", err)
	return nil
}

// fail answers with an error.
func (a *API) fail(w http.ResponseWriter, r *http.Request, err error) {
	f := a.failureOf(err)
	switch f.status {
	case http.StatusUnauthorized:
		w.Header().Set("WWW-Authenticate", a.challenge)
	case http.StatusInternalServerError:
		level := slog.LevelError
		if r.Context().Err() != nil {
			level = slog.LevelDebug // the client is gone: that is why
		}
		a.logger.Log(r.Context(), level, "callback request failed", "method", r.Method, "path", r.URL.Path, "error", err)
	}
	var body errorBody
	body.Error.Message = f.message
	body.Error.Field = f.field
	write(w, f.status, body)
}

// errorBody is the body of every answer that is an error.
type errorBody struct {
	Error struct {
		Message string `json:"message"`
		Field   string `json:"field,omitempty"`
	} `json:"error"`
}
