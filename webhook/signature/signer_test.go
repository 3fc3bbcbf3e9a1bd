package signature_test

import (
	"bytes"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ringback-dev/ringback/webhook/signature"
)

func TestSigner(t *testing.T) {
	timestamp := strconv.Itoa(vectorTime)
	secret, other := parse(t, vectorSecret), signature.NewSecret()
	for range 3 { // it is the same after other messages
		signer := signature.NewSigner(secret)
		for range 3 {
			got := signer.Append([]byte("before "), vectorID, timestamp, []byte(vectorBody))
			if string(got) != "before "+vectorSignature {
				t.Errorf("got %q, want the test vector's", got)
			}
			signer.Append(nil, strings.Repeat("a", 300), "1", bytes.Repeat([]byte("a"), 3000))
		}
	}
	several := string(signature.NewSigner(other, signature.Secret{}, secret).Append(nil, vectorID, timestamp, []byte(vectorBody)))
	if first, second, _ := strings.Cut(several, " "); second != vectorSignature || !strings.HasPrefix(first, "v1,") || first == second {
		t.Errorf("got %q, want two signatures in the order of their secrets", several)
	}
	for _, none := range []*signature.Signer{signature.NewSigner(), signature.NewSigner(signature.Secret{})} {
		if got := none.Append(nil, vectorID, timestamp, []byte(vectorBody)); got != nil {
			t.Errorf("got %q without a secret", got)
		}
	}
}

// A signer that many use at the same time makes what Sign makes.
func TestSignerIsShared(t *testing.T) {
	secrets := []signature.Secret{signature.NewSecret(), signature.NewSecret()}
	signer := signature.NewSigner(secrets...)
	var group sync.WaitGroup
	for i := range 8 {
		group.Go(func() {
			id, body := strconv.Itoa(i), bytes.Repeat([]byte{byte(i)}, 10_000*i)
			h := http.Header{}
			signature.Sign(h, id, time.Unix(vectorTime, 0), body, secrets...)
			for range 200 {
				got := signer.Append(nil, id, h.Get(signature.HeaderTimestamp), body)
				if string(got) != h.Get(signature.HeaderSignature) {
					t.Errorf("got %q, want %q", got, h.Get(signature.HeaderSignature))
				}
			}
		})
	}
	group.Wait()
}

// BenchmarkSign signs a message as a sender does that keeps nothing, and by a Signer.
func BenchmarkSign(b *testing.B) {
	secret, body := signature.NewSecret(), bytes.Repeat([]byte("a"), 600)
	at := time.Unix(vectorTime, 0)
	b.Run("Sign", func(b *testing.B) {
		b.ReportAllocs()
		h := http.Header{}
		for b.Loop() {
			signature.Sign(h, vectorID, at, body, secret)
		}
	})
	b.Run("Signer", func(b *testing.B) {
		b.ReportAllocs()
		signer, room := signature.NewSigner(secret), []byte(nil)
		for b.Loop() {
			room = signer.Append(room[:0], vectorID, "1614265330", body)
		}
	})
}
