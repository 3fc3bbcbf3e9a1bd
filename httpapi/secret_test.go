package httpapi_test

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/ringback-dev/ringback/store/memory"
	"github.com/ringback-dev/ringback/webhook"
	"github.com/ringback-dev/ringback/webhook/signature"
)

// secretOf returns the secret that an answer shows.
func secretOf(t *testing.T, a answer) signature.Secret {
	t.Helper()
	text, _ := a.one()["secret"].(string)
	secret, err := signature.ParseSecret(text)
	if err != nil {
		t.Fatalf("the answer shows the secret %q: %v", text, err)
	}
	return secret
}

// A callback is given a secret, or takes the one it is given; only the answer to its
// creation shows it.
func TestSecret(t *testing.T) {
	store := memory.New()
	c := serve(t, newAPI(t, store, nil))
	const path = "/database/788/callbacks"
	made := secretOf(t, c.post(path, someURL).want(http.StatusCreated))
	own := signature.NewSecret()
	taken := secretOf(t, c.post(path, `{"url":"http://example.com/","secret":"`+own.Reveal()+`"}`).want(http.StatusCreated))
	if taken != own || made == own {
		t.Error("the secrets are not the ones that were asked for")
	}
	for id, want := range map[string]signature.Secret{"1": made, "2": own} {
		if stored(t, store, id).Secret != want {
			t.Errorf("callback %s is stored with another secret than the one shown", id)
		}
	}
	for _, a := range []answer{
		c.get(path), c.get("/callback/2"), c.put("/callback/2", `{"action":"create"}`),
		c.put("/callback/2", `{"secret":"`+own.Reveal()+`"}`), // as it is
	} {
		if strings.Contains(a.want(http.StatusOK).body, "whsec") {
			t.Errorf("a secret is shown again: %s", a.body)
		}
	}
}

// Rotation keeps the old secret for a day.
func TestRotateSecret(t *testing.T) {
	store := memory.New()
	c := serve(t, newAPI(t, store, nil))
	id := c.create("/database/788/callbacks", someURL)
	before := stored(t, store, id)
	began := time.Now()
	random := secretOf(t, c.do(http.MethodPost, "/callback/"+id+"/secret", "").want(http.StatusOK))
	after := stored(t, store, id)
	if after.Secret != random || after.PreviousSecret != before.Secret {
		t.Error("the new secret is not stored, or the old one is lost")
	}
	if until := after.PreviousUntil.Sub(began); until < 24*time.Hour-time.Minute || until > 24*time.Hour+time.Minute {
		t.Errorf("the old secret is good for %v, want a day", until)
	}
	if now, later := after.Secrets(began), after.Secrets(began.Add(25*time.Hour)); len(now) != 2 || now[0] != random || len(later) != 1 {
		t.Errorf("%d secrets sign now and %d after a day, want 2 and 1", len(now), len(later))
	}
	own := signature.NewSecret()
	if secretOf(t, c.post("/callback/"+id+"/secret", `{"secret":"`+own.Reveal()+`"}`).want(http.StatusOK)) != own {
		t.Error("the answer shows another secret")
	}
	after = stored(t, store, id)
	if after.Secret != own || after.PreviousSecret != random {
		t.Errorf("after setting a secret of one's own: %v", after)
	}
	// The present one, set once more, does not push the old one out.
	if secretOf(t, c.post("/callback/"+id+"/secret", `{"secret":"`+own.Reveal()+`"}`).want(http.StatusOK)) != own {
		t.Error("the answer shows another secret")
	}
	if again := stored(t, store, id); again != after {
		t.Errorf("setting the present secret made %v of %v", again, after)
	}
}

// Whatever names no secret asks for a random one: nothing at all, too, however it is
// sent.
func TestRotateWithoutNaming(t *testing.T) {
	c := newClient(t)
	path := "/callback/" + c.create("/database/788/callbacks", someURL) + "/secret"
	hidden := func(body string) io.Reader { return io.MultiReader(strings.NewReader(body)) } // its length, from net/http
	seen := make(map[signature.Secret]bool)
	for name, a := range map[string]answer{
		"no body":            c.do(http.MethodPost, path, ""),
		"no body, chunked":   c.send(http.MethodPost, path, hidden("")),
		"no body, of a type": c.do(http.MethodPost, path, "", "Content-Type", "text/plain;charset=UTF-8"),
		"no body, but both":  c.send(http.MethodPost, path, hidden(""), "Content-Type", "text/plain;charset=UTF-8"),
		"blanks":             c.do(http.MethodPost, path, "\r\n"),
		"an empty form":      c.do(http.MethodPost, path, "", "Content-Type", typeForm),
		"an empty object":    c.post(path, `{}`),
		"an empty envelope":  c.post(path, `{"data":[{}]}`),
		"what is read-only":  c.post(path, `{"ID":"1"}`),
	} {
		secret := secretOf(t, a.want(http.StatusOK))
		if seen[secret] {
			t.Errorf("%s: a secret is given twice", name)
		}
		seen[secret] = true
	}
}

// A secret is taken in each of the three forms.
func TestRotateForms(t *testing.T) {
	c := newClient(t)
	path := "/callback/" + c.create("/database/788/callbacks", someURL) + "/secret"
	for _, form := range []struct{ contentType, before, after string }{
		{typeJSON, `{"secret":"`, `"}`},
		{typeJSON, `{"start":0,"limit":1,"data":[{"secret":"`, `"}]}`},
		{typeForm, `secret=`, ``},
	} {
		own := signature.NewSecret()
		text := own.Reveal()
		if form.contentType == typeForm {
			text = url.QueryEscape(text)
		}
		if a := c.do(http.MethodPost, path, form.before+text+form.after, "Content-Type", form.contentType); secretOf(t, a.want(http.StatusOK)) != own {
			t.Errorf("%s%s: the answer shows another secret", form.before, form.after)
		}
	}
}

// What others changed meanwhile stays.
func TestRotateAfterConflict(t *testing.T) {
	registry := &busyRegistry{Store: memory.New(), others: 3}
	c := serve(t, newAPI(t, registry, nil))
	id := c.create("/database/788/callbacks", someURL)
	before := stored(t, registry, id)
	a := c.do(http.MethodPost, "/callback/"+id+"/secret", "").want(http.StatusOK)
	after := stored(t, registry, id)
	if after.Secret != secretOf(t, a) || after.PreviousSecret != before.Secret || after.Expression != "other == 0" || registry.tries != 4 {
		t.Errorf("after %d tries: %+v", registry.tries, after)
	}
}

// A condition that is no longer accepted does not keep a secret that has leaked in use.
func TestRotateIsNotChecked(t *testing.T) {
	store := memory.New()
	old, err := store.CreateCallback(t.Context(), webhook.Callback{Database: "788", URL: "http://example.com/", Expression: "while(true){}"}, 0)
	if err != nil {
		t.Fatal(err)
	}
	secret := secretOf(t, serve(t, newAPI(t, store, nil)).do(http.MethodPost, "/callback/"+old.ID+"/secret", "").want(http.StatusOK))
	after := stored(t, store, old.ID)
	if got := after.Secrets(time.Now()); len(got) != 1 || got[0] != secret {
		t.Errorf("a callback that had no secret has %d now", len(got))
	}
}

// What is no secret is refused, without being repeated, and changes nothing.
func TestBadSecret(t *testing.T) {
	store := memory.New()
	c := serve(t, newAPI(t, store, nil))
	id := c.create("/database/788/callbacks", someURL)
	before := stored(t, store, id)
	for _, secret := range []string{`""`, `"whsec_hunter2"`, `"hunter2hunter2hunter2hunter2"`, `17`, `null`} {
		body := `{"url":"http://example.com/","secret":` + secret + `}`
		for _, a := range []answer{
			c.post("/database/788/callbacks", body), c.put("/callback/"+id, body),
			c.post("/callback/"+id+"/secret", `{"secret":`+secret+`}`),
		} {
			a.wantError(http.StatusBadRequest, "secret")
			if strings.Contains(a.body, "hunter2") {
				t.Errorf("the error repeats the secret: %s", a.body)
			}
		}
	}
	c.put("/callback/"+id, `{"secret":"`+signature.NewSecret().Reveal()+`"}`).wantError(http.StatusBadRequest, "secret")

	path := "/callback/" + id + "/secret"
	own := `"secret":"` + signature.NewSecret().Reveal() + `"`
	c.post(path, `{"url":"http://example.com/",`+own+`,"expression":"a"}`).wantError(http.StatusBadRequest, "expression", "alone")
	c.post(path, `{"secrets":"x"}`).wantError(http.StatusBadRequest, "secrets", "did you mean secret")
	c.post(path, `{`+own+`,`+own+`}`).wantError(http.StatusBadRequest, "secret", "more than once")
	c.post(path, `{`+own).wantError(http.StatusBadRequest, "", "JSON")
	c.do(http.MethodPost, path, `{`+own+`}`).wantError(http.StatusUnsupportedMediaType, "")
	c.do(http.MethodPost, path, `{`+own+`}`, "Content-Type", "text/plain").wantError(http.StatusUnsupportedMediaType, "")
	c.post(path, `{`+own+strings.Repeat(" ", 64<<10)+`}`).wantError(http.StatusRequestEntityTooLarge, "")
	c.send(http.MethodPost, path, io.MultiReader(strings.NewReader(strings.Repeat(" ", 64<<10+1)))).
		wantError(http.StatusRequestEntityTooLarge, "")
	c.post("/callback/99/secret", `{}`).wantError(http.StatusNotFound, "")
	if a := c.do(http.MethodHead, path, ""); a.status != http.StatusMethodNotAllowed {
		t.Errorf("HEAD: status %d", a.status)
	}
	if after := stored(t, store, id); after != before {
		t.Errorf("refused requests changed %v to %v", before, after)
	}
}
