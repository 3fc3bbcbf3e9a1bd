package webhook

import (
	"context"
	"time"
)

// A History shows what became of events, repeats it, and forgets.
type History interface {
	// Delivery returns one delivery, or ErrNotFound.
	Delivery(ctx context.Context, id string) (Delivery, error)

	// Deliveries returns a page of deliveries, latest event first.
	Deliveries(ctx context.Context, q DeliveryQuery) (DeliveryPage, error)

	// Attempts returns the last attempts of a delivery, up to MaxAttempts of them, in
	// their order; or ErrNotFound.
	Attempts(ctx context.Context, id string) ([]Attempt, error)

	// Replay makes a delivery that has ended open again, as a replayed one with all
	// its attempts before it, and returns it. It is then waiting when an open replayed
	// one to the same callback about the same record exists that was not passed,
	// otherwise ready and due at once. One that is open stays as it is. It returns ErrNotFound, ErrDisabled, or
	// an error that matches ErrInvalid where there is no message to send.
	Replay(ctx context.Context, id string) (Delivery, error)

	// StartReplay asks for every delivery of a callback that has ended, and that the
	// request selects, to be replayed in the order of their events. The request is
	// durable; ContinueReplays does what it asks for. Deliveries of events that are
	// appended later are not selected. It returns how many are; ErrNotFound,
	// ErrDisabled, or ErrLimit where MaxReplays requests for the callback are open.
	StartReplay(ctx context.Context, r ReplayRequest) (selected int, err error)

	// ContinueReplays replays up to limit deliveries that were asked for by
	// StartReplay, in one transaction, and reports whether there may be more. The
	// requests for one callback are met one after the other, and the callbacks take
	// turns from call to call: none waits for all of another.
	// Those that are gone, open, or have no message are passed over. When a callback
	// is deleted or disabled the requests for it end.
	ContinueReplays(ctx context.Context, limit int) (more bool, err error)

	// Prune removes what has been kept long enough, a few events at a time so
	// that it never holds writers up.
	Prune(ctx context.Context, r PruneRequest) (PruneResult, error)

	// Purge removes every event about a record, in whatever state, with its messages,
	// deliveries and attempts, and for a profile every event about a subprofile of
	// it: their messages hold the profile. What is pending and repeats one of them goes
	// with it. It returns how many events it removed. What a worker has in hand may still
	// go out. The events are removed a few at a time; after an error some may be left.
	Purge(ctx context.Context, scope Scope, record string) (events int, err error)
}

// MaxAttempts is how many attempts of a delivery are kept, MaxReplays how many requests
// to replay deliveries of a callback may be open.
const (
	MaxAttempts = 100
	MaxReplays  = 100
)

// A DeliveryQuery selects deliveries; its empty fields do not constrain.
type DeliveryQuery struct {
	Callback string
	State    DeliveryState
	// Record is the ID of the record that changed.
	Record string
	// Since and Until select by when the event was fanned out: from Since on, and
	// before Until.
	Since, Until time.Time
	// Start is how many to pass over, Limit how many to return at most (at
	// least 1).
	Start, Limit int
	// WithTotal asks for the total.
	WithTotal bool
}

// A DeliveryPage is the answer to a [DeliveryQuery].
type DeliveryPage struct {
	Deliveries []Delivery
	// Total counts all that are selected; 0 unless asked for.
	Total int
}

// A ReplayRequest selects deliveries of a callback.
type ReplayRequest struct {
	Callback string
	// Since selects those whose event was fanned out then or later.
	Since time.Time
	// State is DeliveryDelivered, DeliveryDead, or empty for both.
	State DeliveryState
}

// A PruneRequest asks for one step of a walk over the events in the order of their
// sequence. The walk is at its end when it meets an event too young for anything of it
// to be removed: those behind it are younger still. (One from the future, after a clock
// was set back, is passed over; and the walk goes on while deliveries of callbacks that
// were deleted are left.)
type PruneRequest struct {
	// After is the sequence behind which to go on; 0 begins.
	After int64
	// Limit is how many events to look at.
	Limit int
	// Deliveries that were delivered before Delivered, or were dead before Dead,
	// are removed with their attempts. An event is removed, and its ID may be used
	// again, when it is fanned out, was appended before Delivered, has no delivery
	// left and is not repeated by one that is pending.
	Delivered time.Time
	Dead      time.Time
}

// A PruneResult says where a step ended.
type PruneResult struct {
	// Next is the After of the next step; 0 when the walk is at its end.
	Next int64
	// Events and Deliveries count what was removed.
	Events, Deliveries int
}
