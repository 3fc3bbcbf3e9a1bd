package signature_test

import (
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/ringback-dev/ringback/webhook/signature"
)

// A receiver verifies the whole body before it believes anything in it.
func ExampleVerify() {
	secret := signature.NewSecret() // in life: ParseSecret of what the sender gave
	receive := func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 4<<20))
		if err != nil {
			http.Error(w, "cannot read the body", http.StatusBadRequest)
			return
		}
		if err := signature.Verify(r.Header, body, []signature.Secret{secret}, nil); err != nil {
			log.Println(err)
			http.Error(w, "not signed by the sender", http.StatusUnauthorized)
			return
		}
		fmt.Printf("%s: %s\n", r.Header.Get(signature.HeaderID), body)
	}

	const message = `{"action":"create"}`
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(message))
	signature.Sign(r.Header, "e1_21", time.Now(), []byte(message), secret)
	receive(httptest.NewRecorder(), r)
	// Output: e1_21: {"action":"create"}
}
