package dispatch_test

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ringback-dev/ringback/dispatch"
	"github.com/ringback-dev/ringback/webhook"
	"github.com/ringback-dev/ringback/webhook/signature"
)

// Every attempt is signed for its own time, over the bytes that are sent.
func TestSigning(t *testing.T) {
	inBubble(t, &dispatch.Options{Retry: dispatch.Retry{Jitter: -1}}, func(b *bench) {
		b.Network.Answer = func(_ *http.Request, n int) (*http.Response, error) {
			if n == 1 {
				return answer(500, ""), nil
			}
			return answer(200, ""), nil
		}
		secrets := make(map[string]signature.Secret)
		for name, c := range map[string]webhook.Callback{
			"json": {}, "xml": {Method: webhook.MethodXML}, "form": {Encoding: webhook.EncodingForm},
		} {
			c.Secret = signature.NewSecret()
			secrets["https://example.com/"+name] = c.Secret
			b.Callback(name, c)
		}
		b.Callback("unsigned", webhook.Callback{})
		b.Start()
		b.Dispatch("1", 30)
		advance(time.Minute)
		synctest.Wait()
		posts := b.Network.Posts()
		if len(posts) != 8 {
			t.Fatalf("%d posts, want 8", len(posts))
		}
		for _, p := range posts {
			secret, signed := secrets[p.URL]
			if !signed {
				if got := p.Header.Get("webhook-signature"); got != "" {
					t.Errorf("signed without a secret: %s", got)
				}
				continue
			}
			at := &signature.VerifyOptions{Tolerance: time.Second, Now: func() time.Time { return p.Time }}
			if err := signature.Verify(p.Header, []byte(p.Body), []signature.Secret{secret}, at); err != nil {
				t.Errorf("%s: %v", p.URL, err)
			}
		}
	})
}

// After a rotation both secrets sign, until the old one's time is over.
func TestSigningWithTwoSecrets(t *testing.T) {
	inBubble(t, nil, func(b *bench) {
		before, now := signature.NewSecret(), signature.NewSecret()
		b.Callback("hook", webhook.Callback{Secret: now, PreviousSecret: before, PreviousUntil: time.Now().Add(time.Hour)})
		b.Start()
		b.Dispatch("1", 30)
		synctest.Wait()
		advance(time.Hour)
		b.Dispatch("1", 31)
		synctest.Wait()
		for i, p := range b.Network.Posts() {
			at := &signature.VerifyOptions{Now: func() time.Time { return p.Time }}
			if err := signature.Verify(p.Header, []byte(p.Body), []signature.Secret{now}, at); err != nil {
				t.Errorf("post %d with the new secret: %v", i, err)
			}
			err := signature.Verify(p.Header, []byte(p.Body), []signature.Secret{before}, at)
			if (err == nil) != (i == 0) {
				t.Errorf("post %d with the old secret: %v", i, err)
			}
		}
	})
}
