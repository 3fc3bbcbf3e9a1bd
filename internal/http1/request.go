package http1

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// appendHead appends a request up to its body, of the given length.
func appendHead(b []byte, u *url.URL, host string, header http.Header, length int) ([]byte, error) {
	uri := u.RequestURI()
	if !strings.HasPrefix(uri, "/") {
		return b, badRequest("the path of the URL does not begin with a slash")
	}
	for i := range len(uri) {
		if uri[i] <= ' ' || uri[i] == 0x7f {
			return b, badRequest("the path or query of the URL has a space or control character")
		}
	}
	b = append(b, "POST "...)
	b = append(b, uri...)
	b = append(b, " HTTP/1.1\r\nHost: "...)
	b = append(b, host...)
	b = append(b, "\r\n"...)
	var room [16]string
	names := room[:0]
	for name := range header {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		if err := checkName(name); err != nil {
			return b, err
		}
		for _, value := range header[name] {
			if !validValue(value) {
				return b, badRequest("the value of the field %s has a control character", name)
			}
			b = append(b, name...)
			b = append(b, ": "...)
			b = append(b, value...)
			b = append(b, "\r\n"...)
		}
	}
	b = append(b, "Content-Length: "...)
	b = strconv.AppendInt(b, int64(length), 10)
	return append(b, "\r\n\r\n"...), nil
}

// own are the fields that only this package may write: they frame the request, or ask
// for an exchange that it does not make.
var own = []string{"Host", "Content-Length", "Transfer-Encoding", "Connection", "Expect", "Upgrade"}

func checkName(name string) error {
	if !validName(name) {
		return badRequest("%q is no field name", name)
	}
	for _, other := range own {
		if strings.EqualFold(name, other) {
			return badRequest("the field %s cannot be given", other)
		}
	}
	return nil
}

// validName reports whether a field's name is a token (RFC 9110, 5.1 and 5.6.2).
func validName[T string | []byte](name T) bool {
	for i := range len(name) {
		if !tokenByte[name[i]] {
			return false
		}
	}
	return len(name) > 0
}

var tokenByte = byteSet("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")

// validValue reports whether a field's value has no control characters but tabs
// (RFC 9110, 5.5).
func validValue[T string | []byte](value T) bool {
	for i := range len(value) {
		if b := value[i]; b < ' ' && b != '\t' || b == 0x7f {
			return false
		}
	}
	return true
}
