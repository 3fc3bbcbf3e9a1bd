package signature_test

import (
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/ringback-dev/ringback/webhook/signature"
)

// FuzzVerify: of all headers and bodies, only those that Sign made are good.
func FuzzVerify(f *testing.F) {
	timestamp := strconv.Itoa(vectorTime)
	f.Add(vectorID, timestamp, vectorSignature, []byte(vectorBody))
	f.Add(vectorID, timestamp, otherSignature+" v1a,x "+vectorSignature, []byte(vectorBody))
	f.Add(vectorID, "+"+timestamp, vectorSignature, []byte(vectorBody))
	f.Add(vectorID+".1", timestamp, "v1,"+vectorSignature, []byte(nil))
	f.Add("", "", " ", []byte("\x00"))
	secret := parse(f, vectorSecret)
	f.Fuzz(func(t *testing.T, id, timestamp, signatures string, body []byte) {
		h := http.Header{
			signature.HeaderID: {id}, signature.HeaderTimestamp: {timestamp}, signature.HeaderSignature: {signatures},
		}
		err := signature.Verify(h, body, []signature.Secret{signature.NewSecret(), secret}, at(0))

		seconds, parseErr := strconv.ParseInt(timestamp, 10, 64)
		signed := http.Header{}
		signature.Sign(signed, id, time.Unix(seconds, 0), body, secret)
		own := signed.Get(signature.HeaderSignature)
		recent := seconds >= vectorTime-300 && seconds <= vectorTime+300
		good := id != "" && !strings.Contains(id, ".") && parseErr == nil && recent &&
			signed.Get(signature.HeaderTimestamp) == timestamp && strings.Contains(" "+signatures+" ", " "+own+" ")
		if good != (err == nil) {
			t.Errorf("%v: Verify returns %v", h, err)
		}
	})
}

// FuzzSign: what is signed can be verified, with that secret only.
func FuzzSign(f *testing.F) {
	f.Add(vectorID, int64(vectorTime), []byte(vectorBody))
	f.Add("a", int64(0), []byte(nil))
	f.Fuzz(func(t *testing.T, id string, seconds int64, body []byte) {
		if id == "" || strings.Contains(id, ".") || seconds < 0 || seconds >= 1<<40 {
			return
		}
		now := time.Unix(seconds, 0)
		opts := &signature.VerifyOptions{Now: func() time.Time { return now }}
		secret, other := signature.NewSecret(), signature.NewSecret()
		h := http.Header{}
		signature.Sign(h, id, now, body, secret)
		if err := signature.Verify(h, body, []signature.Secret{other, secret}, opts); err != nil {
			t.Errorf("%v: %v", h, err)
		}
		if err := signature.Verify(h, body, []signature.Secret{other}, opts); err == nil {
			t.Errorf("%v: verified with another secret", h)
		}
		if err := signature.Verify(h, append(body, 0), []signature.Secret{secret}, opts); err == nil {
			t.Errorf("%v: verified with another body", h)
		}
	})
}

// FuzzParseSecret: whatever is accepted is the one text of its secret.
func FuzzParseSecret(f *testing.F) {
	f.Add(vectorSecret)
	f.Add("whsec_")
	f.Add("whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\nAAAA")
	f.Add("whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB==")
	f.Fuzz(func(t *testing.T, text string) {
		secret, err := signature.ParseSecret(text)
		if err == nil && secret.Reveal() != text {
			t.Errorf("%q is the secret %q", text, secret.Reveal())
		}
		if (err == nil) == (secret == signature.Secret{}) {
			t.Errorf("%q: got a secret and an error, or neither", text)
		}
	})
}
