package main_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/ringback-dev/ringback/webhook/signature"
)

// TestSigning: what is shown when a callback is created verifies its messages, in every
// format, and after a rotation so does the new secret; restarts make no difference.
func TestSigning(t *testing.T) {
	r := newReceiver(t, nil)
	file := newFile(t)
	p := start(t, file)
	own := signature.NewSecret()
	secrets := make(map[string][]signature.Secret) // by path, the newest first
	callbacks := make(map[string]string)           // by path
	for path, more := range map[string]string{
		"/json":      ``,
		"/xml":       `,"method":"xml"`,
		"/json-form": `,"encoding":"form"`,
		"/xml-form":  `,"method":"xml","encoding":"form"`,
		"/own":       `,"secret":"` + own.Reveal() + `"`,
	} {
		c := p.must(http.StatusCreated, "POST", "/database/788/callbacks", `{"url":"`+r.URL+path+`"`+more+`}`)
		callbacks[path] = "/callback/" + properties(t, c)["ID"].(string)
		secrets[path] = []signature.Secret{secret(t, c)}
	}
	if secrets["/own"][0] != own {
		t.Error("the secret is not the one that was given")
	}
	change := func() {
		t.Helper()
		p.create("/database/788/profiles", `{"fields":{"name":"Ann & Bob <ü>"}}`)
		for range secrets {
			m := r.next(t)
			wantSigned(t, m, secrets[m.path])
		}
	}
	change()
	p.stop()
	p = start(t, file)
	change()

	for path, callback := range callbacks {
		for _, seen := range []string{callback, "/database/788/callbacks"} {
			if a := p.do("GET", seen, ""); strings.Contains(string(a.body), "whsec") {
				t.Errorf("GET %s shows a secret: %s", seen, a.body)
			}
		}
		rotated := secret(t, p.must(http.StatusOK, "POST", callback+"/secret", ""))
		secrets[path] = slices.Insert(secrets[path], 0, rotated)
	}
	change()
	p.stop()
	p = start(t, file)
	change()
	p.stop()
	r.empty(t)
}

// TestSigningOfRetries: an attempt is signed with the secrets of its time, not with those
// of the event's.
func TestSigningOfRetries(t *testing.T) {
	signatures := func(m message) int { return len(strings.Fields(m.header.Get("webhook-signature"))) }
	r := newReceiver(t, func(m message) int {
		if signatures(m) == 2 {
			return http.StatusOK
		}
		return http.StatusInternalServerError
	})
	p := start(t, newFile(t), "-retry-base", "10ms")
	c := p.must(http.StatusCreated, "POST", "/database/788/callbacks", `{"url":"`+r.URL+`"}`)
	before := secret(t, c)
	p.create("/database/788/profiles", `{}`)
	first := r.next(t)
	wantSigned(t, first, []signature.Secret{before})
	now := secret(t, p.must(http.StatusOK, "POST", "/callback/"+properties(t, c)["ID"].(string)+"/secret", ""))
	for {
		m := r.next(t)
		if m.id() != first.id() || string(m.body) != string(first.body) {
			t.Fatalf("the retry has another ID or body: %s", m.body)
		}
		if signatures(m) == 2 {
			wantSigned(t, m, []signature.Secret{now, before})
			break
		}
		wantSigned(t, m, []signature.Secret{before}) // sent before the rotation
	}
	p.stop()
}

// wantSigned checks that a message is signed with each of the secrets, and with no
// other.
func wantSigned(t *testing.T, m message, secrets []signature.Secret) {
	t.Helper()
	for _, s := range secrets {
		if err := signature.Verify(m.header, m.body, []signature.Secret{s}, nil); err != nil {
			t.Errorf("%s: %v", m.path, err)
		}
		if err := signature.Verify(m.header, append(m.body, ' '), []signature.Secret{s}, nil); err == nil {
			t.Errorf("%s: verifies with another body", m.path)
		}
	}
	if err := signature.Verify(m.header, m.body, []signature.Secret{signature.NewSecret()}, nil); err == nil {
		t.Errorf("%s: verifies with any secret", m.path)
	}
	if got := strings.Fields(m.header.Get("webhook-signature")); len(got) != len(secrets) {
		t.Errorf("%s: %d signatures, want %d", m.path, len(got), len(secrets))
	}
}

// properties returns the only callback in an envelope.
func properties(t *testing.T, envelope map[string]any) map[string]any {
	t.Helper()
	data, _ := envelope["data"].([]any)
	if len(data) != 1 {
		t.Fatalf("%d callbacks in %v", len(data), envelope)
	}
	return data[0].(map[string]any)
}

// secret returns the secret that an answer shows.
func secret(t *testing.T, envelope map[string]any) signature.Secret {
	t.Helper()
	text, _ := properties(t, envelope)["secret"].(string)
	s, err := signature.ParseSecret(text)
	if err != nil {
		t.Fatalf("%v: %v", err, envelope)
	}
	return s
}
