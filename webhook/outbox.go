package webhook

import "context"

// An Outbox takes events in and keeps them until they are fanned out: replaced by
// the deliveries they give rise to.
type Outbox interface {
	Dispatcher

	// Pending returns events that are not fanned out, in the order of their sequence
	// and without a gap: no event of a record is passed over for a later one. What was
	// dispatched with the ID of another may be among them: FanOut passes it over. With
	// them, read at the same instant, comes the registry's revision.
	Pending(ctx context.Context, r PendingRequest) (PendingEvents, error)

	// Listeners returns the active callbacks that may hear of a change in the scope,
	// in order of creation. For a profile's scope (no collection) these are the
	// callbacks bound to the database alone; for a subprofile's those bound to the
	// collection, of that database or of any. Those that can't be read are left out,
	// and an error that matches ErrDamaged says so.
	Listeners(ctx context.Context, scope Scope) (Listeners, error)

	// FanOut takes events off the outbox and writes their deliveries, in one
	// transaction. An event that is fanned out already is passed over, and so is a
	// target whose callback is gone or disabled. Of events with the same ID the first
	// is fanned out, and nothing comes of the others while it is kept: no deliveries and
	// no failures. A delivery is born waiting when an open one to the same callback about
	// the same record exists that was neither passed nor replayed, otherwise ready and
	// due at once.
	FanOut(ctx context.Context, expansions []Expansion) error

	// Watch calls wake, in its own goroutine, once when it begins and then soon
	// after anything may have been appended, committed or made ready, or a callback
	// was changed or deleted, by whatever process, until ctx ends; then it returns nil.
	// wake does not block; calling it in vain does no harm. That a retry comes due is
	// not watched.
	Watch(ctx context.Context, wake func()) error
}

// A PendingRequest says how many events are wanted.
type PendingRequest struct {
	// After is the sequence behind which to begin.
	After int64
	// Limit is how many events to return at most, LimitBytes how many bytes their
	// encoded forms may have together. The first is returned whatever its size.
	Limit      int
	LimitBytes int
}

// PendingEvents are events not yet fanned out.
type PendingEvents struct {
	Events []Event
	// Damaged are those, between the others, that could not be decoded.
	Damaged []DamagedEvent
	// Revision grows with every change of any callback's definition. Listeners
	// read at an older revision must be read again before they decide about
	// these events.
	Revision int64
	// More is set when the limits have cut the events off.
	More bool
}

// A DamagedEvent is what is known of an event that could not be decoded.
type DamagedEvent struct {
	Sequence int64
	ID       string
	Scope    Scope
	Action   Action
}

// Listeners are the callbacks of a scope as of a revision of the registry.
type Listeners struct {
	Callbacks []Callback
	Revision  int64
}

// An Expansion is what one event fans out to.
type Expansion struct {
	Sequence int64
	// Event is the event as Pending has returned it, for the store to read only: what it
	// needs of it, it need not look up. Nil where that is not at hand.
	Event *Event
	// Messages are the event's bodies, in the formats that the targets use. They are
	// not written to any more: what is claimed may share them.
	Messages Messages
	// Targets are the deliveries to write; none takes the event off the outbox.
	Targets []Target
	// Failures are the callbacks whose condition failed on the event: each is
	// counted and kept as the callback's ExpressionError, which changes neither
	// its version nor the registry's revision.
	Failures []ExpressionFailure
}

// Messages are the bodies of an event, nil in a format that is not used.
type Messages struct{ JSON, XML []byte }

// In returns the body in the format of a method.
func (m *Messages) In(method Method) []byte {
	if method == MethodXML {
		return m.XML
	}
	return m.JSON
}

// Set sets the body in the format of a method.
func (m *Messages) Set(method Method, body []byte) {
	if method == MethodXML {
		m.XML = body
	} else {
		m.JSON = body
	}
}

// An ExpressionFailure is a callback whose condition failed, and how. It is passed
// over when the callback's version has changed since: the condition may be another.
type ExpressionFailure struct {
	Callback string
	Version  int64
	Message  string
}

// A Target is one delivery to be.
type Target struct {
	Callback string
	Method   Method
	Encoding Encoding
	// Dead is set where the delivery can't be attempted and says why: then it is
	// born dead.
	Dead string
}
