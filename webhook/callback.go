package webhook

import (
	"time"
	"unicode/utf8"

	"github.com/ringback-dev/ringback/webhook/signature"
)

// The largest sizes of a condition, and of the reason why a callback is disabled, in
// bytes.
const (
	MaxExpression = 4096
	MaxReason     = 1024
)

// An Action is a kind of change.
type Action string

// The actions. A callback may be bound to any of them; an event never has
// ActionAll.
const (
	ActionAll    Action = "all"
	ActionCreate Action = "create"
	ActionUpdate Action = "update"
	ActionDelete Action = "delete"
)

// A Method is the format of a message.
type Method string

// The formats.
const (
	MethodJSON Method = "json"
	MethodXML  Method = "xml"
)

// An Encoding says how the message travels in the request.
type Encoding string

// The encodings: the message as the body itself, or as the only field (named
// after the method) of an application/x-www-form-urlencoded body.
const (
	EncodingBody Encoding = "body"
	EncodingForm Encoding = "form"
)

// A When says at which turn of its condition a callback fires. A record that is
// being created held nothing before, a deleted one holds nothing after; where an
// update does not say what was before, nothing held.
type When string

// The turns.
const (
	// WhenMatches: the condition holds for the state after the change; for a
	// delete, the last state.
	WhenMatches When = "matches"
	// WhenEnters: it holds now and did not hold before.
	WhenEnters When = "enters"
	// WhenLeaves: it held before and does not hold now.
	WhenLeaves When = "leaves"
	// WhenChanges: either of the two.
	WhenChanges When = "changes"
)

// An Ordering says what a delivery that fails does to the later ones about the same
// record.
type Ordering string

// The orderings.
const (
	// OrderingHold: they wait until it is delivered or given up.
	OrderingHold Ordering = "hold"
	// OrderingSkip: they wait until its first attempt has failed. From then on it
	// is repeated beside them.
	OrderingSkip Ordering = "skip"
)

// A State says whether a callback is at work.
type State string

// The states. A disabled callback hears nothing.
const (
	StateActive   State = "active"
	StateDisabled State = "disabled"
)

// A Callback asks for an HTTP POST on every matching change.
//
// Bound to a database alone it hears about that database's profiles. Bound to
// a collection it hears about that collection's subprofiles; bound to both, only
// about those of the one database.
type Callback struct {
	// ID is given by the store, unique over all databases, made of letters and
	// digits.
	ID string

	// Database and Collection say what the callback is bound to: at least one
	// is set, neither ever changes.
	Database   string
	Collection string

	// URL is where the POST goes: absolute, http or https, with a host, without
	// user information or fragment, at most MaxURL bytes.
	URL string

	// Expression is the JavaScript condition; empty means always. At most
	// MaxExpression bytes.
	Expression string

	// When says at which turn of the condition it fires; empty is WhenMatches.
	When When

	// Action constrains the callback to one kind of change; empty is ActionAll.
	Action Action

	// Method is the format of the message; empty is MethodJSON.
	Method Method

	// Encoding is how the message travels; empty is EncodingBody.
	Encoding Encoding

	// Ordering says what a delivery that fails does to those behind it; empty is
	// OrderingHold.
	Ordering Ordering

	// State says whether it is at work; empty is StateActive. Reason says why it is
	// disabled, and is empty while it is active. At most MaxReason bytes.
	State  State
	Reason string

	// Secret signs the messages; with the zero Secret they are not signed.
	// PreviousSecret signs them as well until PreviousUntil, so that a receiver has
	// time to learn the new one.
	Secret         signature.Secret
	PreviousSecret signature.Secret
	PreviousUntil  time.Time

	// Created and Updated are set by the store, to the millisecond.
	Created time.Time
	Updated time.Time

	// Version counts the callback's updates. An update is refused with
	// ErrConflict unless it carries the version that is stored.
	Version int64

	// After is the sequence of the last event that was appended before the
	// callback was created. It hears only later ones.
	After int64

	// ExpressionFailures counts the events on which the condition failed: it came
	// to neither a yes nor a no, and the callback did not fire. ExpressionError is
	// the last of these failures. A new expression starts at zero.
	ExpressionFailures int64
	ExpressionError    ExpressionError

	// Health is what its receiver has made of the attempts so far.
	Health Health
}

// A Health says how a callback's receiver has answered. The store keeps it, from
// what is settled.
type Health struct {
	// Successes counts the attempts that succeeded.
	Successes int64
	// Failures counts the attempts that have failed since the last one that
	// succeeded, and FailingSince is when the first of them was made; zero while
	// there is none.
	Failures     int64
	FailingSince time.Time
	// PausedUntil is until when nothing is to be sent; see [Health.Paused].
	PausedUntil time.Time
}

// MaxPause is the longest that a callback may be paused.
const MaxPause = 24 * time.Hour

// Paused reports whether nothing is to be sent at the given time. A pause that would be
// longer than MaxPause was noted by a clock that was wrong, and is none.
func (h Health) Paused(now time.Time) bool {
	return h.PausedUntil.After(now) && !h.PausedUntil.After(now.Add(MaxPause))
}

// An ExpressionError says when and how a condition last failed.
type ExpressionError struct {
	Message string
	Event   string // its ID
	Time    time.Time
}

// Scope returns what the callback is bound to.
func (c *Callback) Scope() Scope { return Scope{c.Database, c.Collection} }

// Secrets returns the secrets that sign a message at the given time, the newest
// first.
func (c *Callback) Secrets(at time.Time) []signature.Secret {
	var secrets []signature.Secret
	if c.Secret != (signature.Secret{}) {
		secrets = append(secrets, c.Secret)
	}
	if c.PreviousSecret != (signature.Secret{}) && at.Before(c.PreviousUntil) {
		secrets = append(secrets, c.PreviousSecret)
	}
	return secrets
}

// WithDefaults returns the callback with its empty action, method, encoding, when,
// ordering and state filled in.
func (c Callback) WithDefaults() Callback {
	if c.When == "" {
		c.When = WhenMatches
	}
	if c.Action == "" {
		c.Action = ActionAll
	}
	if c.Method == "" {
		c.Method = MethodJSON
	}
	if c.Encoding == "" {
		c.Encoding = EncodingBody
	}
	if c.Ordering == "" {
		c.Ordering = OrderingHold
	}
	if c.State == "" {
		c.State = StateActive
	}
	return c
}

// Validate checks everything about the callback that can be judged without an
// engine: not whether the expression compiles, and not whether the target may
// be dialled. Errors match [ErrInvalid] and name the property as it is called on
// the wire.
func (c *Callback) Validate() error {
	if c.Database == "" && c.Collection == "" {
		return Invalid("database", "a callback must be bound to a database or a collection")
	}
	if c.Database != "" {
		if err := validateID("database", c.Database); err != nil {
			return err
		}
	}
	if c.Collection != "" {
		if err := validateID("collection", c.Collection); err != nil {
			return err
		}
	}
	if err := validateURL(c.URL); err != nil {
		return err
	}
	if len(c.Expression) > MaxExpression {
		return Invalid("expression", "has %d bytes, at most %d are allowed", len(c.Expression), MaxExpression)
	}
	if !utf8.ValidString(c.Expression) {
		return Invalid("expression", "is not valid UTF-8")
	}
	switch c.When {
	case "", WhenMatches, WhenEnters, WhenLeaves, WhenChanges:
	default:
		return Invalid("when", "is %q, use matches, enters, leaves or changes", clip(string(c.When)))
	}
	switch c.Action {
	case "", ActionAll, ActionCreate, ActionUpdate, ActionDelete:
	default:
		return Invalid("action", "is %q, use all, create, update or delete", clip(string(c.Action)))
	}
	switch c.Method {
	case "", MethodJSON, MethodXML:
	default:
		return Invalid("method", "is %q, use json or xml", clip(string(c.Method)))
	}
	switch c.Encoding {
	case "", EncodingBody, EncodingForm:
	default:
		return Invalid("encoding", "is %q, use body or form", clip(string(c.Encoding)))
	}
	switch c.Ordering {
	case "", OrderingHold, OrderingSkip:
	default:
		return Invalid("ordering", "is %q, use hold or skip", clip(string(c.Ordering)))
	}
	switch c.State {
	case "", StateActive, StateDisabled:
	default:
		return Invalid("state", "is %q, use active or disabled", clip(string(c.State)))
	}
	return validateText("reason", c.Reason, MaxReason)
}

// clip keeps a value that is quoted in an error short, without cutting a
// character in two.
func clip(s string) string {
	most := 40
	if len(s) <= most {
		return s
	}
	for most > 0 && !utf8.RuneStart(s[most]) {
		most--
	}
	return s[:most] + "…"
}
