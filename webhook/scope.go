package webhook

import "unicode/utf8"

// MaxID is the largest size of a database, collection or record ID, in bytes.
const MaxID = 255

// A Scope is a place in the host's data: a database, a collection (a layer of
// subprofiles under profiles), or a collection of one database. Either may be
// empty. IDs are the host's own and opaque.
type Scope struct {
	Database   string
	Collection string
}

// validateID checks the ID of a database or collection. Zero is no ID: on the wire 0
// means unbound.
func validateID(field, id string) error {
	switch {
	case id == "":
		return Invalid(field, "is missing")
	case id == "0":
		return Invalid(field, `"0" means none and cannot be an ID`)
	}
	return validateText(field, id, MaxID)
}

// validateText checks a short text: valid UTF-8 of at most limit bytes.
func validateText(field, text string, limit int) error {
	if len(text) > limit {
		return Invalid(field, "has %d bytes, at most %d are allowed", len(text), limit)
	}
	if !utf8.ValidString(text) {
		return Invalid(field, "is not valid UTF-8: %q", clip(text))
	}
	return nil
}
