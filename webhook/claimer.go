package webhook

import "context"

// What follows is no role of a [Store]: an engine makes use of it where it is there.

// A FanOutClaimer is a store that can give new deliveries to a worker in the very
// transaction that writes them, so that they need not be read back.
type FanOutClaimer interface {
	// FanOutAndClaim does what Outbox.FanOut does. In the same transaction it gives
	// those of the new deliveries that are ready to the request's worker, as
	// Queue.Claim would if there were no others, in the order of the expansions; the
	// request's Now says which callbacks are paused, its After does not matter. What
	// can't be read is not claimed; an error that matches ErrDamaged may then come with
	// what was. A worker that is not registered gives ErrFenced, and then nothing is
	// written.
	FanOutAndClaim(ctx context.Context, expansions []Expansion, r ClaimRequest) ([]Claimed, error)
}

// An AppendClaimer is a store that can append events, fan them out and give their
// deliveries to a worker in one transaction, so that an event is written once.
type AppendClaimer interface {
	// AppendAndClaim appends events as Dispatch does, in their order, and then does with
	// their expansions what FanOutAndClaim does, all in one transaction.
	//
	// The expansions were made of the callbacks as of a revision of the registry. Where
	// it has another one by now, or an event is pending (which may be an earlier one
	// about the same record), it appends all of the events as Dispatch does, claims
	// nothing and reports that they are pending. An event whose ID is known is passed
	// over. Errors are those of Dispatch and of FanOutAndClaim; unless they match
	// ErrDamaged, nothing is written.
	AppendAndClaim(ctx context.Context, events []ExpandedEvent, revision int64, r ClaimRequest) (claimed []Claimed, pending bool, err error)
}

// An ExpandedEvent is an event to be appended of which it is known what it fans out to.
// AppendAndClaim asks it while it is under way, and not afterwards.
type ExpandedEvent interface {
	// Event returns the event as Prepare returns it or Complete leaves it, to be read only.
	// What its records and its Cause refer to may be changed by its owner: the store takes
	// the content from Encode.
	Event() *Event

	// Encode returns the event's encoded form, which a store needs that leaves the event
	// pending. It may be called within the transaction.
	Encode() []byte

	// Expand returns what the event fans out to, given the sequence under which it is
	// appended. It is called within the transaction, at most once for each time that is
	// tried, must be quick and must not call the store.
	Expand(sequence int64) Expansion
}
