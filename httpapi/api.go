package httpapi

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"path"
	"strings"

	"github.com/ringback-dev/ringback/webhook"
)

// An API serves a registry over HTTP. It is an http.Handler for all resources;
// its methods Database, Collection, Callback and Secret serve one each. It is safe for
// concurrent use.
type API struct {
	registry     webhook.Registry
	checker      Checker
	authorize    Authorize
	basePath     string
	baseSegments []string // of basePath
	maxCallbacks int
	challenge    string
	logger       *slog.Logger
	crossOrigin  http.CrossOriginProtection
}

// A Checker judges a callback before it is stored, beyond what
// [webhook.Callback.Validate] can see. The engine is one.
type Checker interface {
	// Check reports whether the callback's expression compiles and its target may
	// be called. Errors that match webhook.ErrInvalid name the property,
	// "expression" or "url", and are shown to the client; others are internal.
	Check(ctx context.Context, c webhook.Callback) error
}

// Options are the settings that New does not require. The zero value is good.
type Options struct {
	// BasePath is what stands before the paths of the resources in the URLs that
	// clients use, percent-encoded as it is there, such as "/api/v1". It becomes
	// part of Location, and requests are served with it and without it. Default:
	// what an http.StripPrefix in front of the API took off.
	BasePath string

	// MaxCallbacks is how many callbacks a database, and a collection, may have.
	// Default 1000.
	MaxCallbacks int

	// Challenge is the WWW-Authenticate header of 401 answers. Default "Bearer".
	Challenge string

	// Logger hears of internal errors, and of refusals by the authorizer. Default:
	// nobody does.
	Logger *slog.Logger
}

// New returns an API that manages the callbacks of a registry. All arguments but
// the options are required.
func New(registry webhook.Registry, checker Checker, authorize Authorize, o *Options) (*API, error) {
	switch {
	case registry == nil:
		return nil, errors.New("httpapi: the registry is nil")
	case checker == nil:
		return nil, errors.New("httpapi: the checker is nil")
	case authorize == nil:
		return nil, errors.New("httpapi: authorize is nil: decide who may manage which callbacks")
	}
	if o == nil {
		o = &Options{}
	}
	a := &API{
		registry:     registry,
		checker:      checker,
		authorize:    authorize,
		basePath:     strings.TrimSuffix(o.BasePath, "/"),
		maxCallbacks: o.MaxCallbacks,
		challenge:    o.Challenge,
		logger:       o.Logger,
	}
	if a.basePath != "" && !isPrefix(a.basePath) {
		return nil, errors.New(`httpapi: BasePath is not an absolute, percent-encoded path such as "/api/v1"`)
	}
	a.baseSegments, _ = segments(a.basePath)
	if a.maxCallbacks < 0 {
		return nil, errors.New("httpapi: MaxCallbacks is negative")
	}
	if a.maxCallbacks == 0 {
		a.maxCallbacks = 1000
	}
	if a.challenge == "" {
		a.challenge = "Bearer"
	}
	if a.logger == nil {
		a.logger = slog.New(slog.DiscardHandler)
	}
	return a, nil
}

// isPrefix reports whether p can stand in a URL before other absolute paths.
func isPrefix(p string) bool {
	u, err := url.Parse(p)
	return err == nil && u.EscapedPath() == p && strings.HasPrefix(p, "/") && path.Clean(p) == p && p != "/"
}
