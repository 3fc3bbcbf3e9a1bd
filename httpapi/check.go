package httpapi

import (
	"strings"
	"unicode/utf8"

	"github.com/ringback-dev/ringback/webhook"
)

// checkID checks an ID that names a database, a collection or a callback.
func checkID(field, id string) error {
	switch {
	case id == "" || id == "0":
		return webhook.Invalid(field, `is missing: 0 and "" mean none`)
	case len(id) > webhook.MaxID:
		return webhook.Invalid(field, "has %d bytes, at most %d are allowed", len(id), webhook.MaxID)
	}
	return checkText(field, id)
}

// checkRecord checks the ID of a record.
func checkRecord(id string) error {
	switch {
	case id == "":
		return webhook.Invalid("record", "is missing: give the ID of a record")
	case len(id) > webhook.MaxID:
		return webhook.Invalid("record", "has %d bytes, at most %d are allowed", len(id), webhook.MaxID)
	}
	return checkText("record", id)
}

// checkText refuses what not every store can keep and not every receiver can be
// sent.
func checkText(field, text string) error {
	if !utf8.ValidString(text) {
		return webhook.Invalid(field, "is not valid UTF-8")
	}
	if strings.ContainsRune(text, 0) {
		return webhook.Invalid(field, "must not contain the character NUL")
	}
	return nil
}
