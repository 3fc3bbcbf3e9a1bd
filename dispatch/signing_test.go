package dispatch_test

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ringback-dev/ringback/dispatch"
	"github.com/ringback-dev/ringback/webhook"
	"github.com/ringback-dev/ringback/webhook/message"
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

// What is prepared for a callback's requests does not outlast what it was prepared from,
// whichever part of that changes, or comes back.
func TestChangedCallback(t *testing.T) {
	inBubble(t, nil, func(b *bench) {
		known := make([]signature.Secret, 3)
		for i := range known {
			known[i] = signature.NewSecret()
		}
		hour, now := time.Now().Add(time.Hour), time.Now()
		rows := []struct {
			callback string
			to       webhook.Callback
			method   webhook.Method
			encoding webhook.Encoding
			signedBy []signature.Secret
		}{
			{"1", webhook.Callback{URL: "https://example.com/a"}, "json", "body", nil},
			{"1", webhook.Callback{URL: "https://example.com/b"}, "json", "body", nil},
			{"2", webhook.Callback{URL: "https://example.com/a"}, "json", "body", nil},
			{"1", webhook.Callback{URL: "https://example.com/a"}, "xml", "body", nil},
			{"1", webhook.Callback{URL: "https://example.com/a"}, "json", "form", nil},
			{"1", webhook.Callback{URL: "https://example.com/a", Secret: known[0]}, "json", "body", known[:1]},
			{"1", webhook.Callback{URL: "https://example.com/a", Secret: known[1]}, "json", "body", known[1:2]},
			{"1", webhook.Callback{URL: "https://example.com/a", Secret: known[0], PreviousSecret: known[1], PreviousUntil: hour}, "json", "body", known[:2]},
			{"1", webhook.Callback{URL: "https://example.com/a", Secret: known[0], PreviousSecret: known[1], PreviousUntil: now}, "json", "body", known[:1]},
			{"1", webhook.Callback{URL: "https://example.com/a", Secret: known[0], PreviousSecret: known[2], PreviousUntil: hour}, "json", "body", []signature.Secret{known[0], known[2]}},
		}
		for i := range 3 * len(rows) {
			row := rows[i*7%len(rows)] // each follows others
			c := &webhook.Claimed{
				Delivery: webhook.Delivery{ID: strconv.Itoa(i), Callback: row.callback, Method: row.method, Encoding: row.encoding},
				To:       &row.to, Message: []byte("a message"),
			}
			if a := b.Engine.Attempt(b.Context(), c); a.Status != 200 || a.Error != "" {
				b.Fatalf("%+v", a)
			}
			posts := b.Network.Posts()
			p := posts[len(posts)-1]
			contentType, body := message.Request(row.method, row.encoding, c.Message)
			if p.URL != row.to.URL || p.Header.Get("Ringback-Callback") != row.callback || p.Header.Get("webhook-id") != c.ID ||
				p.Header.Get("Content-Type") != contentType || p.Body != string(body) {
				b.Errorf("%+v: sent %+v", row, p)
			}
			at := &signature.VerifyOptions{Now: func() time.Time { return p.Time }}
			for n, secret := range known {
				err := signature.Verify(p.Header, []byte(p.Body), []signature.Secret{secret}, at)
				if (err == nil) != slices.Contains(row.signedBy, secret) {
					b.Errorf("attempt %d, secret %d: %v", i, n, err)
				}
			}
			if n := strings.Count(p.Header.Get("webhook-signature"), "v1,"); n != len(row.signedBy) {
				b.Errorf("attempt %d has %d signatures", i, n)
			}
		}
	})
}

// What is kept prepared is bounded, however many callbacks there are.
func TestPreparedIsBounded(t *testing.T) {
	inBubble(t, nil, func(b *bench) {
		_, limit := b.Engine.Prepared()
		most := 0
		for i := range 2 * limit {
			c := &webhook.Claimed{
				Delivery: webhook.Delivery{ID: "1", Callback: strconv.Itoa(i), Method: "json", Encoding: "body"},
				To:       &webhook.Callback{URL: "https://example.com/" + strconv.Itoa(i)},
			}
			if a := b.Engine.Attempt(b.Context(), c); a.Status != 200 {
				b.Fatalf("%+v", a)
			}
			kept, _ := b.Engine.Prepared()
			most = max(most, kept)
		}
		if most != limit {
			b.Errorf("up to %d were kept, want %d", most, limit)
		}
	})
}
