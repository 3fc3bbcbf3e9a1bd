package signature_test

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ringback-dev/ringback/webhook/signature"
)

// The test vector of the reference libraries of Standard Webhooks.
const (
	vectorSecret    = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	vectorID        = "msg_p5jXN8AQM9LWM0D4loKWxJek"
	vectorTime      = 1614265330
	vectorBody      = `{"test": 2432232314}`
	vectorSignature = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="

	otherSignature = "v1,Ceo5qEr07ixe2NLpvHk3FH9bwy/WavXrAFQ/9tdO6mc="
)

// at is a clock that stands so far behind the time of the test vector.
func at(since time.Duration) *signature.VerifyOptions {
	return &signature.VerifyOptions{Now: func() time.Time { return time.Unix(vectorTime, 0).Add(since) }}
}

func vectorHeader() http.Header {
	return http.Header{
		signature.HeaderID:        {vectorID},
		signature.HeaderTimestamp: {strconv.Itoa(vectorTime)},
		signature.HeaderSignature: {vectorSignature},
	}
}

func TestSignVector(t *testing.T) {
	h := http.Header{}
	signature.Sign(h, vectorID, time.Unix(vectorTime, 999_999_999), []byte(vectorBody), parse(t, vectorSecret))
	if got, want := fmt.Sprint(h), fmt.Sprint(vectorHeader()); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestSignWithSeveral(t *testing.T) {
	h := vectorHeader()
	first, second := parse(t, vectorSecret), signature.NewSecret()
	signature.Sign(h, vectorID, time.Unix(vectorTime, 0), []byte(vectorBody), second, signature.Secret{}, first)
	signatures := strings.Split(h.Get(signature.HeaderSignature), " ")
	if len(signatures) != 2 || signatures[1] != vectorSignature {
		t.Errorf("got %q, want two signatures in the order of their secrets", signatures)
	}
	for _, secret := range []signature.Secret{first, second} {
		if err := signature.Verify(h, []byte(vectorBody), []signature.Secret{secret}, at(0)); err != nil {
			t.Errorf("secret %s: %v", secret.Reveal(), err)
		}
	}
}

func TestSignWithNone(t *testing.T) {
	h := vectorHeader()
	signature.Sign(h, "another", time.Unix(1, 0), nil, signature.Secret{})
	if _, ok := h[signature.HeaderSignature]; ok || h.Get(signature.HeaderID) != "another" || h.Get(signature.HeaderTimestamp) != "1" {
		t.Errorf("got %v, want ID and timestamp alone", h)
	}
}

func TestVerify(t *testing.T) {
	secret, other := parse(t, vectorSecret), signature.NewSecret()
	set := func(name string, values ...string) func(http.Header) {
		return func(h http.Header) { h[name] = values }
	}
	const id, timestamp, sig = signature.HeaderID, signature.HeaderTimestamp, signature.HeaderSignature
	secrets := func(s ...signature.Secret) []signature.Secret { return s }
	short := at(10 * time.Second)
	short.Tolerance = 10*time.Second - 1
	negative := at(0)
	negative.Tolerance = -1

	tests := []struct {
		name    string
		change  func(http.Header)
		body    string // the vector's when empty
		secrets []signature.Secret
		opts    *signature.VerifyOptions
		want    error
	}{
		{"vector", nil, "", secrets(secret), at(0), nil},
		{"second secret", nil, "", secrets(other, secret), at(0), nil},
		{"oldest", nil, "", secrets(secret), at(5 * time.Minute), nil},
		{"newest", nil, "", secrets(secret), at(-5 * time.Minute), nil},
		{"several signatures", set(sig, otherSignature+" v1a,"+vectorSignature[3:]+" "+vectorSignature+" "+otherSignature), "", secrets(secret), at(0), nil},
		{"spaces", set(sig, "  "+vectorSignature+"  "), "", secrets(secret), at(0), nil},

		{"another body", nil, vectorBody + " ", secrets(secret), at(0), signature.ErrMismatch},
		{"another ID", set(id, vectorID+"a"), "", secrets(secret), at(0), signature.ErrMismatch},
		{"another time", set(timestamp, "1614265331"), "", secrets(secret), at(0), signature.ErrMismatch},
		{"the same time otherwise written", set(timestamp, "01614265330"), "", secrets(secret), at(0), signature.ErrMismatch},
		{"another secret", nil, "", secrets(other), at(0), signature.ErrMismatch},
		{"another signature", set(sig, otherSignature), "", secrets(secret), at(0), signature.ErrMismatch},
		{"another version", set(sig, "v2"+vectorSignature[2:]), "", secrets(secret), at(0), signature.ErrMismatch},
		{"no version", set(sig, vectorSignature[3:]), "", secrets(secret), at(0), signature.ErrMismatch},
		{"half a signature", set(sig, vectorSignature[:20]), "", secrets(secret), at(0), signature.ErrMismatch},
		{"comma for space", set(sig, otherSignature+","+vectorSignature), "", secrets(secret), at(0), signature.ErrMismatch},
		{"without padding", set(sig, strings.TrimRight(vectorSignature, "=")), "", secrets(secret), at(0), signature.ErrMismatch},
		{"no secret", nil, "", nil, at(0), signature.ErrMismatch},

		{"too old", nil, "", secrets(secret), at(5*time.Minute + 1), signature.ErrTime},
		{"too new", nil, "", secrets(secret), at(-5*time.Minute - 1), signature.ErrTime},
		{"too old for the option", nil, "", secrets(secret), short, signature.ErrTime},
		{"negative tolerance", nil, "", secrets(secret), negative, signature.ErrTime},
		{"the present clock", nil, "", secrets(secret), nil, signature.ErrTime},
		{"year 36000", set(timestamp, "1099511627775"), "", secrets(secret), at(0), signature.ErrTime},

		{"no ID", set(id), "", secrets(secret), at(0), signature.ErrHeader},
		{"empty ID", set(id, ""), "", secrets(secret), at(0), signature.ErrHeader},
		{"two IDs", set(id, vectorID, vectorID), "", secrets(secret), at(0), signature.ErrHeader},
		{"ID with a full stop", set(id, vectorID+".1"), "", secrets(secret), at(0), signature.ErrHeader},
		{"no timestamp", set(timestamp), "", secrets(secret), at(0), signature.ErrHeader},
		{"two timestamps", set(timestamp, "1614265330", "1614265330"), "", secrets(secret), at(0), signature.ErrHeader},
		{"no signature", set(sig), "", secrets(secret), at(0), signature.ErrHeader},
		{"two signature headers", set(sig, otherSignature, vectorSignature), "", secrets(secret), at(0), signature.ErrHeader},
	}
	for _, text := range []string{"", " ", "+1614265330", "-1614265330", "1614265330 ", "1614265330.0", "1e9", "0x1", "1_614_265_330",
		"9223372036854775807", "18446744073709551616", "2021-02-25T15:02:10Z", "١"} {
		test := tests[0]
		test.name, test.change, test.want = "timestamp "+text, set(timestamp, text), signature.ErrHeader
		tests = append(tests, test)
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			h, body := vectorHeader(), vectorBody
			if test.change != nil {
				test.change(h)
			}
			if test.body != "" {
				body = test.body
			}
			if err := signature.Verify(h, []byte(body), test.secrets, test.opts); !errors.Is(err, test.want) {
				t.Errorf("got %v, want %v", err, test.want)
			}
		})
	}
}

// TestVerifyZeroSecret: what is signed with an empty key, as anyone can, does
// not pass as signed with a secret that is not set.
func TestVerifyZeroSecret(t *testing.T) {
	h := vectorHeader()
	h.Set(signature.HeaderSignature, "v1,woH/1mJtZGSMCmpFTxRYbStS24eLLD/oXIYr4PYyZ7g=")
	if err := signature.Verify(h, []byte(vectorBody), []signature.Secret{{}}, at(0)); !errors.Is(err, signature.ErrMismatch) {
		t.Errorf("got %v, want ErrMismatch", err)
	}
}

// TestDefaultClock verifies what was signed now, and no more five minutes on.
func TestDefaultClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		secret := signature.NewSecret()
		h := http.Header{}
		signature.Sign(h, "a", time.Now(), nil, secret)
		if err := signature.Verify(h, nil, []signature.Secret{secret}, nil); err != nil {
			t.Error(err)
		}
		<-time.After(signature.DefaultTolerance + time.Second)
		for _, opts := range []*signature.VerifyOptions{nil, {}} {
			if err := signature.Verify(h, nil, []signature.Secret{secret}, opts); !errors.Is(err, signature.ErrTime) {
				t.Errorf("got %v, want ErrTime", err)
			}
		}
		if err := signature.Verify(h, nil, []signature.Secret{secret}, &signature.VerifyOptions{Tolerance: time.Hour}); err != nil {
			t.Error(err)
		}
	})
}

func parse(t testing.TB, text string) signature.Secret {
	t.Helper()
	s, err := signature.ParseSecret(text)
	if err != nil {
		t.Fatal(err)
	}
	return s
}
