package sqlite

import (
	"context"

	"github.com/ringback-dev/ringback/webhook"
)

// What there is to know before events are appended: the last numbers, the registry's
// revision, whether an event is pending, and whether a worker is registered.
const selectStand = selectNumbers + `, (SELECT revision FROM ringback_registry),
	EXISTS (SELECT 1 FROM ringback_pending WHERE sequence > 0 AND id <> ''),
	EXISTS (SELECT 1 FROM ringback_holders WHERE id = ?)`

// AppendAndClaim implements [webhook.AppendClaimer]. What can't be read it leaves for Claim,
// which tells of it.
func (s *Store) AppendAndClaim(
	ctx context.Context, events []webhook.ExpandedEvent, revision int64, r webhook.ClaimRequest,
) (claimed []webhook.Claimed, pending bool, err error) {
	if err := ctx.Err(); err != nil || len(events) == 0 {
		return nil, false, err
	}
	if err := s.admit(ctx); err != nil {
		return nil, false, err
	}
	a := appending{events: events, r: r, revision: revision, asked: make(map[string]int)}
	if err := s.writeBesideHeld(ctx, "append", 2*len(events), a.run); err != nil {
		return nil, false, err
	}
	if a.pending || a.left {
		s.bell.ring()
	}
	return a.claimed, a.pending, nil
}

// An appending is an AppendAndClaim under way.
type appending struct {
	events   []webhook.ExpandedEvent
	r        webhook.ClaimRequest
	revision int64
	asked    map[string]int // what Room has said

	// What it came to.
	claimed []webhook.Claimed
	pending bool
	left    bool // a delivery is ready, and not claimed
}

func (a *appending) run(tx tx) error {
	a.claimed, a.pending, a.left = nil, false, false
	var appended, fanned, revision int64
	var registered bool
	err := tx.row(selectStand, int64(a.r.Worker)).Scan(&appended, &fanned, &revision, &a.pending, &registered)
	if err != nil {
		return err
	}
	if !registered {
		return webhook.ErrFenced
	}
	next, err := tx.next(appended, fanned)
	if err != nil {
		return err
	}
	if a.pending = a.pending || revision != a.revision; a.pending {
		return tx.append(a.prepare(), next)
	}
	return a.fanOut(tx, next)
}

// prepare returns the events as they are left pending.
func (a *appending) prepare() []preparedEvent {
	prepared := make([]preparedEvent, len(a.events))
	for i := range a.events {
		prepared[i] = preparedEvent{event: *a.events[i].Event(), encoded: a.events[i].Encode()}
	}
	return prepared
}

// fanOut appends events that are fanned out, under numbers that begin with the next one,
// with their deliveries.
func (a *appending) fanOut(tx tx, next int64) error {
	f := newFanOut(tx)
	defer f.rest()
	f.birth = &birth{r: a.r, asked: a.asked, claimed: make([]webhook.Claimed, 0, min(max(a.r.Limit, 0), len(a.events)))}
	events := tx.conn.fanned.take(len(a.events))[:len(a.events)]
	defer func() { tx.conn.fanned.give(events) }()
	var shared shared
	for i, given := range a.events {
		sequence := next + int64(i)
		events[i] = shared.fanned(given.Event(), sequence)
		events[i].found(given.Expand(sequence), f.argument)
	}
	if err := tx.emptyOutbox(next + int64(len(events)) - 1); err != nil {
		return err
	}
	err := f.write(events)
	a.claimed, a.left = f.birth.claimed, f.left
	if err != nil || len(a.claimed) == 0 {
		return err
	}
	return tx.beat(a.r.Worker)
}
