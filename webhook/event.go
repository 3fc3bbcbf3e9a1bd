package webhook

import "time"

// MaxEventID is the largest size of an event ID, in bytes.
const MaxEventID = 128

// MaxMessage is the largest size of a message, in bytes.
const MaxMessage = 1 << 20

// An Event tells of one change of one record.
type Event struct {
	// ID is the idempotency key: an ID dispatched twice is one event, for as
	// long as the first is kept. Letters, digits and any of "-_:", at most
	// MaxEventID bytes. Filled in with a UUIDv7 when empty.
	ID string

	// Sequence is the event's number in the outbox. It only grows; it is
	// assigned by the store and ignored by Dispatch.
	Sequence int64

	// Action is what happened: ActionCreate, ActionUpdate or ActionDelete.
	Action Action

	// Database is where the changed record lives. Collection is set when the
	// record that changed is a subprofile.
	Database   string
	Collection string

	// Cause is set where the change was made because of an earlier event, as when a
	// receiver writes back; nil where it was not, or is not known. It keeps loops from
	// running for ever: see MaxHops.
	Cause *Cause

	// Trigger is the host's word for what caused the change, such as "rest" or
	// "import". May be empty. At most MaxID bytes.
	Trigger string

	// Time is when the change happened. Filled in with the current time, to the
	// millisecond, when zero.
	Time time.Time

	// Profile is the state after the change; for a delete, the last state. When
	// a subprofile changed, it is the subprofile's parent.
	Profile Record

	// Subprofile is the state of the changed subprofile: set if, and only if,
	// Collection is.
	Subprofile *Record

	// Previous is the record that changed, as it was before. Nil for a create.
	// For an update nil means unknown: every field then counts as changed. For a
	// delete it is not needed, and ignored.
	Previous *Record
}

// A Cause is the event that led to a change: both of its values are in the message
// that the receiver got.
type Cause struct {
	Event string // its ID, the message's event
	Hops  int    // its number of hops, the message's hops; 0 where the message has none
}

// MaxHops is how many hops away from its first cause a change may be for callbacks to
// fire.
const MaxHops = 5

// Hops returns how many events led to this one: 0 where it has no known cause.
func (e *Event) Hops() int {
	if e.Cause == nil {
		return 0
	}
	return e.Cause.Hops + 1
}

// A Record is the state of a profile or subprofile.
//
// Values of fields are nil, bool, every integer type, float32 and float64 (no
// NaN, no infinity), json.Number, string, time.Time, and []any and
// map[string]any of these, nested at most MaxDepth deep.
type Record struct {
	ID        string
	Fields    map[string]any
	Interests []string

	// Created and Modified are left out of messages when zero.
	Created  time.Time
	Modified time.Time
}

// Scope returns where the changed record lives.
func (e *Event) Scope() Scope { return Scope{e.Database, e.Collection} }

// Record returns the record that changed: the subprofile when there is one, the
// profile otherwise.
func (e *Event) Record() *Record {
	if e.Collection != "" && e.Subprofile != nil {
		return e.Subprofile
	}
	return &e.Profile
}

// Before returns the record as it was before the change: nothing for a create,
// for a delete the last state, nil also where an update does not say.
func (e *Event) Before() *Record {
	switch e.Action {
	case ActionUpdate:
		return e.Previous
	case ActionDelete:
		return e.Record()
	}
	return nil
}

// Validate checks the event. Errors match [ErrInvalid] and name the field.
// Empty ID and zero Time are valid: Dispatch fills them in.
func (e *Event) Validate() error {
	if err := validateEventID("ID", e.ID); err != nil {
		return err
	}
	switch e.Action {
	case ActionCreate, ActionUpdate, ActionDelete:
	default:
		return Invalid("action", "is %q, use create, update or delete", clip(string(e.Action)))
	}
	if err := validateID("database", e.Database); err != nil {
		return err
	}
	if err := validateText("trigger", e.Trigger, MaxID); err != nil {
		return err
	}
	if err := e.Cause.validate(); err != nil {
		return err
	}
	if err := validateTime("time", e.Time); err != nil {
		return err
	}
	if err := e.Profile.validate("profile"); err != nil {
		return err
	}
	if e.Collection == "" {
		if e.Subprofile != nil {
			return Invalid("subprofile", "is set without a collection")
		}
	} else {
		if err := validateID("collection", e.Collection); err != nil {
			return err
		}
		if e.Subprofile == nil {
			return Invalid("subprofile", "is missing: a change in a collection is the change of a subprofile")
		}
		if err := e.Subprofile.validate("subprofile"); err != nil {
			return err
		}
	}
	if e.Previous == nil || e.Action == ActionDelete {
		return nil
	}
	if e.Action == ActionCreate {
		return Invalid("previous", "is set on a create: nothing was there before")
	}
	if e.Previous.ID != "" && e.Previous.ID != e.Record().ID {
		return Invalid("previous.ID", "is not the ID of the record that changed")
	}
	return under("previous", e.Previous.validateState())
}

// validate checks a record that goes by the given name.
func (r *Record) validate(name string) error {
	if r.ID == "" {
		return Invalid(name+".ID", "is missing")
	}
	if err := validateText("ID", r.ID, MaxID); err != nil {
		return under(name, err)
	}
	return under(name, r.validateState())
}

// validateState checks what a record has beside its ID. It names no record in its
// errors: putting names together takes time, and hardly ever is there an error.
func (r *Record) validateState() error {
	checker := valueChecker{room: MaxMessage}
	for name, value := range r.Fields {
		if err := validateName("fields", name); err != nil {
			return err
		}
		if err := checker.check(value, 1); err != nil {
			return err.under("fields." + clip(name))
		}
	}
	for _, interest := range r.Interests {
		if err := validateText("interests", interest, MaxMessage); err != nil {
			return err
		}
	}
	if err := validateTime("created", r.Created); err != nil {
		return err
	}
	return validateTime("modified", r.Modified)
}

// under returns an error of a record's validation with the record's name before that of
// the field, if there is one.
func under(record string, err error) error {
	if invalid, ok := err.(*InvalidError); ok && invalid.Field != "" {
		invalid.Field = record + "." + invalid.Field
	}
	return err
}

func (c *Cause) validate() error {
	switch {
	case c == nil:
		return nil
	case c.Event == "":
		return Invalid("cause.event", "is missing: it is the event property of the message")
	case c.Hops < 0 || c.Hops > 1<<30:
		return Invalid("cause.hops", "is %d: it is the hops property of the message", c.Hops)
	}
	return validateEventID("cause.event", c.Event)
}

func validateEventID(field, id string) error {
	if len(id) > MaxEventID {
		return Invalid(field, "has %d bytes, at most %d are allowed", len(id), MaxEventID)
	}
	// The ID becomes part of the webhook-id header, of what is signed
	// (id.timestamp.body, so no full stop), and of URLs.
	for i := range len(id) {
		if !idByte(id[i]) {
			return Invalid(field, `may hold letters, digits and any of "-_:" only`)
		}
	}
	return nil
}

func idByte(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' ||
		c == '-' || c == '_' || c == ':'
}

// validateTime checks that t can be written as RFC 3339.
func validateTime(field string, t time.Time) error {
	if t.IsZero() {
		return nil // is in the year 1
	}
	if y := t.UTC().Year(); y < 0 || y > 9999 {
		return Invalid(field, "is in the year %d, RFC 3339 has the years 0 to 9999", y)
	}
	return nil
}
