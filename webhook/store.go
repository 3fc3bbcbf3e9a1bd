package webhook

import "context"

// A Dispatcher takes events. Host code depends on this one method.
type Dispatcher interface {
	// Dispatch appends the events to the outbox, all or none, in the order
	// given, after filling in what [Prepare] fills in. When it returns nil they
	// are durable; when the dispatcher belongs to a transaction, they are once
	// that commits. An event whose ID is kept already is passed over, at the latest
	// when it would be fanned out.
	//
	// An event that is not valid gives an error that matches ErrInvalid; where the
	// host bounds the backlog, too much of it gives ErrBacklogFull. Then nothing is
	// appended.
	Dispatch(ctx context.Context, events ...Event) error
}

// A Store keeps everything durable. It is safe for concurrent use, by several
// engines and processes where it is shared between them. It copies in and copies
// out: nothing that a caller holds changes under it, and the other way round.
//
// Callback IDs are the store's; validation, matching and the retry policy live
// above it. Times are kept to the millisecond and returned in UTC. Besides the
// errors named at each method, any method may return the store's own failures and
// the context's error.
//
// Its four roles are the contract for stores of other makes: methods are not added to
// them; what a store can do beyond is an interface of its own. Package storetest checks
// that a store keeps the contract.
type Store interface {
	Registry
	Outbox
	Queue
	History
}
