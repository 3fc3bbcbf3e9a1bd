package http1

import (
	"bufio"
	"bytes"
	"net"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"
)

// An origin is whom a connection leads to.
type origin struct {
	secure     bool
	host, port string
}

func (o origin) address() string { return net.JoinHostPort(o.host, o.port) }

// A target is where a request goes.
type target struct {
	origin
	field string // the value of the Host field
}

func newTarget(u *url.URL) (target, error) {
	var t target
	switch u.Scheme {
	case "http":
		t.port = "80"
	case "https":
		t.secure, t.port = true, "443"
	default:
		return t, badRequest("the URL is neither http nor https")
	}
	host := u.Host
	if !isASCII(host) {
		var err error
		if host, err = toASCII(host); err != nil {
			return t, err
		}
	}
	for i := range len(host) {
		if !hostByte[host[i]] {
			return t, badRequest("the host of the URL has a character that no host may have")
		}
	}
	ascii := url.URL{Host: host}
	if t.host = ascii.Hostname(); t.host == "" || u.Opaque != "" {
		return t, badRequest("the URL has no host")
	}
	if port := ascii.Port(); port != "" {
		t.port = port
	}
	t.field = strings.TrimSuffix(host, ":")
	return t, nil
}

// hostByte holds the bytes of a host and port (RFC 3986, 3.2.2), less the percent sign:
// what it would encode is no host name, and zones are not for others to see.
var hostByte = byteSet("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~!$&'()*+,;=:[]")

func byteSet(bytes string) (set [256]bool) {
	for i := range len(bytes) {
		set[bytes[i]] = true
	}
	return set
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// toASCII returns the form in which an international host name is resolved (RFC 5891,
// 4.4), in lower case. The coding is in net/http, which shows it in requests it writes.
func toASCII(host string) (string, error) {
	invalid := badRequest("the host of the URL is not a valid international name")
	if !utf8.ValidString(host) {
		return "", invalid
	}
	var written bytes.Buffer
	request := http.Request{URL: &url.URL{Host: strings.ToLower(host)}}
	if err := request.Write(&written); err != nil {
		return "", invalid
	}
	read, err := http.ReadRequest(bufio.NewReader(&written))
	if err != nil || read.Host == "" {
		return "", invalid
	}
	return read.Host, nil
}
