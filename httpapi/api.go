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

// An API serves callbacks and their deliveries over HTTP. It is an http.Handler for all
// resources; its other methods serve one each. It is safe for concurrent use.
type API struct {
	store        Store
	checker      Checker
	authorize    Authorize
	operator     Authorize
	stateChanged func(context.Context, webhook.Callback)
	basePath     string
	baseSegments []string // of basePath
	maxCallbacks int
	challenge    string
	logger       *slog.Logger
	crossOrigin  http.CrossOriginProtection
}

// A Store keeps callbacks, and what became of their deliveries. Every [webhook.Store]
// is one; the methods beside the registry's are those of [webhook.History].
type Store interface {
	webhook.Registry
	Delivery(ctx context.Context, id string) (webhook.Delivery, error)
	Deliveries(ctx context.Context, q webhook.DeliveryQuery) (webhook.DeliveryPage, error)
	Attempts(ctx context.Context, id string) ([]webhook.Attempt, error)
	Replay(ctx context.Context, id string) (webhook.Delivery, error)
	StartReplay(ctx context.Context, r webhook.ReplayRequest) (selected int, err error)
	Purge(ctx context.Context, scope webhook.Scope, record string) (events int, err error)
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

	// Operator decides, as Authorize does, who may purge a record of a scope: of a
	// database, or of a collection of a database. Default: nobody may.
	Operator Authorize

	// OnStateChange is called with the callback, as it is then, each time that a
	// request has disabled or enabled one. It is called before the request is
	// answered, and not for a callback that is created disabled. The context is the
	// request's, but does not end with it. A panic is logged, and makes no difference
	// to the answer. Default: none.
	OnStateChange func(ctx context.Context, c webhook.Callback)

	// Logger hears of internal errors, of panics in OnStateChange, and of refusals by
	// the authorizers. Default: nobody does.
	Logger *slog.Logger
}

// New returns an API that manages the callbacks and deliveries of a store. All
// arguments but the options are required.
func New(store Store, checker Checker, authorize Authorize, o *Options) (*API, error) {
	switch {
	case store == nil:
		return nil, errors.New("httpapi: the store is nil")
	case checker == nil:
		return nil, errors.New("httpapi: the checker is nil")
	case authorize == nil:
		return nil, errors.New("httpapi: authorize is nil: decide who may manage which callbacks")
	}
	if o == nil {
		o = &Options{}
	}
	a := &API{
		store:        store,
		checker:      checker,
		authorize:    authorize,
		operator:     o.Operator,
		stateChanged: o.OnStateChange,
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
