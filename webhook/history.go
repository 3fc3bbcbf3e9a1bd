package webhook

import (
	"context"
	"time"
)

// A History shows what became of events, and forgets.
type History interface {
	// Delivery returns one delivery, or ErrNotFound.
	Delivery(ctx context.Context, id string) (Delivery, error)

	// Deliveries returns deliveries, latest event first.
	Deliveries(ctx context.Context, q DeliveryQuery) ([]Delivery, error)

	// Attempts returns the attempts of a delivery in their order, or ErrNotFound.
	Attempts(ctx context.Context, id string) ([]Attempt, error)

	// Prune removes what has been kept long enough, a few events at a time so
	// that it never holds writers up.
	Prune(ctx context.Context, r PruneRequest) (PruneResult, error)
}

// A DeliveryQuery selects deliveries; its empty fields do not constrain.
type DeliveryQuery struct {
	Callback string
	State    DeliveryState
	// Start is how many to pass over, Limit how many to return at most (at
	// least 1).
	Start, Limit int
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
	// again, when it is fanned out, was appended before Delivered and has no
	// delivery left.
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
