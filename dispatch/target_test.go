package dispatch_test

import (
	"bytes"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

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
	return engine
}

// However a name is written and whichever resolver reads it, the address that would
// be connected to is what counts. The system's own resolver takes for an address what
// Go's does not. Go decides between the two once in a process, so that the test starts
// others.
func TestDialIsRefused(t *testing.T) {
	const child = "DISPATCH_TEST_RESOLVER"
	if resolver := os.Getenv(child); resolver != "" {
		refuseForms(t, resolver)
		return
	}
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, resolver := range []string{"cgo", "go"} {
		command := exec.CommandContext(t.Context(), program, "-test.run=^TestDialIsRefused$")
		command.Env = append(os.Environ(), child+"="+resolver, "GODEBUG=netdns="+resolver)
		if output, err := command.CombinedOutput(); err != nil || !bytes.Contains(output, []byte("PASS")) {
			t.Errorf("%s: %v: %s", resolver, err, output)
		}
	}
}

// refuseForms checks that no way of writing this machine's address leads to it.
func refuseForms(t *testing.T, resolver string) {
	var reached atomic.Bool
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached.Store(true) }))
	defer server.Close()
	_, port, _ := net.SplitHostPort(server.Listener.Addr().String())
	addresses := []string{"127.0.0.1", "localhost", "LocalHost", "[::1]", "[::ffff:127.0.0.1]", "[::]", "0.0.0.0"}
	numbers := []string{"2130706433", "0x7f000001", "0177.0.0.1", "127.1", "0"}
	wide := []string{"①②⑦.⓪.⓪.①", "127。0。0。1", "１２７.０.０.１"} // no names at all, unless somebody maps them
	for _, host := range slices.Concat(addresses, numbers, wide) {
		a := deliverOnce(t, "http://"+host+":"+port+"/", &dispatch.Options{
			Timeout: 5 * time.Second, Targets: dispatch.Targets{AllowAllPorts: true},
		})
		refused := strings.Contains(a.Error, "may not be called")
		nameless := slices.Contains(wide, host) || resolver == "go" && slices.Contains(numbers, host)
		unknown := nameless && strings.Contains(a.Error, "host name")
		if !refused && !unknown {
			t.Errorf("%s: %d %q", host, a.Status, a.Error)
		}
	}
	if reached.Load() {
		t.Error("the server was reached")
	}
}

// A name that the host allows may be called although its address is private; the address
// itself, and other names for it, may not.
func TestAllowHosts(t *testing.T) {
	var reached atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached.Add(1) }))
	defer server.Close()
	_, port, _ := net.SplitHostPort(server.Listener.Addr().String())
	for _, test := range []struct {
		host    string
		allow   []string
		reached bool
	}{
		{"localhost", []string{"crm.internal", "localhost"}, true},
		{"LOCALhost", []string{"localHOST"}, true},
		{"127.0.0.1", []string{"localhost"}, false},
		{"[::1]", []string{"localhost"}, false},
		{"localhost", []string{"host"}, false},
		{"localhost", []string{"localhost.internal"}, false},
		{"localhost", nil, false},
	} {
		reached.Store(0)
		a := deliverOnce(t, "http://"+test.host+":"+port+"/", &dispatch.Options{
			Timeout: 5 * time.Second, Targets: dispatch.Targets{AllowHosts: test.allow, AllowAllPorts: true},
		})
		if got := reached.Load() == 1; got != test.reached || got != (a.Status == 200) ||
			!got && !strings.Contains(a.Error, "may not be called") {
			t.Errorf("%s where %q may be called: reached %v, %d %q", test.host, test.allow, got, a.Status, a.Error)
		}
	}

	a := deliverOnce(t, "http://localhost:"+port+"/", &dispatch.Options{Targets: dispatch.Targets{AllowHosts: []string{"localhost"}}})
	if !strings.Contains(a.Error, "port "+port+" is not allowed") {
		t.Errorf("on another port: %q", a.Error)
	}
}

// Where only https may be called, another URL is refused at registration, and one that
// was registered before is not called.
func TestHTTPSOnly(t *testing.T) {
	targets := anyTarget
	targets.HTTPSOnly = true
	o := &dispatch.Options{Targets: targets}
	engine := mustEngine(t, o)
	for url, want := range map[string]bool{
		"https://example.com/": true, "HTTPS://example.com/": true, "https://10.0.0.1:8443/": true,
		"http://example.com/": false, "HTTP://example.com/": false, "http://example.com:443/": false, "http://10.0.0.1/": false,
	} {
		err := engine.Check(t.Context(), webhook.Callback{Database: "788", URL: url})
		var invalid *webhook.InvalidError
		if want && err != nil || !want && (!errors.As(err, &invalid) || invalid.Field != "url") {
			t.Errorf("%s: %v, want accepted: %v", url, err, want)
		}
	}
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the server was reached") }))
	defer server.Close()
	if a := deliverOnce(t, server.URL, o); a.Error != "the target may not be called: only https is allowed" {
		t.Errorf("the attempt says %q", a.Error)
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
