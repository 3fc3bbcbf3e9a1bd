// Package tools_test checks the library against the reference implementation of what
// it implements, which hosts need not download.
package tools_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net/http"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/ringback-dev/ringback/webhook/signature"
)

// reference returns the reference library's view of a secret.
func reference(t *testing.T, secret signature.Secret) *standardwebhooks.Webhook {
	t.Helper()
	webhook, err := standardwebhooks.NewWebhook(secret.Reveal())
	if err != nil {
		t.Fatal(err)
	}
	return webhook
}

// messages returns bodies with what a signature may stumble over.
func messages() [][]byte {
	random := make([]byte, 1<<16)
	source := rand.NewChaCha8([32]byte{})
	source.Read(random)
	return [][]byte{nil, []byte(`{"action":"update"}`), []byte("a.b.c\r\n\x00\xff"), bytes.Repeat([]byte("."), 1<<20), random}
}

func TestReferenceVerifiesWhatWeSign(t *testing.T) {
	newer, older := signature.NewSecret(), signature.NewSecret()
	for i, body := range messages() {
		header := make(http.Header)
		signature.Sign(header, fmt.Sprint("event-", i, "_21"), time.Now(), body, newer, older)
		for name, secret := range map[string]signature.Secret{"new": newer, "previous": older} {
			if err := reference(t, secret).Verify(body, header); err != nil {
				t.Errorf("message %d, %s secret: %v", i, name, err)
			}
		}
		if err := reference(t, signature.NewSecret()).Verify(body, header); err == nil {
			t.Errorf("message %d is verified with a secret that did not sign it", i)
		}
		if err := reference(t, newer).Verify(append(bytes.Clone(body), '!'), header); err == nil {
			t.Errorf("message %d is verified although it was changed", i)
		}
	}
}

func TestWeVerifyWhatReferenceSigns(t *testing.T) {
	secret := signature.NewSecret()
	for i, body := range messages() {
		id, now := fmt.Sprint("msg_", i), time.Now()
		signed, err := reference(t, secret).Sign(id, now, body)
		if err != nil {
			t.Fatal(err)
		}
		header := http.Header{
			signature.HeaderID:        {id},
			signature.HeaderTimestamp: {fmt.Sprint(now.Unix())},
			signature.HeaderSignature: {signed},
		}
		if err := signature.Verify(header, body, []signature.Secret{secret}, nil); err != nil {
			t.Errorf("message %d: %v", i, err)
		}
		if err := signature.Verify(header, append(bytes.Clone(body), '!'), []signature.Secret{secret}, nil); err == nil {
			t.Errorf("message %d is verified although it was changed", i)
		}
	}
}
