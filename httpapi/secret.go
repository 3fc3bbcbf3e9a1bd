package httpapi

import (
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/ringback-dev/ringback/webhook"
	"github.com/ringback-dev/ringback/webhook/signature"
)

// rotationPeriod is how long messages are signed with the old secret as well, after a
// new one has been set. Only the last old one is kept: two changes end the first.
const rotationPeriod = 24 * time.Hour

// Secret sets a new secret for the callback that the path value callbackID names: the
// one that the body names, otherwise a random one. The answer shows it. For 24 hours
// messages are signed with the old secret as well; setting the present one once more
// changes nothing.
func (a *API) Secret(w http.ResponseWriter, r *http.Request) {
	a.serve(w, r, methods{http.MethodPost: a.with(a.rotate)})
}

func (a *API) rotate(w http.ResponseWriter, r *http.Request, c webhook.Callback) error {
	given, err := callbackSchema.readOptional(r)
	if err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(given)) { // so that the same body gives the same error
		if name != "secret" {
			return webhook.Invalid(name, "cannot be changed here: this sets the secret alone")
		}
	}
	secret, err := given.secret()
	if err != nil {
		return err
	}
	c, err = a.change(r.Context(), c, func(c *webhook.Callback) error {
		if c.Secret != secret {
			c.PreviousSecret, c.PreviousUntil = c.Secret, time.Now().Add(rotationPeriod)
		}
		c.Secret = secret
		return nil
	})
	if err != nil {
		return err
	}
	return writeWithSecret(w, http.StatusOK, c)
}

// secret returns the secret that is named, or a new one. The error does not repeat it.
func (p properties) secret() (signature.Secret, error) {
	text, ok := p["secret"]
	if !ok {
		return signature.NewSecret(), nil
	}
	secret, err := signature.ParseSecret(text)
	if err != nil {
		return signature.Secret{}, webhook.Invalid("secret",
			"must be whsec_ and the base64 of 24 to 64 bytes; leave it out to get one")
	}
	return secret, nil
}
