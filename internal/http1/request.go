package http1

import (
	"strconv"
	"strings"
)

// AppendRequest appends a request as Post sends it.
func (t *Target) AppendRequest(b []byte, fields []Field, body []byte) ([]byte, error) {
	b, err := t.appendHead(b, fields, len(body))
	if err != nil {
		return b, err
	}
	return append(b, body...), nil
}

// appendHead appends a request up to its body, of the given length.
func (t *Target) appendHead(b []byte, fields []Field, length int) ([]byte, error) {
	b, err := appendFields(append(b, t.head...), fields)
	if err != nil {
		return b, err
	}
	b = append(b, "Content-Length: "...)
	b = strconv.AppendInt(b, int64(length), 10)
	return append(b, "\r\n\r\n"...), nil
}

func appendFields(b []byte, fields []Field) ([]byte, error) {
	for i := range fields {
		name, value := fields[i].Name, fields[i].Value
		if err := checkName(name); err != nil {
			return b, err
		}
		if !validValue(value) {
			return b, badRequest("the value of the field %s has a control character", name)
		}
		b = append(b, name...)
		b = append(b, ": "...)
		b = append(b, value...)
		b = append(b, "\r\n"...)
	}
	return b, nil
}

// own are the fields that only this package may write: they frame the request, or ask
// for an exchange that it does not make.
var own = []string{"Host", "Content-Length", "Transfer-Encoding", "Connection", "Expect", "Upgrade"}

func checkName(name string) error {
	if !validName(name) {
		return badRequest("%q is no field name", name)
	}
	for _, other := range own {
		if len(name) == len(other) && strings.EqualFold(name, other) {
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
