package webhook

import (
	"net/url"
	"strconv"
	"strings"
	"unicode/utf8"
)

// MaxURL is the largest size of a callback's URL, in bytes.
const MaxURL = 2048

// validateURL checks the form of a callback's URL. Where it leads is judged by
// the engine: at registration as far as the text tells, and again when it dials.
func validateURL(raw string) error {
	const field = "url"
	if raw == "" {
		return Invalid(field, "is missing: give the absolute http or https URL to call")
	}
	if err := validateText(field, raw, MaxURL); err != nil {
		return err
	}
	if strings.Contains(raw, " ") {
		return Invalid(field, "must not contain spaces: write %%20")
	}
	u, err := url.Parse(raw)
	if err != nil {
		return Invalid(field, "cannot be parsed: give an absolute http or https URL")
	}
	if s := strings.ToLower(u.Scheme); s != "http" && s != "https" {
		return Invalid(field, "must be absolute and begin with http:// or https://")
	}
	host := u.Hostname()
	switch {
	case u.User != nil:
		return Invalid(field, "must not contain a user name or password")
	case u.Opaque != "" || host == "":
		return Invalid(field, "has no host: write it as https://host/path")
	case !utf8.ValidString(host) || strings.ContainsAny(host, `"<>[]`):
		// net/url lets these pass, net/http sends an empty Host header for them.
		return Invalid(field, "has a character in its host that no host name may have")
	case strings.Contains(raw, "#"):
		return Invalid(field, "must not contain a fragment (#…): it would never be sent")
	case strings.Contains(u.Host, "%"):
		return Invalid(field, "must not contain an address with a zone")
	}
	if port := u.Port(); port != "" || strings.HasSuffix(u.Host, ":") {
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
			return Invalid(field, "has no valid port: use a number from 1 to 65535, or leave it out")
		}
	}
	return nil
}
