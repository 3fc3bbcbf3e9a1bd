package webhook

import "context"

// A FanOutClaimer is a store that can give new deliveries to a worker in the very
// transaction that writes them, so that they need not be read back. It is no role of a
// [Store]: an engine makes use of it where it is there.
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
