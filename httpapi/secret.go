package httpapi

import (
	"net/http"
	"time"

	"github.com/ringback-dev/ringback/webhook"
	"github.com/ringback-dev/ringback/webhook/signature"
)

// rotationPeriod is how long messages are signed with the old secret as well, after a
// new one has been set.
const rotationPeriod = 24 * time.Hour

// Secret sets a new secret for the callback that the path value callbackID names: the
// one in the body, or where there is no body a random one. The answer shows it.
func (a *API) Secret(w http.ResponseWriter, r *http.Request) {
	a.serve(w, r, methods{http.MethodPost: a.with(a.rotate)})
}

func (a *API) rotate(w http.ResponseWriter, r *http.Request, c webhook.Callback) error {
	var given properties
	if r.ContentLength != 0 {
		var err error
		if given, err = readProperties(r); err != nil {
			return err
		}
		for name := range given {
			if name != "secret" {
				return webhook.Invalid(name, "cannot be changed here: this sets the secret alone")
			}
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
		return signature.Secret{}, webhook.Invalid("secret", "must be whsec_ and the base64 of 24 to 64 bytes; leave it out to get one")
	}
	return secret, nil
}
