package http1

import (
	"bufio"
	"bytes"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"
)

// A Field is a header field of a request.
type Field struct{ Name, Value string }

// An origin is whom a connection leads to.
type origin struct {
	secure     bool
	host, port string
}

func (o origin) address() string { return net.JoinHostPort(o.host, o.port) }

// A Target is where requests go, and what all of them begin with, checked and written
// once. It does not change, and may be used by many goroutines at the same time.
type Target struct {
	origin
	head []byte // a request up to the fields of its own
}

// NewTarget returns the target of requests to a URL that all have these fields, in this
// order. Host and Content-Length are written by this package. What cannot be sent is
// ErrRequest.
func NewTarget(u *url.URL, fields ...Field) (*Target, error) {
	origin, host, err := originOf(u)
	if err != nil {
		return nil, err
	}
	uri := u.RequestURI()
	if !strings.HasPrefix(uri, "/") {
		return nil, badRequest("the path of the URL does not begin with a slash")
	}
	for i := range len(uri) {
		if uri[i] <= ' ' || uri[i] == 0x7f {
			return nil, badRequest("the path or query of the URL has a space or control character")
		}
	}
	head, err := appendFields([]byte("POST "+uri+" HTTP/1.1\r\nHost: "+host+"\r\n"), fields)
	if err != nil {
		return nil, err
	}
	return &Target{origin, slices.Clip(head)}, nil
}

// originOf returns whom a URL leads to, and the value of the Host field.
func originOf(u *url.URL) (o origin, field string, err error) {
	switch u.Scheme {
	case "http":
		o.port = "80"
	case "https":
		o.secure, o.port = true, "443"
	default:
		return o, "", badRequest("the URL is neither http nor https")
	}
	host := u.Host
	if !isASCII(host) {
		if host, err = toASCII(host); err != nil {
			return o, "", err
		}
	}
	for i := range len(host) {
		if !hostByte[host[i]] {
			return o, "", badRequest("the host of the URL has a character that no host may have")
		}
	}
	ascii := url.URL{Host: host}
	if o.host = ascii.Hostname(); o.host == "" || u.Opaque != "" {
		return o, "", badRequest("the URL has no host")
	}
	if port := ascii.Port(); port != "" {
		o.port = port
	}
	return o, strings.TrimSuffix(host, ":"), nil
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
