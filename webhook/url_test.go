package webhook_test

import (
	"bufio"
	"bytes"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/ringback-dev/ringback/webhook"
)

var goodURLs = []string{
	"http://example.com",
	"https://example.com/",
	"HTTPS://Example.COM/Path?a=b&c=%20d",
	"http://example.com:1/", "http://example.com:65535",
	"http://localhost:8080/script.php?x=1",
	"http://192.0.2.1/", "http://[2001:db8::1]/", "http://[2001:db8::1]:8443/hook",
	"http://www.callback.com/script.php",
	"https://b\u00fccher.example/\u540d?q=\u540d",
	"https://a_b.example/", "https://example.com./",
	"http://example.com/?next=http://user@other/",
	"http://example.com/a%2Fb;c=d,e?%",
}

var badURLs = []string{
	"example.com", "/path", "//example.com/", "?", ":", "http", "http:", "http:/", "http://", "http:///path",
	"http:example.com", "http:/example.com", "https://?query", "http://:80/", "http://[]/", "http://[::1", "http://::1/",
	"ftp://example.com/", "javascript:alert(1)", "file:///etc/passwd", "httpx://example.com", "unix://socket",
	"http%3A%2F%2Fexample.com",
	"http://user@example.com/", "http://user:secret@example.com/", "http://@example.com/", "http://:@example.com",
	"http://example.com/#", "http://example.com/#fragment", "http://example.com#@other",
	"http://example.com:/", "http://example.com:0/", "http://example.com:65536/", "http://example.com:-1/",
	"http://example.com:http/", "http://example.com:80:80/", "http://[2001:db8::1]:0/", "http://[2001:db8::1]:/",
	"http://[fe80::1%25eth0]/", "http://[fe80::1%eth0]/",
	" http://example.com/", "http://example.com/ ", "http://exa mple.com/", "http://example.com/a b", "http://example.com/?a b",
	"http://example.com/\n", "http://example.com/\r\nHost: other", "http://example.com/\x00", "\thttp://example.com/",
	"http://example.com/%zz", "http://ex%41mple.com/", "http://%e4/", "http://example.com\\@other/",
	"http://a\"b/", "http://<host>/", "http://a]/", "http://example.com/\xff",
	"http://example.com/" + strings.Repeat("a", webhook.MaxURL),
}

func TestURL(t *testing.T) {
	longest := "http://example.com/"
	longest += strings.Repeat("a", webhook.MaxURL-len(longest))
	for _, raw := range append(goodURLs, longest) {
		c := callback(func(c *webhook.Callback) { c.URL = raw })
		if err := c.Validate(); err != nil {
			t.Errorf("%q: %v", raw, err)
		}
		checkURL(t, raw)
	}
	for _, raw := range badURLs {
		t.Run(raw, func(t *testing.T) {
			c := callback(func(c *webhook.Callback) { c.URL = raw })
			checkInvalid(t, c.Validate(), "url")
		})
	}
}

// FuzzURL: whatever is accepted keeps the rules, and net/http can send it.
func FuzzURL(f *testing.F) {
	for _, raw := range append(goodURLs, badURLs...) {
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		c := callback(func(c *webhook.Callback) { c.URL = raw })
		if err := c.Validate(); err != nil {
			checkInvalid(t, err, "url")
			return
		}
		checkURL(t, raw)
	})
}

// checkURL checks what has to be true of an accepted URL.
func checkURL(t *testing.T, raw string) {
	t.Helper()
	u, err := url.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	if u.Scheme != "http" && u.Scheme != "https" {
		t.Errorf("%q has scheme %q", raw, u.Scheme)
	}
	if u.Hostname() == "" || u.User != nil || u.Fragment != "" || strings.Contains(raw, "#") || len(raw) > webhook.MaxURL {
		t.Errorf("%q is accepted: %#v", raw, u)
	}
	if port := u.Port(); port != "" {
		if n, err := strconv.Atoi(port); err != nil || n < 1 || n > 65535 {
			t.Errorf("%q has port %q", raw, port)
		}
	}

	request, err := http.NewRequest(http.MethodPost, raw, http.NoBody)
	if err != nil {
		t.Fatalf("%q: %v", raw, err)
	}
	var wire bytes.Buffer
	if err := request.Write(&wire); err != nil {
		if strings.HasPrefix(err.Error(), "idna:") {
			return // names are judged when they are dialled
		}
		t.Fatalf("%q: %v", raw, err)
	}
	received, err := http.ReadRequest(bufio.NewReader(&wire))
	if err != nil {
		t.Fatalf("%q is sent as %q: %v", raw, wire.String(), err)
	}
	if received.Host == "" || received.Method != http.MethodPost {
		t.Errorf("%q arrives as %s to host %q", raw, received.Method, received.Host)
	}
}
