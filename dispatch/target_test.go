package dispatch_test

import (
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"

	"github.com/ringback-dev/ringback/dispatch"
	"github.com/ringback-dev/ringback/store/memory"
	"github.com/ringback-dev/ringback/webhook"
)

func TestDeniedAddresses(t *testing.T) {
	for _, address := range []string{
		"0.0.0.0", "0.1.2.3", "10.0.0.1", "100.64.0.1", "100.127.255.255", "127.0.0.1", "127.255.255.254",
		"168.63.129.16", "169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.1", "192.0.0.192", "192.0.2.1",
		"192.88.99.1", "192.168.1.1", "198.18.0.1", "198.19.255.255", "198.51.100.1", "203.0.113.1", "224.0.0.1",
		"239.255.255.255", "240.0.0.1", "255.255.255.255",
		"::", "::1", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:8.8.8.8", "::ffff:0:8.8.8.8", "64:ff9b::8.8.8.8",
		"64:ff9b:1::1", "100::1", "2001::1", "2001:10::1", "2001:db8::1", "2002:7f00:1::", "3fff::1", "5f00::1",
		"fc00::1", "fd00:ec2::254", "fe80::1", "fec0::1", "ff02::1", "4000::1",
	} {
		if dispatch.Denied(netip.MustParseAddr(address)) == "" {
			t.Errorf("%s may be called", address)
		}
	}
	for _, address := range []string{
		"8.8.8.8", "1.1.1.1", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255",
		"172.15.255.255", "172.32.0.0", "192.0.1.1", "192.167.255.255", "192.169.0.0", "198.17.255.255", "198.20.0.0",
		"223.255.255.255", "2600::1", "2606:4700::1111", "2a00:1450::1", "2001:4860:4860::8888",
	} {
		if reason := dispatch.Denied(netip.MustParseAddr(address)); reason != "" {
			t.Errorf("%s may not be called: %s", address, reason)
		}
	}
}

// What the text of a URL tells is refused when the callback is registered.
func TestCheckTarget(t *testing.T) {
	strict := mustEngine(t, nil)
	open := mustEngine(t, &dispatch.Options{Targets: dispatch.Targets{
		AllowPrivate: dispatch.AllAddresses(), AllowAllPorts: true,
	}})
	some := mustEngine(t, &dispatch.Options{Targets: dispatch.Targets{
		AllowPrivate: []netip.Prefix{netip.MustParsePrefix("10.1.0.0/16")}, AllowPorts: []uint16{8443},
	}})
	for _, test := range []struct {
		url                string
		strict, open, some bool // accepted?
	}{
		{"https://example.com/", true, true, false},
		{"http://example.com:80/", true, true, false},
		{"https://example.com:8443/", false, true, true},
		{"http://127.0.0.1/", false, true, false},
		{"http://127.0.0.1:8443/", false, true, false},
		{"http://10.1.2.3:8443/", false, true, true},
		{"http://10.2.2.3:8443/", false, true, false},
		{"http://[::1]/", false, true, false},
		{"http://[::ffff:127.0.0.1]/", false, true, false},
		{"http://[::ffff:10.1.2.3]:8443/", false, true, true},
		{"http://localhost/", true, true, false}, // a name is judged when it is dialled
		{"http://2130706433/", false, false, false},
		{"http://0x7f000001/", false, false, false},
		{"http://0177.0.0.1/", false, false, false},
		{"http://127.1/", false, false, false},
		{"http://0/", false, false, false},
		{"http://example.123/", false, false, false},
		{"http://example.123x/", true, true, false},
	} {
		for _, engine := range []struct {
			name   string
			engine *dispatch.Engine
			want   bool
		}{{"strict", strict, test.strict}, {"open", open, test.open}, {"some", some, test.some}} {
			err := engine.engine.Check(t.Context(), webhook.Callback{Database: "1", URL: test.url})
			var invalid *webhook.InvalidError
			if engine.want && err != nil || !engine.want && (!errors.As(err, &invalid) || invalid.Field != "url") {
				t.Errorf("%s, %s: %v, want accepted: %v", test.url, engine.name, err, engine.want)
			}
		}
	}
}

func mustEngine(t *testing.T, o *dispatch.Options) *dispatch.Engine {
	t.Helper()
	engine, err := dispatch.New(memory.New(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(engine.Transport().CloseIdleConnections)
	return engine
}

// However a name is written and whichever resolver reads it, the address that would
// be connected to is what counts.
func TestDialIsRefused(t *testing.T) {
	reached := false
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached = true }))
	defer server.Close()
	_, port, _ := net.SplitHostPort(server.Listener.Addr().String())
	engine := mustEngine(t, &dispatch.Options{Targets: dispatch.Targets{AllowAllPorts: true}})
	for _, preferGo := range []bool{false, true} {
		net.DefaultResolver.PreferGo = preferGo
		defer func() { net.DefaultResolver.PreferGo = false }()
		for _, host := range []string{
			"127.0.0.1", "localhost", "2130706433", "0x7f000001", "0177.0.0.1", "127.1", "0",
			"①②⑦.⓪.⓪.①", "127。0。0。1", "[::1]", "[::ffff:127.0.0.1]", "[::]", "0.0.0.0",
		} {
			u := url.URL{Scheme: "http", Host: host + ":" + port}
			response, err := (&http.Client{Transport: engine.Transport()}).Get(u.String())
			if err == nil {
				response.Body.Close()
				t.Errorf("%s was called (Go's resolver: %v)", host, preferGo)
			}
		}
	}
	if reached {
		t.Error("the server was reached")
	}
}

// The reason does not tell which address a name resolves to.
func TestRefusalKeepsTheAddress(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()
	_, port, _ := net.SplitHostPort(server.Listener.Addr().String())
	r := deliverOnce(t, "http://localhost:"+port+"/", &dispatch.Options{Targets: dispatch.Targets{AllowAllPorts: true}})
	if !strings.Contains(r.Error, "may not be called") || strings.Contains(r.Error, "127.") || strings.Contains(r.Error, "::") {
		t.Errorf("the attempt says %q", r.Error)
	}
}
