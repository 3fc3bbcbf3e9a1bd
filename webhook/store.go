package webhook

import (
	"context"
	"time"
)

// A Dispatcher takes events. Host code depends on this one method.
type Dispatcher interface {
	// Dispatch appends the events to the outbox, all or none, in the order
	// given, after filling in what [Prepare] fills in. When it returns nil they
	// are durable; when the dispatcher belongs to a transaction, they are once
	// that commits. An event whose ID is kept already is passed over.
	//
	// An event that is not valid gives an error that matches ErrInvalid, and then
	// nothing is appended.
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
// Its four roles are not yet settled: until version 1 methods may be added to them.
// Package storetest checks that a store keeps the contract.
type Store interface {
	Registry
	Outbox
	Queue
	History
}

// A Registry keeps callbacks.
type Registry interface {
	// CreateCallback stores a new callback, which the caller has validated, and
	// returns it with ID, Created, Updated, Version and After set and defaults
	// filled in. An ID is never given twice. It returns ErrLimit when its
	// database or its collection has limit callbacks already; a limit of 0 is
	// none.
	CreateCallback(ctx context.Context, c Callback, limit int) (Callback, error)

	// Callback returns one callback, or ErrNotFound.
	Callback(ctx context.Context, id string) (Callback, error)

	// Callbacks returns a page of the callbacks that are listed under a scope.
	Callbacks(ctx context.Context, q CallbackQuery) (CallbackPage, error)

	// UpdateCallback replaces what may change of a callback (URL, Expression,
	// When, Action, Method, Encoding and the secrets) and returns the whole. An
	// expression other than the stored one resets ExpressionFailures and
	// ExpressionError. It returns ErrNotFound, or ErrConflict when c.Version is
	// not the stored one; then nothing changes.
	UpdateCallback(ctx context.Context, c Callback) (Callback, error)

	// DeleteCallback removes a callback with all its deliveries, or returns
	// ErrNotFound. A delivery that is claimed at that moment may still go out;
	// settling it then does nothing.
	DeleteCallback(ctx context.Context, id string) error
}

// A CallbackQuery asks for a page of callbacks.
type CallbackQuery struct {
	// Scope selects. A database lists what is bound to it, to a collection of it
	// too; a collection lists what is bound to it, of one database or all; both
	// together list what is bound to both; an empty scope lists everything.
	Scope Scope
	// Start is how many to pass over, Limit how many to return at most (at
	// least 1). The order is that of creation and never changes.
	Start, Limit int
	// WithTotal asks for the total.
	WithTotal bool
}

// A CallbackPage is the answer to a [CallbackQuery].
type CallbackPage struct {
	Callbacks []Callback
	// Total counts all that the scope selects; 0 unless asked for.
	Total int
}

// An Outbox takes events in and keeps them until they are fanned out: replaced by
// the deliveries they give rise to.
type Outbox interface {
	Dispatcher

	// Pending returns up to limit events that are not fanned out, with encoded
	// forms of up to limitBytes together (the first whatever its size), in the
	// order of their sequence and without a gap: no event of a record is passed
	// over for a later one. With them, read at the same instant, comes the
	// registry's revision.
	Pending(ctx context.Context, limit, limitBytes int) (PendingEvents, error)

	// Listeners returns the callbacks that may hear of a change in the scope, in
	// order of creation. For a profile's scope (no collection) these are the
	// callbacks bound to the database alone; for a subprofile's those bound to the
	// collection, of that database or of any.
	Listeners(ctx context.Context, scope Scope) (Listeners, error)

	// FanOut takes events off the outbox and writes their deliveries, in one
	// transaction. An event that is fanned out already is passed over, and so is a
	// target whose callback is gone. A delivery is born waiting when an open one
	// to the same callback about the same record exists, otherwise ready and due
	// at once.
	FanOut(ctx context.Context, expansions []Expansion) error

	// Watch calls wake, in its own goroutine, once when it begins and then soon
	// after anything may have been appended, committed or made ready, by whatever
	// process, until ctx ends; then it returns nil. wake does not block; calling
	// it in vain does no harm. That a retry comes due is not watched.
	Watch(ctx context.Context, wake func()) error
}

// PendingEvents are events not yet fanned out.
type PendingEvents struct {
	Events []Event
	// Damaged are the sequences, between those of Events, that could not be
	// decoded.
	Damaged []int64
	// Revision grows with every change of any callback's definition. Listeners
	// read at an older revision must be read again before they decide about
	// these events.
	Revision int64
	// More is set when the limits have cut the events off.
	More bool
}

// Listeners are the callbacks of a scope as of a revision of the registry.
type Listeners struct {
	Callbacks []Callback
	Revision  int64
}

// An Expansion is what one event fans out to.
type Expansion struct {
	Sequence int64
	// Messages are the event's bodies, in the formats that the targets use.
	Messages map[Method][]byte
	// Targets are the deliveries to write; none takes the event off the outbox.
	Targets []Target
	// Failures are the callbacks whose condition failed on the event: each is
	// counted and kept as the callback's ExpressionError, which changes neither
	// its version nor the registry's revision.
	Failures []ExpressionFailure
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

// A Worker is an engine's registration with the queue. Its number is never given
// twice, so it fences: what a worker that was declared dead still wants to settle is
// refused.
type Worker int64

// A WorkerBeat is a worker's counter as another one saw it.
type WorkerBeat struct {
	Worker Worker
	Beat   int64
	// Holds is set while the worker holds claims: only then does anybody wait for
	// it.
	Holds bool
}

// A Queue hands deliveries to workers. A claimed delivery belongs to one worker
// until that settles it, ends, or is declared dead.
type Queue interface {
	// Join registers a worker.
	Join(ctx context.Context) (Worker, error)

	// Beat moves a worker's counter on, or returns ErrFenced.
	Beat(ctx context.Context, w Worker) error

	// Workers returns every registered worker with its counter.
	Workers(ctx context.Context) ([]WorkerBeat, error)

	// Retire ends a worker, provided that its counter still stands at w.Beat:
	// what it had claimed becomes ready again and due at once, its number is
	// fenced. It reports whether it did so.
	Retire(ctx context.Context, w WorkerBeat) (bool, error)

	// Leave ends a worker from its own side: what it has claimed becomes ready
	// again and due as it was. Leaving twice does nothing.
	Leave(ctx context.Context, w Worker) error

	// Claim gives ready deliveries that are due to a worker, with their messages,
	// or returns ErrFenced. Those of one callback come in the order of their
	// events. When it gives any it moves the worker's counter on, as Beat does, in
	// the same transaction: a worker that was idle for long is not taken for dead
	// the moment it has something in hand.
	Claim(ctx context.Context, r ClaimRequest) ([]Claimed, error)

	// Settle records what became of claimed deliveries, all in one transaction,
	// or returns ErrFenced and records nothing. When a delivery ends, the
	// earliest waiting one of the same record and callback becomes ready and due
	// at once. An outcome whose delivery is gone, is not claimed by the worker, or
	// has another number of attempts than the outcome's Attempt.Number says it
	// had before, is passed over: so a Settle may be repeated when it is not known
	// whether it succeeded. One whose State a claimed delivery can't become
	// gives an error that matches ErrInvalid, and then nothing is recorded.
	Settle(ctx context.Context, w Worker, outcomes []Outcome) error
}

// A ClaimRequest says how much a worker wants.
type ClaimRequest struct {
	Worker Worker
	// Now decides what is due.
	Now time.Time
	// Limit is how many deliveries to claim at most, LimitBytes how many bytes
	// their messages may have together. The first is claimed whatever its size.
	Limit      int
	LimitBytes int
	// After is the callback behind which to begin: the callbacks with work are
	// visited in a fixed order that wraps around, so that none starves behind
	// others. Empty begins anywhere.
	After string
	// Room says how many deliveries of a callback to claim at most. It is called
	// at most once for each callback with work that is visited, must be quick and
	// must not call the store. Nil sets no limit.
	Room func(callback string) int
}

// A Claimed is a delivery in the hands of a worker.
type Claimed struct {
	Delivery
	// To is the callback as it is now.
	To Callback
	// Message is the event's body, in the delivery's format. It is shared between
	// deliveries: not to be written to.
	Message []byte
}

// An Outcome is what an attempt came to.
type Outcome struct {
	// Sequence and Callback identify the delivery.
	Sequence int64
	Callback string
	// State is what the delivery becomes: delivered, dead (Reason says why), or
	// ready to be tried again when it is Due; a zero Due is at once.
	State  DeliveryState
	Reason string
	Due    time.Time
	// Attempt is recorded, and counted; its Number is one more than the attempts
	// before it. Nil when none was made: the delivery is just given back.
	Attempt *Attempt
}

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
// was set back, is passed over.)
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
