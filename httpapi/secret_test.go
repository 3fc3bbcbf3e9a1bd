package httpapi_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/ringback-dev/ringback/store/memory"
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
		stored, err := store.Callback(t.Context(), id)
		if err != nil || stored.Secret != want {
			t.Errorf("callback %s is stored with another secret than the one shown (%v)", id, err)
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
	before, err := store.Callback(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	random := secretOf(t, c.do(http.MethodPost, "/callback/"+id+"/secret", "").want(http.StatusOK))
	stored, err := store.Callback(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	if stored.Secret != random || stored.PreviousSecret != before.Secret {
		t.Error("the new secret is not stored, or the old one is lost")
	}
	if until := stored.PreviousUntil.Sub(began); until < 24*time.Hour-time.Minute || until > 24*time.Hour+time.Minute {
		t.Errorf("the old secret is good for %v, want a day", until)
	}
	if now, later := stored.Secrets(began), stored.Secrets(began.Add(25*time.Hour)); len(now) != 2 || now[0] != random || len(later) != 1 {
		t.Errorf("%d secrets sign now and %d after a day, want 2 and 1", len(now), len(later))
	}
	own := signature.NewSecret()
	for range 2 { // the second time it is the present one already
		if secretOf(t, c.post("/callback/"+id+"/secret", `{"secret":"`+own.Reveal()+`"}`).want(http.StatusOK)) != own {
			t.Error("the answer shows another secret")
		}
		stored, err = store.Callback(t.Context(), id)
		if err != nil || stored.Secret != own || stored.PreviousSecret != random {
			t.Errorf("after setting a secret of one's own: %v, %v", stored, err)
		}
	}
}

// What is no secret is refused, without being repeated, and changes nothing.
func TestBadSecret(t *testing.T) {
	store := memory.New()
	c := serve(t, newAPI(t, store, nil))
	id := c.create("/database/788/callbacks", someURL)
	before, err := store.Callback(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
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
	c.post("/callback/"+id+"/secret", `{"url":"http://example.com/"}`).wantError(http.StatusBadRequest, "url")
	c.get("/callback/"+id+"/secret").wantError(http.StatusMethodNotAllowed, "")
	c.post("/callback/99/secret", `{}`).wantError(http.StatusNotFound, "")
	after, err := store.Callback(t.Context(), id)
	if err != nil || after != before {
		t.Errorf("refused requests changed %v to %v, %v", before, after, err)
	}
}
