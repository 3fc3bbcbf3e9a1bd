package signature_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/ringback-dev/ringback/webhook/signature"
)

func TestNewSecret(t *testing.T) {
	seen := make(map[signature.Secret]bool)
	for range 100 {
		secret := signature.NewSecret()
		if seen[secret] {
			t.Fatal("a secret is given twice")
		}
		seen[secret] = true
		text, ok := strings.CutPrefix(secret.Reveal(), "whsec_")
		key, err := base64.StdEncoding.DecodeString(text)
		if !ok || err != nil || len(key) != 32 {
			t.Errorf("%s has %d bytes, %v", secret.Reveal(), len(key), err)
		}
		if parse(t, secret.Reveal()) != secret {
			t.Errorf("%s is another one when parsed", secret.Reveal())
		}
	}
}

func TestParseSecret(t *testing.T) {
	text := func(size int) string {
		return "whsec_" + base64.StdEncoding.EncodeToString(make([]byte, size))
	}
	for _, good := range []string{vectorSecret, text(24), text(25), text(64)} {
		if got := parse(t, good).Reveal(); got != good {
			t.Errorf("got %s, want %s", got, good)
		}
	}
	for _, bad := range []string{
		"", "whsec_", vectorSecret[len("whsec_"):], "WHSEC_" + vectorSecret[6:], "whsk_" + vectorSecret[6:],
		text(0), text(23), text(65), text(1000),
		vectorSecret + " ", " " + vectorSecret, vectorSecret + "\n", vectorSecret[:20] + "\r\n" + vectorSecret[20:],
		vectorSecret + "=", strings.TrimRight(text(25), "="), "whsec_" + strings.Repeat("-_", 20), vectorSecret + "!",
		strings.Replace(text(25), "A==", "B==", 1), // the same bytes, other bits behind them
	} {
		got, err := signature.ParseSecret(bad)
		if !errors.Is(err, signature.ErrSecret) || got != (signature.Secret{}) {
			t.Errorf("%q: got %v, want ErrSecret", bad, err)
		}
		if part := strings.TrimSpace(bad); len(part) > 10 && strings.Contains(err.Error(), part) {
			t.Errorf("%q: the error shows it", bad)
		}
	}
}

func TestSecretStaysSecret(t *testing.T) {
	secret := parse(t, vectorSecret)
	encoded, err := json.Marshal(map[string]any{"secret": secret})
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("text", "secret", secret)
	slog.New(slog.NewJSONHandler(&log, nil)).Info("json", "secret", secret)
	holder := struct{ Secret signature.Secret }{secret}
	key, err := base64.StdEncoding.DecodeString(vectorSecret[len("whsec_"):])
	if err != nil {
		t.Fatal(err)
	}
	for _, shown := range []string{
		string(encoded), log.String(), fmt.Sprint(secret), fmt.Sprintf("%v %+v %#v %s %q %x", holder, holder, holder, secret, secret, secret),
	} {
		if strings.Contains(shown, vectorSecret[len("whsec_"):]) || strings.Contains(shown, string(key)) ||
			strings.Contains(shown, fmt.Sprintf("%x", key)) || strings.Contains(shown, fmt.Sprintf("%q", key)) {
			t.Errorf("the secret shows in %q", shown)
		}
	}
	if got := (signature.Secret{}).Reveal(); got != "" {
		t.Errorf("the zero secret has the text %q", got)
	}
}
