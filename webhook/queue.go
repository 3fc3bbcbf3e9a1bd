package webhook

import (
	"context"
	"time"
)

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
	// or returns ErrFenced. None is of a callback that is disabled or paused. Those of
	// one callback come in the order of their events. What can't be read is passed
	// over: an error that matches ErrDamaged then comes with what was claimed. When it gives any it moves the worker's counter on, as Beat does, in
	// the same transaction: a worker that was idle for long is not taken for dead
	// the moment it has something in hand.
	Claim(ctx context.Context, r ClaimRequest) ([]Claimed, error)

	// Settle records what became of claimed deliveries, all in one transaction,
	// or returns ErrFenced and records nothing. When a delivery ends, or is passed, the
	// earliest waiting one of the same record and callback becomes ready and due at
	// once. A replayed delivery and one that is not do not wait for each other.
	//
	// Each attempt counts for the health of its callback. What is to become ready
	// although its callback is disabled becomes dead, with the callback's reason.
	// Settle returns the callbacks that it has disabled; what becomes of their
	// deliveries is said at Registry.UpdateCallback.
	//
	// An outcome whose delivery is gone, is not claimed by the worker, or
	// has another number of attempts than the outcome's Attempt.Number says it
	// had before, is passed over: so a Settle may be repeated when it is not known
	// whether it succeeded. One whose State a claimed delivery can't become
	// gives an error that matches ErrInvalid, and then nothing is recorded.
	Settle(ctx context.Context, w Worker, outcomes []Outcome) (disabled []Callback, err error)

	// Reschedule mends what a clock that was ahead by more than a minute has left
	// behind: a ready delivery whose last attempt began later than that is due as
	// long after now as it was to be after that attempt; a pause that was noted with
	// such an attempt lasts as long from now; a callback that is failing since then is
	// failing since now. To do it again changes nothing.
	Reschedule(ctx context.Context, now time.Time) error
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
	// Room says how many deliveries of a callback, whose health is given, to claim at
	// most. It is called at most once for each callback with work that is visited,
	// must be quick and must not call the store. Nil sets no limit.
	Room func(callback string, h Health) int
}

// A Claimed is a delivery in the hands of a worker.
type Claimed struct {
	Delivery
	// To is the callback as it is now. It is shared between deliveries: not to be written
	// to.
	To *Callback
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
	// Pass lets the later deliveries about the record no longer wait for this one,
	// which becomes ready. For one that ends it means nothing.
	Pass bool
	// Pause pauses the callback until then, unless it is paused for longer. A stored
	// pause that is longer by more than MaxPause was noted by a clock that was wrong,
	// and is replaced.
	Pause time.Time
	// Disable, where not nil, disables the callback.
	Disable *Disabling
}

// A Disabling is why a callback is to be disabled. It is passed over when the callback
// is another by now: the receiver may have been replaced, or have answered. The outcomes
// of a Settle count in their order, and what an outcome wants of the callback is compared
// with what is stored before its own attempt is counted.
type Disabling struct {
	Reason string
	// Version is the callback's as the attempt was made.
	Version int64
	// FailingSince, where not zero, is since when its receiver was failing then.
	FailingSince time.Time
}
